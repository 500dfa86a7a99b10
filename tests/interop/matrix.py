"""The rows and columns of docs/interop.md, and how a row is run."""
import contextlib
from urllib.parse import urlsplit

import cases
import peers
import proxies

COLUMNS = [("ws", False), ("ws", True), ("wss", False), ("wss", True)]  # scheme, coho compresses
ENOUGH = 3  # failures of a cell, each of which may have waited long
FAILURES = (AssertionError, OSError, ValueError, KeyError, TypeError, IndexError)


def column_name(column):
    return f"{column[0]}, deflate" if column[1] else column[0]


class Row:
    """coho and a peer. role: the peer's. Behind or in front of a proxy the peer may be coho as well."""

    def __init__(self, peer, role, proxy=None, inside=True):
        self.peer, self.role, self.proxy = peer, role, proxy
        self.inside = inside  # in wss: TLS behind the proxy too
        self.name = f"{proxy}, {peer.name} as {role}" if proxy else f"{peer.name} as {role}"

    def cases(self, column):
        """(case, why it cannot be tried or None)"""
        for one in cases.CASES:
            lacks = self.peer.lacks(self.role, column[1])
            if one.column == cases.COMPRESSED and not column[1]:
                continue
            if one.column == cases.OFF and column[1] and "deflate" not in lacks:
                continue
            yield one, one.missing(lacks)


@contextlib.contextmanager
def connected(row, everyone, folder, column):
    """A Pair with fresh processes."""
    coho = everyone["coho"]
    secure = column[0] == "wss"
    inside = secure and row.inside
    server, client = (coho, row.peer) if row.role == "client" else (row.peer, coho)
    with contextlib.ExitStack() as stack:
        serving = stack.enter_context(server.start("server", folder if inside else None))
        target = urlsplit(serving.listening()).netloc
        if row.proxy:
            port = stack.enter_context(proxies.standing(row.proxy, folder, target, secure, inside))
            target = f"127.0.0.1:{port}"
        # By name, so that the name is asked for and verified.
        url = f"wss://{target.replace('127.0.0.1', 'localhost')}" if secure else f"ws://{target}"
        asking = stack.enter_context(client.start("client", folder if secure else None))
        lacks = row.peer.lacks(row.role, column[1])
        yield cases.Pair(asking, serving, url, row.role == "client", lacks, "/shared" if column[1] else "/off")


class Cell:
    """What came out."""

    def __init__(self):
        self.passed = []
        self.failed = {}  # case: why
        self.cannot = {}  # case: why
        self.agreed = {}
        self.version = ""

    def play(self, row, column, everyone, folder, words=()):
        waiting = []
        for one, why in row.cases(column):
            if words and not all(word in f"{row.name}: {column_name(column)}: {one.name}" for word in words):
                continue
            if why:
                self.cannot[one.name] = why
            else:
                waiting.append(one)
        while waiting:
            try:
                with connected(row, everyone, folder, column) as pair:
                    self._play_some(pair, waiting)
            except FAILURES as error:
                self._fail(waiting, error)
        return self

    def _fail(self, waiting, error):
        name = waiting.pop(0).name if waiting else "the end"
        self.failed[name] = f"{type(error).__name__}: {error}"
        if len(self.failed) == ENOUGH:
            self.failed |= {one.name: f"not tried after {ENOUGH} failures" for one in waiting}
            waiting.clear()

    def _play_some(self, pair, waiting):
        """Until one fails, which needs new processes."""
        self.version = pair.peer.version
        pair.agreed = self.agreed
        while waiting:
            waiting[0].play(pair)
            self.passed.append(waiting.pop(0).name)


def rows(everyone):
    for name, peer in everyone.items():
        if name != "coho":
            for role in peer.roles:
                yield Row(peer, role)
    for proxy in ("nginx", "haproxy"):
        yield Row(everyone["ws"], "client", proxy)
        yield Row(everyone["coho"], "client", proxy, inside=False)
