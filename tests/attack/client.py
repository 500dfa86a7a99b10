"""Attacks by servers on coho connect: it ends with 1, says why in a line, and costs little."""
import os
import pty
import select
import ssl
import struct
import subprocess
import threading

from attack import FOLDER, attack, same, true
from compression import packed
from hostile import ANSWER, accepted, connect, hostile, opened
from peer import BINARY, CLOSE, PING, PONG, TEXT, frame

CONTINUATION = 0
MIB = 1 << 20
_usual = []


def sent(opcode, payload=b"", **options):
    """A frame of a server."""
    return frame(opcode, payload, **({"key": None} | options))


def usual():
    """What a run costs that goes well."""
    if not _usual:
        with hostile(lambda peer: (opened(peer), peer.send(sent(TEXT, b"hi") + sent(CLOSE, b"\x03\xe8")), peer.rest())) as url:
            done = connect(url)
            same((done.status, done.out), (0, b"hi\n"))
            _usual.append(done)
    return _usual[0]


def against(play, *words, status=1, said="", out=b"", memory_kb=1024, cpu_ms=100, context=None, given=b""):
    with hostile(play, context) as url:
        done = connect(url, *words, given=given)
    same(done.status, status, f"exit status ({done.said.strip()[-200:]})")
    if out is not None:
        same(done.out, out, "output")
    true(said in done.said, f"{said!r} is not in {done.said!r}")
    true(not any(ord(c) < 32 and c != "\n" or 127 <= ord(c) < 160 for c in done.said), f"it says {done.said!r}")
    grown, used = done.peak_kb - usual().peak_kb, done.cpu_ms - usual().cpu_ms
    true(grown <= memory_kb, f"memory grew by {grown} KiB, {memory_kb} are allowed")
    true(used <= cpu_ms, f"it took {used:.0f} ms, {cpu_ms} are allowed")
    return done


def answers(*pieces, more=""):
    """Opens, sends this in pieces, and reads what the client says to its end."""
    def play(peer):
        opened(peer, more)
        for piece in pieces:
            peer.send(piece)
        peer.sock.settimeout(5)
        peer.rest()
    return play


def raw(data):
    """Answers the request with this."""
    def play(peer):
        head = peer.head()
        peer.send(data(head) if callable(data) else data)
        peer.sock.settimeout(5)
        peer.rest()
    return play


# ---- frames ----------------------------------------------------------------------------------------


@attack(51, "frames that are masked, reserved, too long, out of order, or no text: nothing is printed")
def broken_frames():
    for data in (frame(TEXT, b"evil", key=b"abcd"), sent(TEXT, b"evil", rsv=4), sent(TEXT, b"evil", rsv=2), sent(3), sent(11, b"x"), sent(15),
                 sent(CONTINUATION, b"evil"), sent(TEXT, b"a", fin=False) + sent(TEXT, b"evil"), sent(PING, bytes(126)),
                 sent(PING, fin=False), sent(TEXT, b"evil", form=16), sent(TEXT, b"evil", form=64),
                 sent(TEXT, length=1 << 63, form=64), sent(TEXT, b"\xff\xfe"), sent(TEXT, b"ok \xed\xa0\x80"),
                 sent(TEXT, b"a", fin=False) + sent(CONTINUATION, b"\xe2\x98")):
        against(answers(data), memory_kb=2048)


@attack(51, "lengths of 2^62, 4 GiB and 17 MiB: refused at the header")
def huge_frames():
    for length in ((1 << 63) - 1, 1 << 62, 1 << 32, 17 * MIB):
        against(answers(sent(BINARY, b"evil", form=64, length=length)), memory_kb=2048)


@attack(51, "Close with one byte, codes nobody may send, reasons that are no text or move the cursor")
def broken_closes():
    for body in (b"\x03", *(struct.pack(">H", code) for code in (0, 999, 1004, 1005, 1006, 1015, 2999, 5000, 65535)),
                 b"\x03\xe8\xff", b"\x03\xe9\xe2\x98", b"\x0f\xa0\x1b[2J\x1b]0;evil\x07", "\u202eevil\u2028\x9b1m".encode().join((b"\x0f\xa0", b""))):
        against(answers(sent(CLOSE, body)))


@attack(51, "a message of endless tiny or empty fragments: refused")
def fragments():
    for piece in (sent(CONTINUATION, fin=False) * 4096, sent(CONTINUATION, b"a", fin=False) * 4096):
        against(answers(sent(TEXT, b"a", fin=False), *[piece] * 1000), memory_kb=16 * 1024, cpu_ms=1500)


@attack(51, "100,000 pings, and 100,000 pongs nobody asked for: answered, ignored, memory flat")
def control_floods():
    def pings(peer):
        opened(peer)
        peer.flood([sent(PING) * 1000] * 100 + [sent(PONG) * 1000] * 100 + [sent(CLOSE, b"\x03\xe8")])
        peer.rest()
    against(pings, status=0, memory_kb=2048, cpu_ms=2000)


@attack(51, "a server that pings without end and reads nothing: the client does not grow, and ends when it is told to")
def pings_unread():
    def play(peer):
        opened(peer)
        peer.sock.settimeout(2)
        try:
            while peer.send(sent(PING, b"p" * 125) * 500):
                pass
        except TimeoutError:
            pass
    against(play, memory_kb=4096, cpu_ms=2000)


@attack(32, "a bomb for the client: 64 MiB in 64 KiB, whole and in fragments: refused at its limit")
def bombs():
    bomb = packed(bytes(64 * MIB))
    more = "Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover\r\n"
    parts = [sent(CONTINUATION if at else BINARY, bomb[at:at + 1000], fin=at + 1000 >= len(bomb), rsv=0 if at else 4)
             for at in range(0, len(bomb), 1000)]
    for pieces in ([sent(BINARY, bomb, rsv=4)], parts):
        against(answers(*pieces, more=more), "--max-message", "1M", memory_kb=1024 + 512, cpu_ms=200)


@attack(35, "compressed data that is none, and compression the client did not offer: refused")
def bad_deflate():
    more = "Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover\r\n"
    for data in (b"\x06", b"\xff" * 100, b"\x00\x05\x00\x05\x00hello", b""):
        against(answers(sent(BINARY, data, rsv=4), more=more))
    for parameters in ("permessage-deflate; server_max_window_bits=7", "permessage-deflate; unknown", "x-webkit-deflate-frame",
                       "permessage-deflate; server_no_context_takeover, permessage-deflate", 'permessage-deflate; a="',
                       "permessage-deflate; client_max_window_bits=16", "permessage-deflate; server_no_context_takeover=1"):
        against(answers(sent(TEXT, b"evil"), more=f"Sec-WebSocket-Extensions: {parameters}\r\n"))
    against(answers(sent(TEXT, b"evil"), more=more), "--deflate", "off")


# ---- handshake -------------------------------------------------------------------------------------


@attack(51, "an answer that is wrong anywhere: refused, and nothing behind it is read")
def wrong_answers():
    behind = sent(TEXT, b"evil")
    good = ANSWER + "\r\n"
    turned = ((good, "Upgrade: websocket", "Upgrade: h2c"), (good, "Connection: Upgrade", "Connection: close"),
              (good, "{}", "AAAAAAAAAAAAAAAAAAAAAAAAAAA="), (good, "Sec-WebSocket-Accept: {}\r\n", ""), (good, "101", "200"),
              (good, "101", "1010"), (good, "HTTP/1.1", "HTTP/3.0"), (good, "HTTP/1.1", "ICY"), (good, "\r\n\r\n", "\r\nX: \0\r\n\r\n"),
              (good, "\r\nUpgrade", "\r\n Upgrade"), (good, "\r\n\r\n", "\r\nSec-WebSocket-Accept: {}\r\n\r\n"),
              (good, "\r\n\r\n", "\r\nSec-WebSocket-Protocol: evil\r\n\r\n"), (good, "\r\n\r\n", "\r\nSec-WebSocket-Extensions: evil\r\n\r\n"))
    for text, old, new in turned:
        answer = text.replace(old, new, 1)
        against(raw(lambda head, a=answer: a.replace("{}", accepted(head)).encode() + behind))


@attack(51, "redirects, to elsewhere, from wss to ws, to a file, to unix: not followed, told in a line")
def redirects():
    visited = threading.Event()
    with hostile(lambda peer: visited.set()) as other:
        for status in (301, 302, 303, 307, 308):
            for target in (other, other.replace("ws:", "http:"), "unix:/run/docker.sock", "file:///etc/passwd", "//127.0.0.1:1/"):
                against(raw(f"HTTP/1.1 {status} Found\r\nLocation: {target}\r\nContent-Length: 0\r\n\r\n".encode()), said=str(status))
            against(raw(f"HTTP/1.1 {status} Found\r\nLocation: \x1b]0;evil\x07\r\n\r\n".encode()))
    true(not visited.is_set(), "a redirect was followed")


@attack(51, "an endless head, endless 1xx answers, 10,000 fields, no end of the status line, noise: refused at the limit")
def endless_heads():
    def endless(start, piece):
        def play(peer):
            peer.head()
            peer.send(start)
            peer.flood([piece] * 2000)
        return play
    for start, piece in ((b"HTTP/1.1 101 x\r\nX: ", b"a" * 8192), (b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 100),
                         (b"", b"HTTP/1.1 103 x\r\nX: y\r\n\r\n"), (b"HTTP/1.1 101 x\r\n", b"X: y\r\n" * 1000), (b"HTTP/1.1 101 ", b"x" * 8192),
                         (b"", bytes(range(256)) * 32), (b"", b"\r\n" * 4096), (b"", b"\0" * 8192)):
        against(endless(start, piece), "--connect-timeout", "5", memory_kb=1024, cpu_ms=150)


@attack(51, "a head of one byte now and then, and none at all: the deadline of connecting")
def slow_heads():
    def slowly(peer):
        head = peer.head()
        for byte in (ANSWER.format(accepted(head)) + "X: " + "a" * 1000).encode():
            if not peer.send(bytes([byte])) or select.select([peer.sock], [], [], 0.02)[0]:
                return
    against(slowly, "--connect-timeout", "0.5", cpu_ms=200)
    against(lambda peer: peer.rest(), "--connect-timeout", "0.5")


@attack(51, "a refusal with escapes in its reason and fields: told without them")
def escapes_in_a_refusal():
    against(raw(b"HTTP/1.1 403 \x1b[31mevil\x1b]0;x\x07\r\nServer: \x1b[2J\r\nContent-Length: 4\r\n\r\n\x1b[2J"))
    against(raw("HTTP/1.1 403 \x9b31mevil\r\n\r\n".encode("latin-1")))


@attack(51, "escapes in text, in binary, in a reason and in a ping: not one reaches the terminal")
def escapes_at_a_terminal():
    evil = "\x1b[2J\x1b]0;evil\x07\x1b]52;c;ZXZpbA==\x07\x9b31m\x08\x08\r\x7f\u202e".encode()
    ours, theirs = pty.openpty()
    seen = bytearray()

    def read():
        try:
            while data := os.read(ours, 65536):
                seen.extend(data)
        except OSError:
            pass
    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    with hostile(answers(sent(TEXT, evil), sent(BINARY, evil), sent(PING, evil[:100]), sent(CLOSE, b"\x0f\xa0" + evil[:100]))) as url:
        done = connect(url, "-v", "-x", "hi", terminal=theirs)
    os.close(theirs)
    reader.join(10)
    os.close(ours)
    same(done.status, 1)
    true(b"evil" in seen, f"the text is not shown: {bytes(seen)}")
    for bad in (b"\x1b[2J", b"\x1b]", b"\x07", b"\xc2\x9b", b"\x08", b"\x7f", "\u202e".encode()):
        true(bad not in seen, f"{bad} reaches the terminal: {bytes(seen)}")


@attack(26, "a server that does not end the connection behind its Close, or never answers ours: cut")
def stays():
    def quiet(peer):
        opened(peer)
        select.select([], [], [], 8)
    done = against(quiet, "-x", "hi", "--linger", "0", cpu_ms=50)
    true("Close" in done.said or "close" in done.said, done.said)
    def behind(peer):
        opened(peer)
        peer.send(sent(CLOSE, b"\x03\xe8"))
        select.select([], [], [], 8)
    against(behind, status=0, cpu_ms=50)


# ---- masks -----------------------------------------------------------------------------------------


@attack(30, "2,000 frames of a client: 2,000 masks, none of them zero, every bit as often 0 as 1")
def masks():
    keys = []

    def play(peer):
        opened(peer)
        while peer.need(6):
            size = peer.got[1] & 127
            if not peer.need(6 + size):
                return
            head = peer.take(6 + size)
            true(head[1] & 0x80, "a frame is not masked")
            keys.append(head[2:6])
            if head[0] & 15 == CLOSE:
                peer.send(sent(CLOSE, b"\x03\xe8"))
    against(play, "--linger", "0", status=0, given=b"x\n" * 2000)
    true(len(keys) > 2000 and len(set(keys)) >= len(keys) - 1 and bytes(4) not in keys, f"{len(set(keys))} masks of {len(keys)}")
    for bit in range(32):
        ones = sum(int.from_bytes(key, "big") >> bit & 1 for key in keys)
        true(800 < ones < 1200, f"bit {bit} is 1 in {ones} of {len(keys)}")


# ---- TLS -------------------------------------------------------------------------------------------


@attack(11, "a server that answers a TLS handshake with HTTP, noise, alerts, half a record, or not at all: refused")
def no_tls():
    for data in (b"HTTP/1.1 400 Bad Request\r\n\r\n", bytes(range(256)) * 100, b"\x15\x03\x03\x00\x02\x02\x28", b"\x16\x03\x03\xff\xff" + bytes(70000),
                 b"\x16\x03\x03\x00\x04\x02\xff\xff\xff", b"\x15\x03\x03\x00\x02\x01\x00" * 1000, b""):
        def play(peer, data=data):
            peer.more()
            peer.send(data)
            if data:
                peer.sock.settimeout(3)
                peer.rest()
            else:
                select.select([], [], [], 2)
        with hostile(play) as url:
            done = connect(url.replace("ws:", "wss:"), "--connect-timeout", "1", "-x", "secret")
        same((done.status, done.out), (1, b""), repr(data[:10]))
        true(done.said and done.cpu_ms < usual().cpu_ms + 200, f"{done.cpu_ms:.0f} ms: {done.said}")


def certificate(folder, name, *words):
    """A certificate that its own key signed; (path, path)."""
    cert, key = folder / f"{name}.pem", folder / f"{name}.key"
    if not cert.exists():
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj",
                        f"/CN={name}", "-keyout", key, "-out", cert, *words], check=True, capture_output=True, timeout=60)
    return cert, key


@attack(51, "a certificate nobody signed, or of another name: refused before the request is sent")
def bad_certificates():
    heard = []
    here = ("-addext", "subjectAltName=IP:127.0.0.1")
    for name, words in (("own", here), ("other", ("-addext", "subjectAltName=DNS:other.example"))):
        cert, key = certificate(FOLDER, name, *words)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(cert, key)
        with hostile(lambda peer: heard.append(peer.head()), context) as url:
            done = connect(url, "-x", "secret", "-H", "Authorization: Bearer secret")
            same((done.status, done.out), (1, b""), name)
            true("certificate" in done.said, f"{name}: {done.said}")
    same(heard, [], "requests")
