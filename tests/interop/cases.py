"""What is tried between two ends, one connection for each case.

A case without a direction does what it does in both; one with a direction is tried twice, with coho as
the giver and with the peer.
"""
import contextlib
import random

from tap import Tap

MEGABYTE = 1 << 20
ROW = 1000  # messages
LARGE = "".join(f'{{"river":{i % 7},"upstream":true}},' for i in range(5000))  # compresses well
NOISE = "".join(random.Random(7).choices("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", k=1500))
REPEATS = 64  # of the noise: with a context it costs a few bytes from the second time on
PLAIN, COMPRESSED, OFF = "plain", "deflate", "plain, or deflate without the peer"


class Case:
    def __init__(self, function, column, needs, giver):
        self.function = function
        self.column = column  # where it is tried; None: everywhere
        self.needs = needs  # abilities of the peer
        self.giver = giver  # "coho", "the peer" or None
        self.name = function.__name__.replace("_", " ") + (f" by {giver}" if giver else "")

    def missing(self, lacks):
        """Why the peer, which lacks these abilities, cannot do it, or None."""
        return next((lacks[need] for need in self.needs if need in lacks), None)

    def play(self, pair):
        if not self.giver:
            return self.function(pair)
        ends = (pair.coho, pair.peer) if self.giver == "coho" else (pair.peer, pair.coho)
        return self.function(pair, *ends)


CASES = []


def case(column=None, needs=()):
    def note(function):
        CASES.append(Case(function, column, needs, None))
        return function
    return note


def directed(needs=(), always=()):
    """needs: of a peer that gives; always: in both directions."""
    def note(function):
        CASES.append(Case(function, None, always, "coho"))
        CASES.append(Case(function, None, (*always, *needs), "the peer"))
        return function
    return note


class Pair:
    """Two ends, and where the one finds the other."""

    def __init__(self, client, server, url, coho_serves, lacks, path):
        self.client, self.server, self.url = client, server, url
        self.coho, self.peer = (server, client) if coho_serves else (client, server)
        self.lacks = lacks
        self.path = path  # how coho compresses when a case does not say
        self.agreed = {}  # path: what was offered and agreed on

    @property
    def both(self):
        return (self.client, self.server), (self.server, self.client)

    def can(self, ability, end):
        return end is self.coho or ability not in self.lacks

    def meet(self, path=None, through=None, protocols="-", chosen="-"):
        self.client.open((through.url if through else self.url) + (path or self.path), protocols)
        for end in (self.server, self.client):
            end.opens(chosen)

    def part(self):
        self.client.close(1000)
        self.server.closes({1000})
        self.client.closes({1000})

    @contextlib.contextmanager
    def tapped(self, path):
        """A connection whose bytes are kept."""
        with Tap(self.url) as tap:
            self.meet(path, tap)
            yield tap
            self.part()
            if tap.plain:
                talk = tap.talk()
                self.agreed[path] = (talk.offer(), talk.agreed())

    def see_pong(self, giver, data):
        if self.can("pong" if data else "empty pong", giver):
            giver.sees("pong", data)

    def costs(self, tap):
        """(sender, bytes on the wire) for each direction."""
        return zip((self.client, self.server), tap.sizes())


def same(got, wanted):
    if got != wanted:
        raise AssertionError(f"{got!r} is not {wanted!r}")


def between(what, least, value, most):
    if not least <= value <= most:
        raise AssertionError(f"{what}: {value} is not between {least} and {most}")


# ---- messages ------------------------------------------------------------------------------------------


@case(needs=("plain",))
def text(pair):
    """Text in both directions, ASCII and beyond, of 5 to 65536 bytes, at the edges of the length encodings."""
    pair.meet()
    for giver, taker in pair.both:
        for words in ("hello", "w\u00f6rld \u2603 \U0001f41f", "\t \x7f \0 \ufeff", "x" * 125, "y" * 126, "z" * 65536):
            giver.send("text", words)
            taker.sees("text", words)
    pair.part()


@case(needs=("binary", "plain"))
def binary(pair):
    """Binary messages in both directions, every byte value."""
    pair.meet()
    for giver, taker in pair.both:
        for data in (bytes(range(256)), b"\0", b"\xff" * 65535):
            giver.send("binary", data)
            taker.sees("binary", data)
    pair.part()


@case(needs=("plain",))
def empty_text(pair):
    """Empty text messages, alone and between others."""
    pair.meet()
    for giver, taker in pair.both:
        for words in ("", "between", "", ""):
            giver.send("text", words)
            taker.sees("text", words)
    pair.part()


@case(needs=("binary", "plain"))
def empty_binary(pair):
    """Empty binary messages, alone and between others."""
    pair.meet()
    for giver, taker in pair.both:
        for data in (b"", b"between", b""):
            giver.send("binary", data)
            taker.sees("binary", data)
    pair.part()


@case(needs=("plain",))
def a_megabyte(pair):
    """1 MiB of text, which compresses well, and of noise, in both directions."""
    pair.meet()
    noise = random.Random(1).randbytes(MEGABYTE)
    for giver, taker in pair.both:
        giver.send("text", "\u00e9" * (MEGABYTE // 2))
        taker.sees("text", "\u00e9" * (MEGABYTE // 2))
        if pair.can("binary", pair.peer):
            giver.send("binary", noise)
            taker.sees("binary", noise)
    pair.part()


@case(needs=("plain",))
def many_in_a_row(pair):
    """1000 messages in each direction at the same time."""
    pair.meet()
    for giver, _ in pair.both:
        for i in range(ROW):
            giver.send("text", f"message {i}")
    for _, taker in pair.both:
        for i in range(ROW):
            taker.sees("text", f"message {i}")
    pair.part()


@directed(always=("binary", "plain"), needs=("fragments",))
def fragments(pair, giver, taker):
    """Messages in 2, 3 and 100 fragments, with a ping in between."""
    pair.meet()
    giver.parts("text", "a b\u00e9", "tw", "een \u2603")
    taker.sees("text", "a b\u00e9tween \u2603")
    giver.parts("binary", b"\0\1", None, b"\2")
    taker.sees("binary", b"\0\1\2")
    parts = [f"part {i} " for i in range(100)]
    giver.parts("text", *parts)
    taker.sees("text", "".join(parts))
    giver.send("text", "whole")
    pair.see_pong(giver, b"between")
    taker.sees("text", "whole")
    pair.part()


@directed(always=("plain",), needs=("fragments", "empty fragments"))
def empty_fragments(pair, giver, taker):
    """Messages with empty first, middle and last fragments, and of nothing else."""
    pair.meet()
    giver.parts("text", "", "a be", "", "tween", "")
    taker.sees("text", "a between")
    giver.parts("text", "", "", "")
    taker.sees("text", "")
    giver.send("text", "whole")
    taker.sees("text", "whole")
    pair.part()


@case()
def too_large(pair):
    """A message of one byte more than coho takes: coho fails the connection with 1009."""
    pair.meet()
    pair.peer.send("binary" if pair.can("binary", pair.peer) else "text", b"x" * (MEGABYTE + 1))
    pair.coho.fails()
    pair.peer.closes({1009} if pair.can("unanswered", pair.peer) else {1009, 1006})


# ---- pings and Closes --------------------------------------------------------------------------------


@directed(always=("plain",), needs=("ping",))
def ping(pair, giver, taker):
    """Pings with 0 to 125 bytes; each gets its pong."""
    pair.meet()
    for data in (b"are you there", b"", bytes(range(125))):
        giver.ping(data)
        if taker is pair.coho:
            taker.sees("ping", data)
        pair.see_pong(giver, data)
    giver.send("text", "after")
    taker.sees("text", "after")
    pair.part()


@directed(needs=("close",))
def close(pair, giver, taker):
    """A Close with 4002 and a reason beyond ASCII; code and reason arrive, and the answer."""
    pair.meet()
    giver.close(4002, "enough \u2603")
    taker.closes({4002}, "enough \u2603")
    giver.closes({4002} if pair.can("echo", taker) else {1000})


@directed(needs=("no code",))
def close_without_code(pair, giver, taker):
    """A Close without payload; the other end is told 1005."""
    pair.meet()
    giver.close(0)
    taker.closes({1005}, "")
    giver.closes({1005} if pair.can("echo", taker) else {1000})


@case(needs=("subprotocol",))
def subprotocol(pair):
    """Of two that the client offers, the server chooses the one it knows."""
    pair.meet(protocols="mqtt,superchat", chosen="superchat")
    pair.part()


# ---- compression ---------------------------------------------------------------------------------------


def exchange(pair, words, times=1):
    for giver, taker in pair.both:
        for _ in range(times):
            giver.send("text", words)
            taker.sees("text", words)
            if pair.can("plain", pair.peer):
                giver.send("text", "small")
                taker.sees("text", "small")


@case(OFF)
def no_compression(pair):
    """Without permessage-deflate: nothing is agreed on, no frame has RSV1, all bytes are on the wire."""
    with pair.tapped(pair.path) as tap:
        exchange(pair, LARGE)
    for _, size in pair.costs(tap):
        between("bytes", len(LARGE), size, len(LARGE) + 20000)
    if tap.plain:
        same(tap.talk().agreed(), "")
        same([frame for frame in tap.talk().up + tap.talk().down if frame[1]], [])


@case(COMPRESSED, needs=("deflate",))
def compressed(pair):
    """A long message takes less than a quarter of its bytes on the wire, and over ws its frame has RSV1; short ones
    come uncompressed in between."""
    with pair.tapped("/shared") as tap:
        exchange(pair, LARGE)
    for sender, size in pair.costs(tap):
        if pair.can("compress", sender):
            between("bytes", 500, size, len(LARGE) // 4)
        else:
            between("bytes", len(LARGE), size, len(LARGE) + 20000)
    if tap.plain:
        talk = tap.talk()
        same(talk.agreed().partition(";")[0], "permessage-deflate")
        for sender, frames in ((pair.client, talk.up), (pair.server, talk.down)):
            same(any(rsv1 for _, rsv1, _ in frames), pair.can("compress", sender))


@case(COMPRESSED, needs=("deflate",))
def without_context(pair):
    """The same noise again and again takes its bytes each time: no context is kept."""
    with pair.tapped("/shared") as tap:
        exchange(pair, NOISE, REPEATS)
    for _, size in pair.costs(tap):
        between("bytes", REPEATS * len(NOISE) // 2, size, REPEATS * len(NOISE) + 20000)


@case(COMPRESSED, needs=("deflate",))
def with_context(pair):
    """The same noise again and again takes few bytes from the second time on."""
    with pair.tapped("/own") as tap:
        exchange(pair, NOISE, REPEATS)
    for sender, size in pair.costs(tap):
        if pair.can("compress", sender):
            between("bytes", len(NOISE) // 2, size, REPEATS * len(NOISE) // 4)
        else:
            between("bytes", REPEATS * len(NOISE) // 2, size, REPEATS * len(NOISE) + 20000)


@case(COMPRESSED, needs=("deflate", "window"))
def smallest_window(pair):
    """coho asks for windows of 9 bits in both directions; over ws the answer is looked at."""
    with pair.tapped("/small") as tap:
        exchange(pair, LARGE)
        exchange(pair, NOISE, 2)
    if tap.plain and "permessage-deflate" in tap.talk().agreed():
        same("server_max_window_bits=9" in tap.talk().agreed(), True)
