"""Attacks by many frames, many connections, and by peers that do not read."""
import contextlib
import itertools
import subprocess
import time

from attack import COHO, FOLDER, PATIENCE, attack, same, true, until
from peer import BINARY, CLOSE, PING, PONG, TEXT, frame, request
from victim import program, server

CONTINUATION = 0
MIB = 1 << 20
ZERO = b"\0\0\0\0"  # a mask, so that a frame can be made once
ATTACKERS = 32


def times(count, data, at_once=4096):
    """The same bytes so many times, in larger pieces."""
    block = data * at_once
    return itertools.chain(itertools.repeat(block, count // at_once), [data * (count % at_once)])


# ---- fragments -------------------------------------------------------------------------------------


@attack(20, "a message of 8 million fragments of one byte, which does not end: 1008, for less than the message limit")
def tiny_fragments():
    for path in ("/echo", "/stream"):
        with server().bounded(memory_kb=1024, cpu_ms=100) as victim:
            peer = victim.talker(path)
            peer.send(frame(BINARY, b"a", fin=False))
            sent = peer.flood(times(8 * MIB, frame(CONTINUATION, b"a", fin=False, key=ZERO)))
            peer.ended(1008, skip=(BINARY, CONTINUATION))
            true(sent < 32 * MIB, "it is read for ever")
            peer.close()


@attack(21, "a million empty fragments: 1008, and next to no memory")
def empty_fragments():
    with server().bounded(memory_kb=128, cpu_ms=100) as victim:
        peer = victim.talker()
        peer.send(frame(TEXT, fin=False))
        peer.flood(times(MIB, frame(CONTINUATION, fin=False, key=ZERO)))
        peer.ended(1008)
        peer.close()


@attack(20, "a message larger than the limit by fragments of 64 KiB: 1009, for the limit and not more")
def large_fragments():
    with server().bounded(memory_kb=1024 + 256, cpu_ms=100) as victim:
        peer = victim.talker()
        peer.send(frame(BINARY, bytes(65536), fin=False, key=ZERO))
        peer.flood(itertools.repeat(frame(CONTINUATION, bytes(65536), fin=False, key=ZERO), 32))
        peer.ended(1009)
        peer.close()


@attack(20, "messages that nobody finishes: 1008 at their deadline")
def unfinished():
    with server(message_ms=300).bounded(memory_kb=512, cpu_ms=100) as victim:
        for data in (frame(TEXT, b"a", fin=False), frame(TEXT, b"abc", length=10), frame(BINARY, length=MIB)):
            peer = victim.talker()
            victim.made.append(peer)
            peer.send(data)
        drips = victim.talker()
        drips.send(frame(TEXT, b"a", length=100))
        drips.sock.settimeout(0.05)
        until(lambda: not drips.send(b"a") or glance(drips), "a byte now and then does not help")
        drips.close()
        for peer in victim.made:
            peer.ended(1008)


def glance(peer):
    try:
        return not peer.more() or peer.got[:2] == b"\x88\x02"
    except AssertionError:
        return False


# ---- control frames --------------------------------------------------------------------------------


@attack(24, "16 KiB of pings in one segment: each is answered, in order")
def pings_in_one_segment():
    with server().bounded(memory_kb=256, cpu_ms=50) as victim:
        peer = victim.talker()
        count = 16384 // 8
        peer.send(b"".join(frame(PING, b"%02d" % (at % 100), key=ZERO) for at in range(count)))
        for at in range(count):
            peer.message(PONG, b"%02d" % (at % 100))
        peer.close()


@attack(25, "a million pings of a peer that does not read: 1008, and no more memory than a queue has")
def pings_unread():
    for payload in (b"", b"p" * 125):
        with server().bounded(memory_kb=1024, cpu_ms=300) as victim:
            peer = victim.talker(narrow=True)
            block, sent = frame(PING, payload, key=ZERO) * 512, 0
            while sent < 64 * MIB and peer.send(block):  # which reading for ever would take, and waiting for ever not
                sent += len(block)
            true(sent < 64 * MIB, "it is read for ever")
            while (got := peer.frame()) and got[0] == PONG:
                same(got[1], payload)
            true(got is None or got == (CLOSE, b"\x03\xf0", 0), f"the end is {got}")
            peer.close()


@attack(25, "a million pings of a peer that reads: all answered, memory flat")
def pings_read():
    with server().bounded(memory_kb=512, cpu_ms=300) as victim:
        peer = victim.talker()
        sent = peer.flood(times(MIB, frame(PING, b"", key=ZERO)))
        same(sent, 6 * MIB)
        true(peer.need(2 * MIB), "pongs are missing")
        same(bytes(peer.got), b"\x8a\0" * MIB)
        peer.close()


@attack(26, "a million pongs nobody asked for: ignored, memory flat; under a rate: 1008")
def pongs():
    with server(frames_a_second=1000).bounded(memory_kb=256, cpu_ms=600) as victim:
        peer = victim.talker()
        same(peer.flood(times(MIB, frame(PONG, b"", key=ZERO))), 6 * MIB)
        peer.send(frame(TEXT, b"still open"))
        peer.message(TEXT, b"still open")
        peer.close()
        for data in (frame(PONG, key=ZERO), frame(PING, key=ZERO), frame(TEXT, key=ZERO)):
            peer = victim.talker("/rated")
            peer.flood(times(8192, data))
            peer.ended(1008, skip=(PONG, TEXT))
            peer.close()


@attack(26, "Close frames without end, and megabytes behind a Close: not read beyond 64 KiB")
def close_flood():
    with server().bounded(memory_kb=256, cpu_ms=300) as victim:
        for data in (frame(CLOSE, b"\x03\xe8", key=ZERO), frame(BINARY, bytes(1000), key=ZERO), b"\xff" * 100):
            peer = victim.talker()
            peer.send(frame(CLOSE, b"\x03\xe8"))
            sent = peer.flood(times(64 * MIB // len(data), data, at_once=64))
            true(sent < 32 * MIB, f"{sent} bytes were taken")
            same(peer.frame(), (CLOSE, b"\x03\xe8", 0))
            peer.close()
        peer = victim.talker()  # the same after a violation
        peer.send(frame(3))
        true(peer.flood(times(64 * MIB, b"x", at_once=65536)) < 32 * MIB, "it is read for ever")
        peer.close()


@attack(24, "honest messages of 1 byte in segments of 1 byte by 32 peers: all come back")
def bytewise():
    with server().bounded(memory_kb=1024, cpu_ms=200) as victim:
        peers = victim.made
        peers += [victim.talker() for _ in range(ATTACKERS)]
        for byte in frame(TEXT, b"x") * 20:
            for peer in peers:
                peer.send(bytes([byte]))
        for peer in peers:
            for _ in range(20):
                peer.message(TEXT, b"x")


# ---- peers that do not read ------------------------------------------------------------------------


@attack(44, "a subscriber that does not read while 10,000 messages are published: 4408 when the history has lost some")
def slow_subscriber():
    # The history of the topic is 1 MiB, whoever reads.
    with server(max_queue=262144).bounded(memory_kb=512 + 1024, cpu_ms=200) as victim:
        slow = victim.talker("/feed", narrow=True)
        victim.made.append(slow)
        good = victim.talker("/publish")
        for _ in range(100):
            good.send(frame(TEXT, b"100 1000"))
            good.message(TEXT, b"published")
        good.close()
        code = drain(slow)
        true(code in (None, 4408), f"closed with {code}")


def drain(peer):
    """The code of the Close at the end, or None when there is none."""
    while (got := peer.frame()) and got[0] != CLOSE:
        pass
    return int.from_bytes(got[1][:2], "big") if got else None


@attack(44, "peers that echo 1 MiB messages and never read: each is reset at the deadline of writing")
def never_reads():
    with server(write_ms=400).bounded(memory_kb=ATTACKERS // 4 * 1280, cpu_ms=300) as victim:
        for _ in range(ATTACKERS // 4):
            peer = victim.talker(narrow=True)
            victim.made.append(peer)
            peer.sock.settimeout(0.2)
            data = frame(BINARY, bytes(MIB), key=ZERO)
            try:
                for _ in range(64):
                    if not peer.send(data):
                        break
            except TimeoutError:
                pass  # it is not read any more: the server waits
        victim.quiet(1)


@attack(44, "an answer over HTTP that nobody reads: reset at its deadline")
def unread_file():
    folder = FOLDER / "large"
    folder.mkdir(exist_ok=True)
    (folder / "large.bin").write_bytes(bytes(64 * MIB))
    with server(root=folder, reply_ms=400).bounded(memory_kb=1024, cpu_ms=500) as victim:
        for _ in range(ATTACKERS):
            peer = victim.peer(narrow=True)
            victim.made.append(peer)
            peer.send(b"GET /large.bin HTTP/1.1\r\nHost: h\r\n\r\n")
        victim.quiet(1)


@attack(44, "10,000 requests in one connection, whose answers nobody reads: no more is read, then reset")
def unread_answers():
    with server(reply_ms=400).bounded(memory_kb=1024, cpu_ms=500) as victim:
        peer = victim.peer(narrow=True)
        victim.made.append(peer)
        peer.sock.settimeout(5)
        try:
            sent = sum(peer.send(b"GET /stats HTTP/1.1\r\nHost: h\r\n\r\n" * 100) for _ in range(10000))
        except TimeoutError:
            sent = 0
        true(sent < 10000, "all were taken")
        victim.quiet(1)


# ---- connections -----------------------------------------------------------------------------------


def statuses(victim, count):
    """What so many handshakes at once are answered, "" for the end; their connections stay."""
    found = []
    for _ in range(count):
        try:
            victim.made.append(victim.ask(request()))
        except ConnectionResetError:
            found.append("")
    for peer in victim.made:
        found.append(peer.head()[9:12] if b"\r\n\r\n" in peer.got or peer.more() else "")
    return found


@attack(45, "1,000 connections where 50 are allowed: 503 or the end; those who are in are served")
def too_many_connections():
    with server(connections=50).bounded(memory_kb=1024, cpu_ms=200) as victim:
        found = statuses(victim, 1000)
        true(48 <= found.count("101") <= 49 and "503" in found, f"{found.count('101')} are in, {set(found)}")


@attack(45, "100 connections of one address where 20 are allowed: 503; 100 handshakes where 10 a second are: 429")
def one_address():
    with server(of_an_address=20).bounded(memory_kb=512, cpu_ms=200) as victim:
        found = statuses(victim, 100)
        true(found.count("101") == 19 and "503" in found, f"{found.count('101')} are in, {set(found)}")
    victim = server(handshakes_a_second=10)
    victim.made = []
    found = statuses(victim, 100)
    true(found.count("429") > 40, f"{found.count('101')} handshakes went through")
    for peer in victim.made:
        peer.close()


@attack(45, "300 handshakes that are reset at once, a message behind each, where 10 a second are allowed: no more than that get through")
def handshakes_reset_at_once():
    victim = server(handshakes_a_second=10)
    before = victim.stats()["messages"]
    start = time.monotonic()
    for _ in range(300):
        peer = victim.peer()
        peer.send(request() + frame(TEXT, b"x"))
        peer.reset()
    until(lambda: victim.stats()["sockets"] == 1, "the sockets are not gone")
    allowed = 10 + 10 * (time.monotonic() - start) + 1
    heard = victim.stats()["messages"] - before
    true(heard <= allowed, f"{heard} messages were heard, {allowed:.0f} are allowed")


@attack(46, "all 1,000 clients come back at once after a restart: all are served")
def reconnect_storm():
    with server().bounded(memory_kb=1000 * 2, cpu_ms=400) as victim:
        for _ in range(2):
            victim.made += [victim.ask(request()) for _ in range(1000)]
            for peer in victim.made:
                same(peer.head()[9:12], "101")
                peer.reset()
            victim.made.clear()


# ---- memory ----------------------------------------------------------------------------------------


@attack(45, "60 peers that send most of a message of 1 MiB where 16 MiB is all there is: 1013 and 503, then all is well")
def memory_limit():
    limit = 16 * MIB
    with server(memory=limit).bounded(memory_kb=limit // 1024, cpu_ms=300) as victim:
        for _ in range(60):
            peer = victim.ask(request())
            victim.made.append(peer)
            if peer.more() and peer.got[9:12] == b"101":
                peer.head()
                peer.send(frame(BINARY, bytes(MIB - 1000), key=ZERO, length=MIB))
        codes = {peer.got[9:12].decode() or last_code(peer) for peer in victim.made}
        true(codes & {"503", "1013"}, f"nobody was turned away: {codes}")
        true(codes <= {"503", "1013", "alive"}, f"answers: {codes}")


def last_code(peer):
    """The code of a Close that is there, or that it lives."""
    peer.sock.settimeout(0.1)
    try:
        got = peer.frame()
    except AssertionError:
        return "alive"
    return str(int.from_bytes(got[1][:2], "big")) if got else "gone"


@attack(28, "limits that do not fit 32 bits are not cut down, limits that are none are refused")
def large_limits():
    with program("--demo", "--max-message", str((1 << 32) + 10)) as victim:
        peer = victim.talker()
        peer.send(frame(BINARY, bytes(5000), key=ZERO))
        peer.message(BINARY, bytes(5000))
        peer.close()
    for words in (("--max-message", "-1"), ("--max-message", "0"), ("--max-message", "1e3"), ("--max-message", str(1 << 64)),
                  ("--max-message", " 5"), ("--max-message", "5x"), ("--threads", "4294967297"), ("--limit", "fields=4294967297"),
                  ("--limit", "connections=4294967297"), ("--timeout", "head=99999999999999999999"), ("--timeout", "head=-1")):
        done = subprocess.run([COHO, "serve", "--demo", "--listen", "ws://127.0.0.1:0", *words], capture_output=True,
                              timeout=PATIENCE, check=False)
        same(done.returncode, 2, " ".join(words))


# ---- the endpoints behind the pages ----------------------------------------------------------------


PROTOCOL = "Sec-WebSocket-Protocol: coho.json.v1\r\n"


@attack(27, "the demo's topics: deep JSON, a hundred thousand subscriptions, huge names, what is no JSON")
def demo_topics():
    with program("--demo") as victim:
        bombs = (b"[" * 100000, b'{"a":' * 50000, b'{"op":"sub","topic":' + b"[" * 100000 + b"]" * 100000 + b"}",
                 b'{"op":["' + b'sub","' * 100000 + b'"]}', b'{"op":"sub","topic":"' + b"A" * 500000 + b'"}',
                 b'{"op":"sub","topic":{"a":1}}', b'{"op":"sub","topic":"\\u0000"}', b'{"op":"sub","pattern":"' + b"+/" * 200000 + b'#"}',
                 b'{"op":"pub","topic":"a","data":{}}', b'{"op":"pub","topic":"a","data64":"?"}', b"1e999999", b'"\\ud800"',
                 b"null", b"[]", b"")
        for bomb in bombs:
            peer = victim.talker("/t/", PROTOCOL)
            peer.send(frame(TEXT, bomb))
            true(peer.frame() is not None, f"{bomb[:20]}: no answer")
            peer.close()
        peer = victim.talker("/t/", PROTOCOL)
        with contextlib.suppress(OSError):  # when the hub has had enough of it
            for n in range(100000):
                peer.send(frame(TEXT, b'{"op":"sub","topic":"flood/%d"}' % n))
        peer.close()
        for path in ("x" * 256, "a//b", "%00", "%ff%fe", "%e2%98%83", "%zz", "..", "a?since=x", "a?as=" + "x" * 256, "a?as=x&info=%7B"):
            peer = victim.ask(request("/t/" + path))
            true(peer.head()[9:12] in ("400", "404"), path[:20])
            peer.close()
        until(lambda: victim.rss_kb() < 40 * 1024, "memory is given back")
        victim.greet()
