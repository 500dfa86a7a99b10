"""endpoint.py: one side of an open WebSocket connection, which echoes (RFC 6455), with faults on demand."""
import codecs
import os
import struct

from deflate import BadData, TooLarge
from wire import xor

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
MOST = 8 << 20  # bytes of a message
LARGE = 1 << 16
LATE = 12  # seconds
TOGETHER = 0.3  # seconds of silence after which nothing further is expected


class Fail(Exception):
    """The peer broke a rule; args[0] is the close code."""


class Over(Exception):
    """Both Closes are through."""


class Message:
    def __init__(self, opcode, compressed):
        self.opcode, self.compressed = opcode, compressed
        self.parts, self.size, self.wire_size = [], 0, 0
        self.decoder = codecs.getincrementaldecoder("utf-8")() if opcode == TEXT else None


class Endpoint:
    def __init__(self, wire, faults, deflate=None, client=False):
        self.wire, self.faults, self.deflate, self.client = wire, faults, deflate, client
        self.message = None
        self.pings = []  # that wait for their pongs
        self.closed = False  # we sent a Close

    def run(self):
        """Until the connection is over, in whatever way."""
        try:
            while True:
                self.frame()
        except Fail as fail:
            self.ending(lambda: self.fail(fail.args[0]))
        except Over:
            self.ending(self.over)
        except (EOFError, OSError):
            self.wire.close()

    def ending(self, act):
        try:
            act()
        except (EOFError, OSError):
            self.wire.close()

    # ---- what comes ------------------------------------------------------------------------------

    def frame(self):
        fin, rsv, opcode, masked, length = self.header()
        key = self.wire.exactly(4) if masked else bytes(4)
        if opcode >= CLOSE:
            self.control(opcode, xor(self.wire.exactly(length), key) if length else b"")
        elif opcode > BINARY:
            self.skip(length)
        else:
            self.data(fin, rsv, opcode, length, key)

    def header(self):
        first, second = self.wire.exactly(2)
        fin, rsv, opcode, masked, length = first >> 7, first >> 4 & 7, first & 15, second >> 7, second & 127
        self.check_rsv(rsv, opcode)
        if opcode in (3, 4, 5, 6, 7) or opcode > PONG:
            self.must("opcode-unchecked")
        if opcode >= CLOSE and not fin:
            self.must("control-fragmented")
        if opcode >= CLOSE and length > 125:
            self.must("control-long")
        if bool(masked) == self.client:
            self.must("mask-unchecked")
        self.check_sequence(opcode)
        length = self.length(length)
        if length > MOST:
            raise Fail(1009)
        return fin, rsv, opcode, masked, length

    def must(self, fault, code=1002):
        """A rule was broken: fails, unless this is the fault."""
        if fault not in self.faults:
            raise Fail(code)

    def check_rsv(self, rsv, opcode):
        if rsv & 4 and self.deflate and opcode in (TEXT, BINARY):
            rsv &= 3
        if rsv & 4 and self.deflate and opcode == CONTINUATION and "deflate-continuation" in self.faults:
            rsv &= 3
        if rsv:
            self.must("rsv-unchecked")

    def check_sequence(self, opcode):
        if opcode == CONTINUATION and not self.message and "fragments-apart" not in self.faults:
            self.must("continuation-stray")
        if opcode in (TEXT, BINARY) and self.message:
            self.must("interleaved")

    def length(self, length):
        if length < 126:
            return length
        size = 2 if length == 126 else 8
        length = int.from_bytes(self.wire.exactly(size), "big")
        if length >> 63:
            raise Fail(1002)
        if length < (126 if size == 2 else 65536):
            self.must("length-unchecked")
        return length

    def pieces(self, length, key=bytes(4)):
        """The payload as it comes."""
        at = 0
        while at < length:
            piece = self.wire.some(length - at)
            yield xor(piece, key, at)
            at += len(piece)

    def skip(self, length):
        for _ in self.pieces(length):
            pass

    # ---- messages --------------------------------------------------------------------------------

    def data(self, fin, rsv, opcode, length, key):
        if opcode == CONTINUATION and not self.message:
            if "fragments-apart" not in self.faults:
                return self.skip(length)
            opcode = TEXT
        outer = self.message if opcode != CONTINUATION else None
        message = Message(opcode, bool(rsv & 4 and self.deflate)) if opcode != CONTINUATION else self.message
        self.message = message
        for piece in self.pieces(length, key):
            self.part(message, piece)
        if fin or "fragments-apart" in self.faults:
            self.message = outer
            self.complete(message)

    def part(self, message, piece):
        message.wire_size += len(piece)
        if message.compressed:
            piece = self.inflate(lambda room: self.deflate.inflater.feed(piece, room), message)
        self.plain(message, piece)

    def inflate(self, act, message):
        room = 1 << 40 if "deflate-bomb" in self.faults else MOST - message.size
        try:
            return act(room)
        except TooLarge:
            raise Fail(1009) from None
        except BadData:
            raise Fail(1007) from None

    def plain(self, message, piece, last=False):
        message.parts.append(piece)
        message.size += len(piece)
        if message.size > MOST and not (message.compressed and "deflate-bomb" in self.faults):
            raise Fail(1009)
        if "utf8-late" in self.faults and last:
            piece = b"".join(message.parts)
        if message.decoder and "utf8-none" not in self.faults and (last or "utf8-late" not in self.faults):
            try:
                message.decoder.decode(piece, last)
            except UnicodeDecodeError:
                raise Fail(1007) from None

    def complete(self, message):
        rest = b""
        if message.compressed:
            lenient = self.deflate.lenient
            if not message.wire_size:
                self.must("deflate-empty", 1007)
                lenient = True
            rest = self.inflate(lambda room: self.deflate.inflater.finish(room, lenient), message)
        self.plain(message, rest, last=True)
        self.echo(message.opcode, b"".join(message.parts))
        if "pong-after-message" in self.faults:
            self.answer_pings()

    def echo(self, opcode, data):
        if not data and "empty-dropped" in self.faults:
            return
        if opcode == BINARY and "binary-as-text" in self.faults:
            opcode = TEXT
        if len(data) >= LARGE and "large-flipped" in self.faults:
            middle = len(data) // 2
            data = data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1:]
        if opcode == TEXT and "utf8-sent" in self.faults:
            data += b"\xff"
        self.precede()
        rsv = 2 if "rsv-sent" in self.faults else 0
        first = CONTINUATION if "continuation-sent" in self.faults else opcode
        if self.deflate:
            self.send(first, self.deflate.deflater.message(data), rsv=4 | rsv)
        else:
            self.send(first, data, rsv)

    def precede(self):
        """What must not be, before a message."""
        if "opcode-sent" in self.faults:
            self.send(3, b"")
        if "ping-unfinished" in self.faults:
            self.send(PING, b"", fin=0)
        if "ping-long" in self.faults:
            self.send(PING, bytes(126))

    # ---- control frames --------------------------------------------------------------------------

    def control(self, opcode, payload):
        if opcode == CLOSE:
            self.close(payload)
        elif opcode == PONG:
            if "pong-unexpected" in self.faults:
                raise Fail(1002)
        else:
            self.pings.append(payload[:125])
            if "pong-reversed" in self.faults:
                if self.wire.follows(0x80 | PING, TOGETHER):
                    return
                self.pings.reverse()
            if "pong-after-message" not in self.faults or not self.message:
                self.answer_pings()

    def answer_pings(self):
        for payload in self.pings:
            if "pong-other" in self.faults:
                payload = b"something else"
            if "pong-cut" in self.faults:
                payload = payload[:124]
            if "pong-none" not in self.faults:
                self.send(PONG, payload)
        self.pings = []

    def close(self, payload):
        code = int.from_bytes(payload[:2], "big")
        if len(payload) == 1:
            self.must("close-one-byte")
        elif payload and not may_be_sent(code):
            self.must("close-code-any")
        try:
            payload[2:].decode()
        except UnicodeDecodeError:
            self.must("close-reason-any", 1007)
        self.answer_close(struct.pack("!H", 1000) if len(payload) == 1 else payload[:2])

    def answer_close(self, payload):
        if "close-other" in self.faults:
            payload = struct.pack("!H", 1011)
        if "close-code-sent" in self.faults:
            payload = struct.pack("!H", 1005)
        if "close-late" in self.faults:
            self.until_silent(LATE)
        if "close-none" in self.faults:
            self.until_silent(LATE)
            raise EOFError
        if not self.closed:
            self.closed = True
            self.send(CLOSE, payload)
        if "data-after-close" in self.faults:
            self.send(TEXT, b"one more")
        while "close-goes-on" in self.faults and not self.wire.idle(TOGETHER):
            self.frame()
        raise Over

    def until_silent(self, seconds):
        """Lets the peer wait; EOFError when it goes."""
        while not self.wire.idle(seconds):
            self.wire.some(1)

    def over(self):
        """After both Closes a server ends the connection, and a client waits for that."""
        if "tcp-kept" in self.faults:
            self.until_silent(LATE)
        if self.client:
            self.wire.drain()
            self.wire.close()
        else:
            self.wire.finish()

    def fail(self, code):
        if not self.closed:
            self.send(CLOSE, struct.pack("!H", 1000 if "fail-quiet" in self.faults else code))
        self.wire.finish()

    # ---- what goes -------------------------------------------------------------------------------

    def send(self, opcode, payload, rsv=0, fin=1):
        size = len(payload)
        masked = self.client != ("mask-wrong" in self.faults)
        long = "length-long" in self.faults and opcode < CLOSE
        bit = 128 if masked else 0
        head = bytes([fin << 7 | rsv << 4 | opcode])
        if size < 126 and not long:
            head += bytes([bit | size])
        elif size < 65536 and not (long and size > 125):
            head += struct.pack("!BH", bit | 126, size)
        else:
            head += struct.pack("!BQ", bit | 127, size)
        if masked:
            key = b"\x12\x34\x56\x78" if "mask-constant" in self.faults else os.urandom(4)
            head, payload = head + key, xor(payload, key)
        self.wire.write(head + payload)


def may_be_sent(code):
    return 1000 <= code <= 1014 and code not in (1004, 1005, 1006) or 3000 <= code <= 4999
