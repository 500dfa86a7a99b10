"""The rows and columns of docs/interop.md, and how a cell is played."""
import contextlib
import typing
from urllib.parse import urlsplit

import cases
import proxies

ENOUGH = 3  # failures of a cell, each of which may have waited long
FAILURES = (AssertionError, OSError, ValueError, KeyError, TypeError, IndexError)


class Column(typing.NamedTuple):
    scheme: str
    deflate: bool  # whether coho offers or accepts it where a case does not say

    @property
    def name(self):
        return f"{self.scheme}, deflate" if self.deflate else self.scheme


COLUMNS = [Column("ws", False), Column("ws", True), Column("wss", False), Column("wss", True)]


class Row:
    """coho and a peer, in the peer's role. With a proxy between them the peer may be coho as well."""

    def __init__(self, peer, role, proxy="", inside=True):
        self.peer, self.role, self.proxy = peer, role, proxy
        self.inside = inside  # in wss: TLS behind the proxy too
        self.name = f"{peer.name} as {role}" + (f" through {proxy}" if proxy else "")

    def cases(self, column):
        """(case, why it cannot be tried or None)"""
        lacks = self.peer.lacks(self.role, column)
        for one in cases.CASES:
            if one.column == cases.COMPRESSED and not column.deflate:
                continue
            if one.column == cases.OFF and column.deflate and "deflate" not in lacks:
                continue
            yield one, one.missing(lacks)

    @contextlib.contextmanager
    def connected(self, coho, folder, column):
        """A Pair with fresh processes."""
        secure = column.scheme == "wss"
        inside = secure and self.inside
        server, client = (coho, self.peer) if self.role == "client" else (self.peer, coho)
        with contextlib.ExitStack() as stack:
            serving = stack.enter_context(server.start("server", folder if inside else None))
            target = urlsplit(serving.listening()).netloc
            if self.proxy:
                port = stack.enter_context(proxies.standing(self.proxy, folder, target, secure, inside))
                target = f"127.0.0.1:{port}"
            # By name, so that the name is asked for and verified.
            url = f"wss://{target.replace('127.0.0.1', 'localhost')}" if secure else f"ws://{target}"
            asking = stack.enter_context(client.start("client", folder if secure else None))
            yield cases.Pair(asking, serving, url, self.role == "client", self.peer.lacks(self.role, column),
                             "/shared" if column.deflate else "/off")


def rows(everyone):
    for name, peer in everyone.items():
        if name != "coho":
            for role in peer.roles:
                yield Row(peer, role)
    for proxy in proxies.NAMES:
        yield Row(everyone["ws"], "client", proxy)
        yield Row(everyone["coho"], "client", proxy, inside=False)


class Cell:
    """A row in one column, and what came out."""

    def __init__(self, row, column):
        self.row, self.column = row, column
        self.name = f"{row.name}, {column.name}"
        self.passed = []
        self.failed = {}  # case: why
        self.cannot = {}  # case: why
        self.agreed = {}  # path: what was offered and agreed on
        self.version = ""  # of the peer

    def play(self, coho, folder, words=()):
        """words: only the cases in whose name, with that of the cell, all of them are."""
        waiting = []
        for one, why in self.row.cases(self.column):
            if not all(word in f"{self.name}: {one.name}" for word in words):
                continue
            if why:
                self.cannot[one.name] = why
            else:
                waiting.append(one)
        while waiting:
            try:
                with self.row.connected(coho, folder, self.column) as pair:
                    self._play_some(pair, waiting)
            except FAILURES as error:
                self._fail(waiting, error)
        return self

    def _fail(self, waiting, error):
        name = waiting.pop(0).name if waiting else "the end"
        self.failed[name] = f"{type(error).__name__}: {error}"
        if len(self.failed) == ENOUGH and waiting:
            self.failed[f"{len(waiting)} more"] = f"not tried after {ENOUGH} failures"
            waiting.clear()

    def _play_some(self, pair, waiting):
        """Until one fails, which needs new processes."""
        self.version = pair.peer.version
        pair.agreed = self.agreed
        while waiting:
            waiting[0].play(pair)
            self.passed.append(waiting.pop(0).name)
