"""Attacks by single frames and by their order: each is answered, whole and byte by byte, and nothing reaches the program."""
import struct

from attack import attack, same
from peer import BINARY, CLOSE, PING, PONG, TEXT, frame
from victim import server

CONTINUATION = 0
AT_ONCE = 200


def each(rows):
    """Rows of (what, bytes, code), each on connections of its own."""
    with server().bounded(memory_kb=512, cpu_ms=50 + len(rows)) as victim:
        for about, data, code in rows:
            for size in (len(data), 1) if len(data) < 1000 else (len(data),):
                try:
                    play(victim, data, size, code)
                except AssertionError as error:
                    raise AssertionError(f"{about}, in pieces of {size}: {error}") from None


def play(victim, data, size, code):
    peer = victim.talker()
    for at in range(0, len(data), size):
        if not peer.send(data[at:at + size]):
            break
    peer.ended(code)
    peer.close()


# ---- lengths ---------------------------------------------------------------------------------------


@attack(14, "lengths with the top bit, of 2^63-1, 2^64-4, 2^32 and 2^32+5: 1002 or 1009 at the header")
def huge_lengths():
    rows = []
    for length, code in ((1 << 63, 1002), ((1 << 64) - 1, 1002), ((1 << 64) - 4, 1002), ((1 << 63) - 1, 1009),
                         (1 << 62, 1009), (1 << 32, 1009), ((1 << 32) + 5, 1009), ((1 << 31) - 1, 1009),
                         ((1 << 20) + 1, 1009)):
        for opcode in (TEXT, BINARY):
            rows.append((f"length {length:x}", frame(opcode, form=64, length=length), code))
        rows.append((f"continued by {length:x}",
                     frame(TEXT, b"a", fin=False) + frame(CONTINUATION, form=64, length=length), code))
    each(rows)


@attack(15, "200 peers announce 1 MiB each and send nothing: nothing is reserved")
def announced_only():
    with server().bounded(memory_kb=1024, cpu_ms=100) as victim:
        for _ in range(AT_ONCE):
            peer = victim.talker()
            victim.made.append(peer)
            peer.send(frame(PING, b"?") + frame(BINARY, length=1 << 20) + b"abc")
        for peer in victim.made:
            peer.message(PONG, b"?")  # so it has been read


@attack(18, "lengths in more bytes than they need: 1002")
def long_forms():
    each([(f"{length} in {form} bits", frame(BINARY, bytes(length), form=form), 1002)
          for form, lengths in ((16, (0, 1, 125)), (64, (0, 125, 126, 65535))) for length in lengths])


# ---- bits ------------------------------------------------------------------------------------------


@attack(16, "frames that are not masked: 1002, and the program hears nothing")
def unmasked():
    heard = server().stats()["messages"]
    victim = server()
    for opcode in (CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG):
        for payload in (b"", b"evil", bytes(125), bytes(126), bytes(70000)):
            if opcode >= CLOSE and len(payload) > 125:
                continue
            play(victim, frame(opcode, payload, key=None), len(payload) + 16, 1002)
    same(victim.stats()["messages"], heard, "messages the program heard")


@attack(17, "reserved bits and opcodes, also on control frames and continuations: 1002")
def reserved():
    rows = [(f"opcode {opcode}", frame(opcode, payload), 1002) for opcode in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15)
            for payload in (b"", b"abc")]
    rows += [(f"reserved {rsv} with opcode {opcode}", frame(opcode, b"a", rsv=rsv), 1002) for rsv in range(1, 8)
             for opcode in (TEXT, BINARY, CLOSE, PING, PONG)]
    rows += [(f"reserved {rsv} on a continuation", frame(TEXT, fin=False) + frame(CONTINUATION, rsv=rsv), 1002)
             for rsv in range(1, 8)]
    each(rows)


@attack(17, "reserved bit 1 with compression on: on continuations, control frames and with bits 2 and 3: 1002")
def reserved_with_deflate():
    with server().bounded(memory_kb=1024, cpu_ms=100) as victim:
        for data in (frame(TEXT, fin=False) + frame(CONTINUATION, rsv=4), frame(PING, rsv=4), frame(CLOSE, rsv=4),
                     frame(TEXT, b"a", rsv=6), frame(TEXT, b"a", rsv=5), frame(TEXT, b"a", rsv=2), frame(3, rsv=4)):
            peer = victim.talker(more="Sec-WebSocket-Extensions: permessage-deflate\r\n")
            peer.send(data)
            peer.ended(1002)
            peer.close()


# ---- control frames --------------------------------------------------------------------------------


@attack(19, "control frames in fragments or of more than 125 bytes: 1002")
def control_frames():
    rows = [(f"a part of {opcode}", frame(opcode, b"\x03\xe8", fin=False), 1002) for opcode in (CLOSE, PING, PONG)]
    rows += [(f"{opcode} of {size} bytes", frame(opcode, bytes(size)), 1002) for opcode in (CLOSE, PING, PONG)
             for size in (126, 200, 65536)]
    each(rows)


@attack(19, "Close with one byte, with codes nobody may send, with a reason that is not UTF-8: 1002 or 1007")
def close_frames():
    codes = (0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535)
    rows = [("one byte", frame(CLOSE, b"\x03"), 1002)]
    rows += [(f"code {code}", frame(CLOSE, struct.pack(">H", code) + reason), 1002) for code in codes
             for reason in (b"", b"why")]
    rows += [(f"reason {reason}", frame(CLOSE, b"\x03\xe8" + reason), 1007) for reason in
             (b"\xff", b"a\xff\xffb", b"\xc0\x80", b"\xed\xa0\x80", b"\xe2\x98", b"\xf4\x90\x80\x80", b"x" * 120 + b"\xe2\x98")]
    each(rows)


# ---- order -----------------------------------------------------------------------------------------


@attack(22, "a message inside a fragmented one, a continuation of nothing: 1002")
def order():
    start = frame(TEXT, b"a", fin=False)
    rows = [(f"{opcode} inside", start + frame(opcode, b"b", fin=fin), 1002) for opcode in (TEXT, BINARY) for fin in (0, 1)]
    rows += [("continuation first", frame(CONTINUATION, b"a", fin=fin), 1002) for fin in (False, True)]
    rows.append(("one too many", start + frame(CONTINUATION) + frame(CONTINUATION), 1002))
    # The first message is whole and comes back before the violation is told.
    with server().bounded(memory_kb=256, cpu_ms=50) as victim:
        for about, data, code in rows:
            for size in (len(data), 1):
                peer = victim.talker()
                for at in range(0, len(data), size):
                    peer.send(data[at:at + size])
                if about == "one too many":
                    peer.message(TEXT, b"a")
                peer.ended(code)
                peer.close()


@attack(22, "1,000 control frames between two fragments: all are answered, and the message comes back whole")
def control_between():
    with server().bounded(memory_kb=512, cpu_ms=100) as victim:
        peer = victim.talker()
        peer.send(frame(TEXT, b"a", fin=False))
        for at in range(1000):
            peer.send(frame(PING if at % 2 else PONG, b"%d" % at))
        peer.send(frame(CONTINUATION, b"b"))
        for at in range(1, 1000, 2):
            peer.message(PONG, b"%d" % at)
        peer.message(TEXT, b"ab")
        peer.close()


@attack(31, "valid frames cut at every chunk edge there is: everything is answered in order, and nothing spins")
def cuts():
    data = b"".join((frame(TEXT, b"a" * 130), frame(PING, b"p" * 125), frame(BINARY, b"b", fin=False), frame(PING),
                     frame(CONTINUATION, fin=False), frame(CONTINUATION, b"c" * 200), frame(PONG, b"?"), frame(TEXT)))
    answer = [(TEXT, b"a" * 130, 0), (PONG, b"p" * 125, 0), (PONG, b"", 0), (BINARY, b"b" + b"c" * 200, 0), (TEXT, b"", 0)]
    with server().bounded(memory_kb=512, cpu_ms=100) as victim:
        peer = victim.talker()
        for cut in range(1, len(data)):
            peer.send(data[:cut])
            peer.send(data[cut:])
            same([peer.frame() for _ in answer], answer, f"cut at {cut}")
        peer.close()


# ---- text ------------------------------------------------------------------------------------------

BAD = (b"\x80", b"\xbf", b"\xc0\x80", b"\xc1\xbf", b"\xc2a", b"\xe0\x80\x80", b"\xe0\x9f\xbf", b"\xed\xa0\x80", b"\xed\xbf\xbf",
       b"\xf0\x80\x80\x80", b"\xf0\x8f\xbf\xbf", b"\xf4\x90\x80\x80", b"\xf5\x80\x80\x80", b"\xfe", b"\xff", b"\xe2\x98a",
       b"\xf0\x9f\x90a", b"\xf8\x88\x80\x80\x80")


@attack(23, "surrogates, overlong forms, what lies above U+10FFFF, sequences that end too early: 1007")
def bad_text():
    long = b"x" * 997  # behind what the fast path takes at once
    rows = [(repr(bad), frame(TEXT, before + bad + b"z"), 1007) for bad in BAD for before in (b"", b"ok ", long)]
    rows += [(f"ends in {cut}", frame(TEXT, b"ok " + cut), 1007) for cut in (b"\xc3", b"\xe2\x98", b"\xf0\x9f\x90", b"\xf0")]
    rows += [(f"message ends in {cut}", frame(TEXT, cut, fin=False) + frame(CONTINUATION), 1007)
             for cut in (b"\xc3", b"\xe2\x98", b"\xf0\x9f\x90")]
    each_text(rows)


def each_text(rows):
    with server().bounded(memory_kb=512, cpu_ms=50 + len(rows)) as victim:
        for about, data, code in rows:
            for size in (len(data), 1, 7):
                peer = victim.talker()
                for at in range(0, len(data), size):
                    peer.send(data[at:at + size])
                try:
                    peer.ended(code)
                except AssertionError as error:
                    raise AssertionError(f"{about}, in pieces of {size}: {error}") from None
                peer.close()


@attack(23, "the first impossible byte of a frame or message that never ends: 1007 at once")
def fail_fast():
    each_text([(repr(bad), frame(TEXT, b"ok " + bad, length=1000), 1007) for bad in BAD] +
              [(f"{bad} in a fragment", frame(TEXT, b"ok " + bad, fin=False), 1007) for bad in BAD])


@attack(23, "a character cut in two anywhere, by frames and by segments, is a character")
def cut_text():
    text = "é☃🐟\U0010ffff\ue000".encode()
    with server().bounded(memory_kb=512, cpu_ms=50) as victim:
        peer = victim.talker()
        for cut in range(len(text) + 1):
            first, last = frame(TEXT, text[:cut], fin=False), frame(CONTINUATION, text[cut:])
            peer.send(first)
            peer.send(last)
            peer.message(TEXT, text)
            peer.send(frame(TEXT, text)[:6 + cut])
            peer.send(frame(TEXT, text)[6 + cut:])
            peer.message(TEXT, text)
        peer.close()


@attack(26, "what comes behind a Close, a second Close, a Close and a connection that stays: nothing is answered twice")
def behind_close():
    with server(close_ms=300).bounded(memory_kb=512, cpu_ms=50) as victim:
        for behind in (frame(CLOSE, b"\x03\xe9"), frame(TEXT, b"too late"), b"\xff" * 1000, b"GET / HTTP/1.1\r\n\r\n"):
            peer = victim.talker()
            peer.send(frame(CLOSE, b"\x0f\xa1why") + behind)
            same(peer.frame(), (CLOSE, b"\x0f\xa1why", 0))
            same(peer.rest(), b"")
            peer.close()
        stays = victim.talker()
        stays.send(frame(CLOSE, b"\x03\xe8"))
        stays.ended(1000)
        victim.quiet(1)  # the server did not wait for it; the other one is the bystander
        stays.close()
