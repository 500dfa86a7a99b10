"""deflate.py: permessage-deflate (RFC 7692) of the server and the client of this folder."""
import re
import zlib

NAME = "permessage-deflate"
TAIL = b"\0\0\xff\xff"
WINDOW = 1 << 15
# A last stored block. Only who stands at the start of a block reads it for what it is.
PROBE_TEXT = b"8 bytes."
PROBE = b"\x01\x08\0\xf7\xff" + PROBE_TEXT
TOKEN = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
PARAMETER = re.compile(rf'[ \t]*;[ \t]*({TOKEN})(?:[ \t]*=[ \t]*(?:({TOKEN})|"({TOKEN})"))?')
BITS = re.compile(r"8|9|1[0-5]")


class BadData(Exception):
    """What came cannot be decompressed."""


class TooLarge(Exception):
    """More came out than there is room for."""


# ---- negotiation ---------------------------------------------------------------------------------


def parse(field):
    """(name, [(parameter, value or None)]) of each element; ValueError."""
    elements = []
    for text in field.split(","):
        text = text.strip(" \t")
        if not text:
            continue
        name = re.match(TOKEN, text)
        at, parameters = name.end() if name else 0, []
        while name and (match := PARAMETER.match(text, at)):
            parameters.append((match[1], match[2] or match[3]))
            at = match.end()
        if not name or at != len(text):
            raise ValueError(text)
        elements.append((name[0], parameters))
    if not elements:
        raise ValueError(field)
    return elements


def valid(parameters, in_answer):
    """Each at most once, known, and with a value that it may have."""
    values = {"server_no_context_takeover": (None,), "client_no_context_takeover": (None,)}
    names = [name for name, _ in parameters]
    if len(set(names)) < len(names):
        return False
    for name, value in parameters:
        if name in values:
            good = value is None
        elif name == "client_max_window_bits" and value is None:
            good = not in_answer
        else:
            good = name in ("client_max_window_bits", "server_max_window_bits") and value and BITS.fullmatch(value)
        if not good:
            return False
    return True


def accept(elements, faults):
    """The answer to the first offer that can be had, as (text, agreed), or None."""
    for name, parameters in elements:
        if name != NAME or not (valid(parameters, False) or "parameters-any" in faults):
            continue
        kept = {n: v for n, v in parameters if n != "client_max_window_bits"}
        if "parameters-any" in faults:
            kept = {n: v for n, v in kept.items() if valid([(n, v)], True)}
        if "parameters-ignored" in faults:
            kept = {}
        text = "; ".join([NAME] + [n if v is None else f"{n}={v}" for n, v in kept.items()])
        return text, kept
    return None


# ---- messages ------------------------------------------------------------------------------------


class Inflater:
    def __init__(self, bits, keeps):
        self.bits, self.keeps = bits, keeps
        self.forget()

    def forget(self):
        self.z, self.history = zlib.decompressobj(-self.bits), b""

    def feed(self, data, room):
        """What comes out of a part of a message; TooLarge when it is more than room."""
        out = b""
        try:
            while data:
                out += self.z.decompress(data, room + 1 - len(out))
                if len(out) > room:
                    raise TooLarge
                data = self.z.unconsumed_tail
                if self.z.eof:
                    data = self.z.unused_data
                    self.z = zlib.decompressobj(-self.bits, (self.history + out)[-WINDOW:])
        except zlib.error as error:
            raise BadData from error
        self.history = (self.history + out[-WINDOW:])[-WINDOW:]
        return out

    def whole(self):
        """The data so far end where a block ends."""
        probe = self.z.copy()
        try:
            return probe.decompress(PROBE).endswith(PROBE_TEXT) and probe.eof and not probe.unused_data
        except zlib.error:
            return False

    def finish(self, room, lenient):
        out = self.feed(TAIL, room)
        if not lenient and not self.whole():
            raise BadData
        if not self.keeps:
            self.forget()
        return out


class Deflater:
    def __init__(self, bits, keeps, tail):
        self.bits, self.keeps, self.tail = bits, keeps, tail
        self.z = self.fresh()

    def fresh(self):
        # zlib has no raw window of 8 bits; with 9 it looks back at most 250 bytes.
        return zlib.compressobj(6, zlib.DEFLATED, -max(self.bits, 9))

    def message(self, data):
        if not self.keeps:
            self.z = self.fresh()
        if not data:
            return b"\0" + TAIL * self.tail
        out = self.z.compress(data) + self.z.flush(zlib.Z_SYNC_FLUSH)
        return out if self.tail else out[:-len(TAIL)]


class Deflate:
    """Both directions, as agreed: parameters of the answer, ours those of this side."""

    def __init__(self, agreed, ours, theirs, faults):
        def bits(side):
            return int(agreed.get(f"{side}_max_window_bits") or 15)

        def keeps(side):
            return f"{side}_no_context_takeover" not in agreed

        self.lenient = "deflate-truncated" in faults
        self.inflater = Inflater(bits(theirs), keeps(theirs) and "deflate-forgets" not in faults)
        self.deflater = Deflater(15 if "deflate-window" in faults else bits(ours),
                                 keeps(ours) or "deflate-context" in faults, "deflate-tail" in faults)
