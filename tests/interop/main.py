"""Plays the matrix, the tests of the program and those of its endpoints, two at a time."""
import concurrent.futures
import pathlib
import subprocess
import sys
import tempfile

import certificates
import endpoints
import matrix
import page
import peers
import process
import program

AT_ONCE = 2
ENOUGH = 12  # failures, each of which may have waited long
FAILURES = (*matrix.FAILURES, subprocess.SubprocessError)


class Group:
    """Tests that run one after the other: a cell of the matrix, or named functions."""

    def __init__(self, name, tests=None, cell=None):
        self.name, self.tests, self.cell = name, tests, cell
        self.passed = 0
        self.failed = []  # (test, why)

    def play(self, coho, folder, words):
        if self.cell:
            self.cell.play(coho, folder, words)
            self.passed = len(self.cell.passed)
            self.failed = list(self.cell.failed.items())
            return self
        for name, test in self.tests:
            if all(word in f"{self.name}: {name}" for word in words):
                self._try(name, test)
        return self

    def _try(self, name, test):
        try:
            test()
        except FAILURES as error:
            self.failed.append((name, f"{type(error).__name__}: {error}"))
        else:
            self.passed += 1

    def tell(self):
        if self.passed:
            print(f"ok   {self.name}: {self.passed}", flush=True)
        for name, why in self.failed:
            print(f"FAIL {self.name}: {name}\n     {why}", flush=True)


def groups(everyone, folder):
    for row in matrix.rows(everyone):
        for column in matrix.COLUMNS:
            cell = matrix.Cell(row, column)
            yield Group(cell.name, cell=cell)
    for name in program.PEERS:
        for scheme in ("ws", "wss"):
            yield Group(f"coho connect at {name}, {scheme}", list(program.visits(everyone[name], scheme, folder)))
            yield Group(f"{name} at coho serve, {scheme}", list(program.calls(everyone[name], scheme, folder)))
    yield Group("endpoints", [(test.__name__.replace("_", " "), test) for test in endpoints.TESTS])


def play_all(some, coho, folder, words):
    """Tells of each in the order of the list. The slow ones begin first."""
    executor = concurrent.futures.ThreadPoolExecutor(AT_ONCE)
    try:
        slow_first = sorted(some, key=lambda group: "chromium" not in group.name)
        playing = {group: executor.submit(group.play, coho, folder, words) for group in slow_first}
        failed = 0
        for group in some:
            if failed >= ENOUGH and playing[group].cancel():
                group.failed = [("all", f"not tried after {failed} failures")]
            else:
                playing[group].result()
            group.tell()
            failed += len(group.failed)
    finally:
        executor.shutdown(wait=False, cancel_futures=True)
        process.end_all()
        executor.shutdown()


def main():
    write = sys.argv[1:] == ["--write"]
    words = [] if write else sys.argv[1:]
    process.end_on_signals()
    with tempfile.TemporaryDirectory(prefix="coho-interop-", ignore_cleanup_errors=True) as name:
        folder = pathlib.Path(name)
        tempfile.tempdir = process.ENVIRONMENT["TMPDIR"] = name  # what is ended in the middle leaves nothing
        certificates.make(folder)
        everyone = peers.all_peers(folder)
        some = list(groups(everyone, folder))
        play_all(some, everyone["coho"], folder, words)
    passed = sum(group.passed for group in some)
    failed = sum(len(group.failed) for group in some)
    if not words and not failed:
        failed += not page.judge([group.cell for group in some if group.cell], write)
    print(f"{passed} passed, {failed} failed")
    sys.exit(1 if failed or not passed else 0)


main()
