"""Attacks by compressed messages and by what is asked for in permessage-deflate."""
import pathlib
import re
import resource
import zlib

from attack import attack, same, true
from peer import BINARY, PONG, PING, TEXT, frame, request
from victim import server

CONTINUATION = 0
MIB = 1 << 20
RSV1 = 4
OFFER = "Sec-WebSocket-Extensions: permessage-deflate{}\r\n"
TAIL = b"\x00\x00\xff\xff"
OWN = 2  # COHO_DEFLATE_OWN


def packed(data, bits=15, level=9, packer=None):
    packer = packer or zlib.compressobj(level, zlib.DEFLATED, -bits)
    return (packer.compress(data) + packer.flush(zlib.Z_SYNC_FLUSH)).removesuffix(TAIL)


def squeezed(data, **options):
    return frame(BINARY, packed(data, **options), rsv=RSV1)


def talker(victim, parameters="", path="/echo"):
    peer = victim.peer()
    peer.send(request(path, more=OFFER.format(parameters)))
    peer.extensions = re.search(r"(?i)\r\nsec-websocket-extensions: *([^\r]*)", peer.head())
    true(peer.extensions, "compression was declined")
    peer.extensions = peer.extensions[1]
    return peer


# ---- bombs -----------------------------------------------------------------------------------------

BOMB = packed(bytes(10 * MIB))


@attack(32, "10 MiB in 10 KiB, in one frame: 1009, and memory grows by the message limit and 64 KiB at most")
def bomb():
    true(len(BOMB) < 11 * 1024, f"the bomb has {len(BOMB)} bytes")
    for path in ("/echo", "/stream"):
        with server().bounded(memory_kb=1024 + 64, cpu_ms=100) as victim:
            peer = talker(victim, path=path)
            peer.send(frame(BINARY, BOMB, rsv=RSV1))
            peer.ended(1009, skip=(BINARY, CONTINUATION))
            peer.close()


@attack(32, "the same in fragments of 100 bytes, byte by byte, behind other messages, with a context: 1009")
def bomb_in_parts():
    for options in ({}, {"deflate": OWN}):
        with server(**options).bounded(memory_kb=1024 + 64, cpu_ms=100) as victim:
            pieces = [BOMB[at:at + 100] for at in range(0, len(BOMB), 100)]
            peer = talker(victim)
            for at, piece in enumerate(pieces):
                peer.send(frame(CONTINUATION if at else BINARY, piece, fin=at + 1 == len(pieces), rsv=0 if at else RSV1))
            peer.ended(1009)
            peer.close()
            peer = talker(victim)
            peer.send(squeezed(b"first"))
            true(peer.frame() is not None, "the message before it is not answered")
            data = frame(BINARY, BOMB, rsv=RSV1)
            peer.flood(data[at:at + 1] for at in range(len(data)))
            peer.ended(1009)
            peer.close()


@attack(32, "16 bombs at once: each is stopped, and others are served meanwhile")
def bombs_at_once():
    with server().bounded(memory_kb=1024 + 64, cpu_ms=200) as victim:
        victim.made += [talker(victim) for _ in range(16)]
        for peer in victim.made:
            peer.send(frame(BINARY, BOMB, rsv=RSV1))
        for peer in victim.made:
            peer.ended(1009)


@attack(32, "6 MiB of input that becomes 6 GiB, the limit at 256 KiB: not even the input is read")
def bomb_of_input():
    with server(max_message=262144).bounded(memory_kb=256, cpu_ms=100) as victim:
        peer = talker(victim)
        sent = peer.flood([frame(BINARY, bytes(6 * MIB), rsv=RSV1)])
        peer.ended(1009)
        true(sent < 6 * MIB, "all of it was taken")
        peer.close()


@attack(33, "200 messages of 1 KiB that become 1 MiB each: at the limit, so answered; the price is bounded, a rate ends it")
def many_bombs():
    message = squeezed(bytes(MIB))
    with server(messages_a_second=20).bounded(memory_kb=12 * 1024, cpu_ms=200 * 10) as victim:
        peer = talker(victim)
        for _ in range(200):
            peer.send(message)
            true(peer.frame()[0] == BINARY, "it is not answered")
        peer.close()
        peer = talker(victim, path="/rated")
        peer.flood([message] * 200)
        peer.ended(1008, skip=(BINARY,))
        peer.close()


# ---- streams that are no streams -------------------------------------------------------------------

def bits(text):
    """Bits, first one first, as bytes."""
    text = text.replace(" ", "")
    text += "0" * (-len(text) % 8)
    return bytes(int(text[at:at + 8][::-1], 2) for at in range(0, len(text), 8))


BAD = {
    "block type 3": bits("0 11"),
    "a stored block whose length is not confirmed": b"\x00\x05\x00\x05\x00hello",
    "a distance before the first byte": bits("0 10 0000001 00000"),
    "a far distance before the first byte": bits("0 10 0000001 11101 1111111111111"),
    "a length code that does not exist": bits("0 10 11000110"),
    "a distance code that does not exist": bits("0 10 00110001 0000001 11110"),
    "too many length codes": bits("0 01 11111 11111 1111"),
    "code lengths that do not add up": bits("0 01 00000 00000 0000 111 111 111 111"),
    "a repeat without a first": bits("0 01 00000 00000 1111" + "001" * 19),
    "noise": bytes((at * 97 + 13) % 256 for at in range(500)),
}


@attack(35, "data that is no deflate stream, whole and in fragments: 1007, never a crash")
def bad_streams():
    with server().bounded(memory_kb=1024, cpu_ms=50 + 5 * len(BAD)) as victim:
        for about, data in BAD.items():
            for parts in (1, 2):
                peer = talker(victim)
                if parts == 1:
                    peer.send(frame(BINARY, data, rsv=RSV1))
                else:
                    peer.send(frame(BINARY, data[:1], fin=False, rsv=RSV1) + frame(CONTINUATION, data[1:]))
                try:
                    peer.ended(1007)
                except AssertionError as error:
                    raise AssertionError(f"{about}, in {parts}: {error}") from None
                peer.close()


@attack(35, "a stream cut anywhere, and one with any of its bytes turned: 1007 or a message, never a crash")
def broken_streams():
    text = (b"the quick brown fox jumps over the lazy dog " * 20)[:700]
    whole = packed(text)
    broken = [whole[:at] for at in range(1, len(whole))]
    broken += [whole[:at] + bytes([whole[at] ^ 1 << bit]) + whole[at + 1:] for at in range(len(whole)) for bit in (0, 3, 7)]
    with server().bounded(memory_kb=2048, cpu_ms=50 + len(broken)) as victim:
        for data in broken:
            peer = talker(victim)
            peer.send(frame(BINARY, data, rsv=RSV1))
            got = peer.frame()
            true(got is not None and (got[0] == BINARY or got == (8, b"\x03\xef", 0)), f"the answer is {got}")
            peer.close()


@attack(35, "the final block inside a message, empty blocks, thousands of them: messages like others")
def odd_streams():
    final = zlib.compressobj(9, zlib.DEFLATED, -15)
    ended = final.compress(b"abc") + final.flush(zlib.Z_FINISH)
    with server().bounded(memory_kb=1024, cpu_ms=100) as victim:
        for data, text in ((ended + b"\x00", b"abc"), (b"\x00", b""), (packed(b"abc") + TAIL + b"\x00", b"abc"),
                           ((b"\x00\x00\x00\xff\xff" * 10000) + packed(b"abc"), b"abc")):
            peer = talker(victim)
            peer.send(frame(TEXT, data, rsv=RSV1))
            peer.message(TEXT, text)
            peer.close()
        peer = talker(victim)
        peer.send(frame(TEXT, b"", rsv=RSV1))
        peer.ended(1007)
        peer.close()


@attack(35, "a reference to the message before, where no context is kept, or further back than the window: 1007")
def stale_context():
    block = bytes((at * at * 31 + at * 7) % 251 for at in range(600))
    with server().bounded(memory_kb=512, cpu_ms=50) as victim:
        peer = talker(victim)
        true("client_no_context_takeover" in peer.extensions, peer.extensions)
        packer = zlib.compressobj(9, zlib.DEFLATED, -15)
        peer.send(frame(BINARY, packed(block, packer=packer), rsv=RSV1))
        true(peer.frame()[0] == BINARY, "the first is not answered")
        peer.send(frame(BINARY, packed(block, packer=packer), rsv=RSV1))
        peer.ended(1007)
        peer.close()
    with server(deflate=OWN).bounded(memory_kb=512, cpu_ms=50) as victim:
        peer = talker(victim, "; client_max_window_bits=9")
        true("client_max_window_bits=9" in peer.extensions, peer.extensions)
        far = zlib.compressobj(9, zlib.DEFLATED, -15)
        filler = bytes(range(256)) * 8
        peer.send(frame(BINARY, packed(block[:100] + filler + block[:100], packer=far), rsv=RSV1))
        got = peer.frame()
        true(got == (8, b"\x03\xef", 0) or got[0] == BINARY, f"the answer is {got}")
        peer.close()


# ---- parameters ------------------------------------------------------------------------------------


@attack(34, "window bits 0, 7, 16, words, twice, without value, parameters nobody knows: declined, never a failure")
def wrong_parameters():
    wrong = [f"; {name}={value}" for name in ("server_max_window_bits", "client_max_window_bits")
             for value in ("0", "7", "16", "015", "99999999999999999999", "-1", "abc", '""', "15.0", '"1 5"')]
    wrong += ["; server_max_window_bits", "; server_max_window_bits=10; server_max_window_bits=11",
              "; client_max_window_bits; client_max_window_bits=10", "; server_no_context_takeover=1",
              "; client_no_context_takeover; client_no_context_takeover", "; unknown", "; __proto__=1"]
    with server().bounded(memory_kb=256, cpu_ms=50 + 5 * len(wrong)) as victim:
        for parameters in wrong:
            peer = victim.ask(request(more=OFFER.format(parameters)))
            head = peer.head()
            true(head[9:12] in ("101", "400"), f"{parameters}: {head[:40]!r}")
            true("permessage-deflate" not in head, f"{parameters}: accepted")
            peer.close()


@attack(34, "window bits 8 to 15: what was agreed on is kept, so that a reader with just that window can read it")
def windows():
    near = bytes((at * at * 31 + at * 7) % 251 for at in range(300))
    text = near + b"." * 40 + near * 3 + bytes(5000) + near
    for mode in (1, OWN):
        victim = server(deflate=mode)
        for window in range(8, 16):
            peer = talker(victim, f"; server_max_window_bits={window}")
            agreed = int(re.search("server_max_window_bits=([0-9]+)", peer.extensions)[1])
            true(agreed == window or mode == OWN and agreed == 12 < window, f"{window} is answered {peer.extensions}")
            reader = zlib.decompressobj(-agreed)
            for _ in range(3):
                peer.send(frame(BINARY, text))
                opcode, data, rsv = peer.frame()
                if rsv != RSV1:
                    same(data, text)
                    continue
                if mode == 1:
                    reader = zlib.decompressobj(-agreed)
                same(reader.decompress(data + TAIL), text, f"mode {mode}, window {window}")
            peer.close()


# ---- many ------------------------------------------------------------------------------------------

MANY = 9500  # within 20,000 descriptors of this process, which many machines allow at most


@attack(37, "9,500 idle connections with contexts of their own: within the budget of contexts, all given back when all leave")
def idle_contexts():
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    budget = 32 * MIB
    handshake, message = request(more=OFFER.format("; client_max_window_bits")), frame(TEXT, packed(b"a" * 500), rsv=RSV1)
    victim = server(deflate=OWN, contexts=budget)
    bound = budget // 1024 + MANY * 2  # and 2 KiB for all else
    with victim.bounded(memory_kb=bound, cpu_ms=MANY, kept_bytes=MIB):
        for _ in range(MANY // 500):
            some = [victim.ask(handshake) for _ in range(500)]
            for peer in some:
                true("permessage-deflate" in peer.head(), "compression is refused")
                peer.send(message)
            for peer in some:
                true(peer.frame()[0] == TEXT, "a message is not answered")
            victim.made += some
        stats = victim.stats()
        true(budget * 3 // 4 < stats["contexts"] <= budget, f"contexts take {stats['contexts']} bytes")
    same(victim.stats()["contexts"], 0, "contexts of nobody")


@attack(36, "the zlib that is loaded is none of those with known faults: at least 1.2.13")
def library():
    maps = pathlib.Path(f"/proc/{server().pid}/maps").read_text(encoding="ascii")
    names = {pathlib.Path(line.split()[-1]).resolve().name for line in maps.splitlines() if "/libz.so" in line}
    true(names, "no zlib is loaded")
    for name in names:
        version = tuple(int(part) for part in name.partition(".so.")[2].split("."))
        true(version >= (1, 2, 13), f"{name} is loaded")


@attack(38, "text of strangers next to a secret: a message marked so is never compressed")
def plain():
    peer = talker(server(), path="/plain")
    peer.send(frame(TEXT, b"secret=a " * 200))
    peer.message(TEXT, b"secret=a " * 200)
    peer.send(frame(PING))
    peer.message(PONG, b"")
    peer.close()
