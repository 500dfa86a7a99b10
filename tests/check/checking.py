"""checking.py: runs of coho check, and what they found."""
import json
import os
import pathlib
import shlex
import subprocess
import sys
import tempfile
from contextlib import contextmanager

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(ROOT / "tests/interop"))

from process import ENVIRONMENT, Process  # noqa: E402

from expected import NOTED, chosen  # noqa: E402

COHO = pathlib.Path(os.environ.get("COHO", ROOT / "build/release/coho")).resolve()
PYTHON = "/usr/bin/python3"  # where Debian's python3-websockets is
PATIENCE = 180  # seconds for one run


class Results:
    """The document of --json."""

    def __init__(self, text):
        self.document = json.loads(text)
        self.cases = self.document["cases"]
        self.names = {case["id"] for case in self.cases}

    def those(self, *verdicts):
        return {case["id"] for case in self.cases if case["verdict"] in verdicts}

    def compare(self, failed, noted=None):
        """Fails unless exactly these failed and, unless it is None, these did not pass though no rule demands it."""
        problems = self.differences("failed", self.those("failed"), failed)
        if noted is not None:
            problems += self.differences("was noted", self.those("informational", "unimplemented"), f"{NOTED} {noted}")
        if problems:
            raise AssertionError("\n     ".join(problems))

    def differences(self, what, got, patterns):
        wanted = chosen(self.names, patterns)
        reasons = {case["id"]: f"{case['verdict']}: {case['reason']}" for case in self.cases}
        always = chosen(self.names, NOTED)
        lines = [f"{name} {what}, unexpectedly ({reasons[name]})" for name in sorted(got - wanted)]
        return lines + [f"{name} did not: {reasons[name]}" for name in sorted(wanted - got - always)]


def filters(cases):
    return [word for case in cases.split() for word in ("--filter", case)]


def check(*words):
    """Runs it to the end: output, what it said, exit status."""
    done = subprocess.run([COHO, "check", *map(str, words)], capture_output=True, timeout=PATIENCE, env=ENVIRONMENT,
                          text=True, encoding="utf-8", check=False)
    return done.stdout, done.stderr, done.returncode


def results(*words, status=None):
    """Of a run with --json; a word about the exit status, which has to fit."""
    out, said, got = check("--json", *words)
    found = Results(out) if out else None
    wanted = status if status is not None else int(bool(found and found.those("failed")))
    if got != wanted or not found:
        raise AssertionError(f"it ended with {got}: {said[-500:]}")
    return found


@contextmanager
def server(*command):
    """A program that prints `listening URL`; its URL."""
    process = Process(*command)
    try:
        word, _, url = (process.line() or "").partition(" ")
        if word != "listening":
            raise AssertionError(f"{process} does not listen{process.complaint()}")
        yield url
    finally:
        process.stop()


class Listener:
    """coho check --client, which waits for its client."""

    def __init__(self, *words):
        self.out = tempfile.TemporaryFile()
        self.child = subprocess.Popen([COHO, "check", "--client", "--json", *map(str, words)], stdout=self.out,
                                      stderr=subprocess.PIPE, env=ENVIRONMENT, text=True, encoding="utf-8")
        self.url = self.child.stderr.readline().partition(" ")[2].strip()

    def results(self):
        """When it is through; the exit status has to fit."""
        try:
            said = self.child.communicate(timeout=PATIENCE)[1]
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.wait()
            raise AssertionError("coho check --client does not end") from None
        self.out.seek(0)
        found = Results(self.out.read())
        if said or self.child.returncode != int(bool(found.those("failed"))):
            raise AssertionError(f"it ended with {self.child.returncode}: {said[-500:]}")
        return found

    def end(self):
        if self.child.poll() is None:
            self.child.kill()
            self.child.wait()
        self.child.stderr.close()
        self.out.close()


def driven(client, cases, *words):
    """What is found about a client that goes through the cases by itself, and what it printed."""
    listener = Listener(*filters(cases), *words)
    try:
        done = subprocess.run([*map(str, client), "--driver", listener.url], capture_output=True, timeout=PATIENCE,
                              env=ENVIRONMENT, text=True, check=False)
        if done.returncode:
            raise AssertionError(f"the client ended with {done.returncode}: {done.stderr[-500:]}")
        return listener.results(), done.stdout.splitlines()
    finally:
        listener.end()


def build_client(folder):
    """client.c, with the library beside the program under test and what that was linked with."""
    words = subprocess.run(["pkg-config", "--static", "--libs", "coho"], check=True, capture_output=True, text=True,
                           env=os.environ | {"PKG_CONFIG_PATH": str(COHO.parent)}, timeout=60).stdout
    others = [word for word in shlex.split(words) if not word.startswith("-L") and word != "-lcoho"]
    sanitize = ["-fsanitize=address,undefined"] if b"__asan_init" in COHO.read_bytes() else []
    program = pathlib.Path(folder) / "client"
    subprocess.run([os.environ.get("CC", "cc"), "-std=c11", "-D_POSIX_C_SOURCE=200809L", *sanitize, "-I",
                    ROOT / "include", "-o", program, HERE / "client.c", COHO.with_name("libcoho.a"), *others],
                   check=True, timeout=300)
    return program
