"""Attacks on TLS: handshakes that do not end, what is no TLS, old versions, floods inside of it."""
import ssl
import subprocess
import warnings

from attack import PATIENCE, attack, same, true
from peer import BINARY, CLOSE, PING, TEXT, Peer, frame, request, trusting
from victim import server

MANY = 100
CROWD = 700
MIB = 1 << 20
LIMIT = 16 * MIB  # of coho's memory where it is to be short
HANDSHAKE_KB = 64  # of OpenSSL's for one that is under way
HELLO_OF_16_MIB = b"\x16\x03\x01\x40\x00\x01\xff\xff\xff"


def victims():
    return server(secure=1, tls_ms=400, head_ms=400, write_ms=500)


def hello(**options):
    """What a client says first."""
    context = trusting()
    for name, value in options.items():
        setattr(context, name, value)
    outgoing = ssl.MemoryBIO()
    try:
        context.wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname="localhost").do_handshake()
    except ssl.SSLWantReadError:
        pass
    return outgoing.read()


class Cutter:
    """A good client, but that it has each record in hand before it is sent."""

    def __init__(self, victim):
        self.peer = plain(victim)
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = trusting().wrap_bio(self.incoming, self.outgoing, server_hostname="localhost")
        self.open = self.ask(self.tls.do_handshake) is None and self.peer.send(self.outgoing.read())

    def ask(self, call, *arguments):
        """What the call gives once enough has come; False at the end."""
        while True:
            try:
                return call(*arguments)
            except ssl.SSLWantReadError:
                self.peer.send(self.outgoing.read())
                if not self.peer.more():
                    return False
                self.incoming.write(self.peer.take(len(self.peer.got)))
            except ssl.SSLError:
                return False

    def read(self):
        return self.ask(self.tls.read, 1 << 16) or b""

    def record(self, data):
        self.tls.write(data)
        return self.outgoing.read()


def plain(victim):
    """A connection to the TLS listener that does not speak TLS by itself."""
    peer = Peer(victim.secure_port)
    victim.made.append(peer)
    return peer


@attack(11, "100 peers claim a ClientHello of 16 MiB in nine bytes: nothing is reserved, the end at the deadline")
def huge_hello():
    with victims().bounded(memory_kb=MANY * HANDSHAKE_KB, cpu_ms=100) as victim:
        for _ in range(MANY):
            plain(victim).send(HELLO_OF_16_MIB)
        for peer in victim.made:
            peer.rest()
    with victims().bounded(memory_kb=MANY * HANDSHAKE_KB, cpu_ms=100) as victim:
        for _ in range(10):
            peer = plain(victim)
            record = b"\x16\x03\x01\x40\x00"
            sent = peer.flood([record + b"\x01\xff\xff\xff" + bytes(16380)] + [record + bytes(16384)] * 1000)
            true(sent < 16 << 20, "all of it was taken")


@attack(10, "100 peers stop in the TLS handshake, at its first byte, in the middle, before its end: the end at the deadline")
def stalled():
    first = hello()
    with victims().bounded(memory_kb=MANY * HANDSHAKE_KB, cpu_ms=300) as victim:
        for at in range(MANY):
            plain(victim).send(first[:(0, 1, 5, len(first) // 2, len(first) - 1, len(first))[at % 6]])
        for peer in victim.made:
            peer.rest()
    with victims().bounded(memory_kb=1024, cpu_ms=200) as victim:
        peer = plain(victim)
        peer.sock.settimeout(0.02)
        for byte in first * 20:
            if not peer.send(bytes([byte])):
                break
            try:
                if not peer.more():
                    break
            except AssertionError:
                pass
        true(peer.gone, "a byte now and then keeps it")


@attack(45, "700 peers stay behind a ClientHello where 16 MiB is all there is: what OpenSSL takes counts, the others get the end")
def half_open_handshakes():
    first = hello()
    with server(secure=1, memory=LIMIT, tls_ms=PATIENCE * 1000).bounded(memory_kb=LIMIT // 1024, cpu_ms=600) as victim:
        for _ in range(CROWD):
            plain(victim).send(first)
        held = sum(peer.more() for peer in victim.made)
        true(50 < held < LIMIT // (40 * 1024), f"{held} of {CROWD} handshakes are under way")


@attack(45, "records of 16 KiB without their last byte where 16 MiB is all there is: 1013 and 503, small ones are served")
def parts_of_records():
    with server(secure=1, memory=LIMIT).bounded(memory_kb=LIMIT // 1024, cpu_ms=3000) as victim:
        friend = victim.talker(secure=True)
        victim.made.append(friend)
        peers = []
        while len(peers) < CROWD:
            peer = Cutter(victim)
            if not peer.open or not peer.peer.send(peer.record(request())):
                break
            answer = peer.read()
            if answer[9:12] != b"101":
                break
            peers.append(peer)
            if len(peers) % 2:  # the others hold nothing yet
                peer.peer.send(peer.record(frame(BINARY, bytes(16300)))[:-1])
        true(100 < len(peers) < CROWD, f"{len(peers)} are let in")
        for peer in peers[1::2]:
            peer.peer.send(peer.record(frame(BINARY, bytes(16300)))[:-1])
        for peer in peers[1::2]:
            said = peer.read()
            same(said[:4], b"\x88\x02\x03\xf5", "who needs more while there is none")
        for _ in range(20):
            friend.send(frame(TEXT, b"small"))
            friend.message(TEXT, b"small")


@attack(11, "HTTP, noise, records without end, of no type, of no length on the TLS listener: an alert, a 400, or the end")
def no_tls():
    with victims().bounded(memory_kb=2048, cpu_ms=600) as victim:
        for data in (request(), b"GET / HTTP/1.1\r\nHost: h\r\n\r\n", bytes(range(256)) * 100, b"\0" * 70000, b"\xff" * 70000,
                     b"\x80\x2e\x01\x03\x01" + bytes(60), b"\x16\x03\x01\xff\xff" + bytes(70000), b"\x17\x03\x03\x00\x05hello",
                     b"\x14\x03\x03\x00\x01\x01" * 1000, b"\x15\x03\x03\x00\x02\x01\x00" * 1000, b"\x18\x03\x03\x00\x03\x01\xff\xff",
                     b"\x16\x03\x01\x00\x00" * 1000, hello()[:100] + bytes(1000)):
            peer = plain(victim)
            peer.flood([data] * 4)
            answer = peer.rest()
            true(answer[:1] in (b"", b"\x15") or answer.startswith(b"HTTP/1.1 400 ") and answer.count(b"HTTP/1.") == 1,
                 f"{data[:10]} is answered {answer[:40]}")  # an alert, or words for who came with HTTP
            peer.close()


@attack(11, "a ClientHello with any of its bytes turned: the end or a handshake, never a crash")
def turned():
    first = hello()
    with victims().bounded(memory_kb=2048, cpu_ms=50 + len(first)) as victim:
        for at in range(len(first)):
            peer = plain(victim)
            peer.send(first[:at] + bytes([first[at] ^ 0xff]) + first[at + 1:])
            peer.reset() if at % 2 else peer.close()


@attack("A20", "TLS 1.0 and 1.1, and ciphers without forward secrecy: refused")
def old_versions():
    with victims().bounded(memory_kb=1024, cpu_ms=300) as victim:
        for version, ciphers in ((ssl.TLSVersion.TLSv1, "DEFAULT:@SECLEVEL=0"), (ssl.TLSVersion.TLSv1_1, "DEFAULT:@SECLEVEL=0"),
                                 (ssl.TLSVersion.TLSv1_2, "AES128-SHA:AES256-GCM-SHA384:@SECLEVEL=0"),
                                 (ssl.TLSVersion.TLSv1_2, "ECDHE-RSA-AES128-SHA:ECDHE-ECDSA-AES128-SHA:@SECLEVEL=0"),
                                 (ssl.TLSVersion.TLSv1_2, "aNULL:eNULL:@SECLEVEL=0")):
            context = trusting()
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                context.minimum_version = context.maximum_version = version
            context.set_ciphers(ciphers)
            try:
                peer = victim.peer(secure=True, context=context)
            except (ssl.SSLError, ConnectionResetError):
                continue
            raise AssertionError(f"{peer.sock.cipher()} is spoken")
        peer = victim.peer(secure=True)
        true(peer.sock.version() in ("TLSv1.2", "TLSv1.3"), peer.sock.version())
        peer.close()


def typed(victim, line, word, *words):
    """What openssl says when this is typed 1,000 times behind a handshake; it ends by itself, because the server ends it."""
    command = ["openssl", "s_client", "-connect", f"127.0.0.1:{victim.secure_port}", "-servername", "localhost", *words]
    child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    said = b""
    try:
        child.stdin.write(request())
        child.stdin.flush()
        while b"101 Switching" not in said:
            said = child.stdout.readline()
            true(said, "the handshake is not answered")
        try:
            for _ in range(1000):  # each is a command only when it comes alone
                child.stdin.write(line)
                child.stdin.flush()
                while (told := child.stdout.readline()) and word not in told:
                    said += told
        except BrokenPipeError:
            pass
        child.wait(PATIENCE)
        return (said + child.stdout.read()).decode(errors="replace")
    except subprocess.TimeoutExpired:
        raise AssertionError("the connection goes on") from None
    finally:
        child.kill()
        child.wait()
        child.stdout.close()
        try:
            child.stdin.close()
        except BrokenPipeError:
            pass


@attack("A21", "renegotiation in TLS 1.2, 1,000 key updates in TLS 1.3: the end")
def extras():
    with victims().bounded(memory_kb=1024, cpu_ms=100) as victim:
        said = typed(victim, b"R\n", b"RENEGOTIATING", "-tls1_2")
        true("no renegotiation" in said, said[-300:])
        said = typed(victim, b"K\n", b"KEYUPDATE", "-tls1_3")
        true("101 Switching" in said, said[-300:])


@attack(26, "200 handshakes that are reset behind the ClientHello, 200 behind the handshake: nothing stays")
def churn():
    first = hello()
    with victims().bounded(memory_kb=2048, cpu_ms=800) as victim:
        for _ in range(200):
            peer = Peer(victim.secure_port)
            peer.send(first)
            peer.reset()
        for at in range(100):
            peer = victim.peer(secure=True)
            if at % 2:
                peer.upgrade()
            peer.reset()


@attack(24, "frames that break the rules, byte by byte, over TLS: the same answers")
def frames_inside():
    with victims().bounded(memory_kb=2048, cpu_ms=200) as victim:
        for data, code in ((frame(TEXT, b"evil", key=None), 1002), (frame(3), 1002), (frame(TEXT, b"\xff"), 1007),
                           (frame(BINARY, length=1 << 40, form=64), 1009), (frame(CLOSE, b"\x03"), 1002)):
            for size in (len(data), 1):
                peer = victim.talker(secure=True)
                for at in range(0, len(data), size):
                    peer.send(data[at:at + size])
                peer.ended(code)
                peer.close()


@attack(25, "200,000 pings over TLS, read and not read: memory flat, the end at the deadline of writing")
def pings():
    with victims().bounded(memory_kb=2048, cpu_ms=300) as victim:
        peer = victim.talker(secure=True)
        peer.flood([frame(PING, key=b"\0\0\0\0") * 1000] * 200)
        true(peer.need(400_000), "pongs are missing")
        same(bytes(peer.got[:400_000]), b"\x8a\0" * 200_000)
        peer.close()
        peer = victim.talker(secure=True, narrow=True)
        victim.made.append(peer)
        peer.sock.settimeout(2)
        try:
            while peer.send(frame(PING, b"p" * 125) * 500):
                pass
        except TimeoutError:
            pass
        victim.quiet(1)


@attack("A23", "an unknown name, a name of 255 bytes, of NUL and of signs: refused or served, without a crash")
def names():
    with victims().bounded(memory_kb=1024, cpu_ms=300) as victim:
        for name in ("unknown.example", "a" * 63 + "." + "b" * 63, "xn--80ak6aa92e.com", "LOCALHOST", "localhost.", "127.0.0.1"):
            context = trusting()
            try:
                peer = Peer(victim.secure_port)
                victim.made.append(peer)
                peer.sock = context.wrap_socket(peer.sock, server_hostname=name)
            except (ssl.SSLError, ConnectionResetError, ValueError):
                continue
            true("example" not in name, f"{name} is served")
