"""`coho connect` at servers of others, and their clients at `coho serve`, over ws and wss."""
import contextlib
import os
import signal
import subprocess
import sys
import tempfile
from urllib.parse import urlsplit

from cases import MEGABYTE, between, same
from peers import COHO, ROOT
from process import PATIENCE, Process, run
from tap import Tap, field

PEERS = ("ws", "python3-websockets")


def connect(*words, given=b""):
    """To the end: output, what it said, exit status."""
    return run(COHO, "connect", *words, given=given)


def contains(text, words):
    if words not in text:
        raise AssertionError(f"{words!r} is not in {text!r}")


@contextlib.contextmanager
def serving(*options, scheme="ws"):
    """`coho serve`; yields its URL without a slash at the end. It has to end well."""
    server = Process(COHO, "serve", "--listen", f"{scheme}://127.0.0.1:0", *options)
    try:
        word, _, url = (server.line() or "").partition(" ")
        if word != "listening":
            raise AssertionError(f"{server} does not listen{server.complaint()}")
        yield url.rstrip("/")
    finally:
        status = server.stop()
    if status not in (0, -signal.SIGTERM):
        raise AssertionError(f"{server} ended with {status}{server.complaint()}")


class Visit:
    """coho connect, and the server at which it is."""

    def __init__(self, there, url, trust):
        self.there, self.url, self.trust = there, url, trust
        self.here = None

    def begin(self, *words, chosen="-"):
        self.here = Process(COHO, "connect", *self.trust, "--linger", "0", self.url, *words)
        self.there.opens(chosen)

    @contextlib.contextmanager
    def tapped(self):
        """What begins meanwhile goes through the tap."""
        url = self.url
        with Tap(url) as tap:
            self.url = tap.url
            yield tap
        self.url = url

    def end(self, status, code, reason=""):
        """coho ends by itself, or at the end of its input; what it said."""
        same(self.here.hang_up(), status)
        self.there.closes({code}, reason)
        return self.here.error_text()


# ---- coho connect --------------------------------------------------------------------------------------


def text(visit):
    visit.begin()
    for words in ("hello", "", "wörld ☃ 🐟", "é" * (MEGABYTE // 2)):
        visit.here.say(words)
        visit.there.sees("text", words)
        visit.there.send("text", words)
        same(visit.here.line(), words)
    visit.end(0, 1000)


def hexadecimal(visit):
    visit.begin("--hex")
    visit.here.say("00 ff 0a")
    visit.there.sees("binary", b"\x00\xff\x0a")
    visit.there.send("binary", b"\n\x00\xff")
    same(visit.here.line(), "0a00ff")
    visit.end(0, 1000)


def binary(visit):
    visit.begin("--binary")
    visit.here.say("wörld")
    visit.there.sees("binary", "wörld")
    visit.there.send("binary", b"all of this\n")
    same(visit.here.line(), "all of this")
    visit.end(0, 1000)


def fragments(visit):
    visit.begin("--hex")
    visit.there.parts("text", "a b\u00e9", "tw", "een")
    visit.there.parts("binary", b"\0\1", None, b"\2")
    same((visit.here.line(), visit.here.line()), ("a b\u00e9tween", "000102"))
    visit.there.sees("pong", b"between")
    visit.end(0, 1000)


def ping_by_the_peer(visit):
    visit.begin("-v")
    visit.there.ping(b"are you there")
    visit.there.sees("pong", b"are you there")
    contains(visit.end(0, 1000), "ping 'are you there' from the peer")


def ping_by_coho(visit):
    visit.begin("--ping", "0.05")
    while "pong '1' after " not in visit.here.error_text():
        visit.there.send("text", "go on")
        same(visit.here.line(), "go on")
    visit.end(0, 1000)


def close_by_the_peer(visit):
    visit.begin()
    visit.there.close(4001, "bye \u2603")
    same(visit.here.line(), None)
    contains(visit.end(1, 4001, "bye \u2603"), "closed by the peer with 4001 (private use), reason: bye \u2603")


def close_by_coho(visit):
    steps = "see >\ntype hello\nsee hello\ntype /close 4002 enough \u2603\nend\n"
    with tempfile.TemporaryDirectory() as folder:
        person = (sys.executable, ROOT / "tests/cli/terminal.py")
        done = subprocess.run([*person, COHO, "connect", *visit.trust, visit.url],
                              input=steps.encode(), capture_output=True, timeout=PATIENCE, check=False,
                              env=os.environ | {"XDG_STATE_HOME": folder, "TERM": "xterm"})
    same((done.returncode, done.stderr.decode()), (0, ""))
    visit.there.opens()
    visit.there.sees("text", "hello")
    visit.there.closes({4002}, "enough \u2603")


def subprotocol(visit):
    visit.begin("--protocol", "mqtt,superchat", chosen="superchat")
    contains(visit.end(0, 1000), "subprotocol superchat\n")
    visit.begin("--protocol", "superchat", "--protocol", "x", chosen="superchat")
    contains(visit.end(0, 1000), "subprotocol superchat\n")


def compression(visit):
    words = "upstream " * 2000
    for mode, most in (("off", 2 * len(words)), ("shared", len(words) // 4), ("own", len(words) // 4)):
        with visit.tapped() as tap:
            visit.begin("--deflate", mode)
            visit.here.say(words)
            visit.there.sees("text", words)
            visit.there.send("text", words)
            same(visit.here.line(), words)
            visit.end(0, 1000)
            for size in tap.sizes():
                between(f"bytes with {mode}", most // 2 if mode == "off" else 100, size, most)


def fields(visit):
    """Of the request; over ws, where they are seen."""
    with visit.tapped() as tap:
        visit.begin("-H", "X-Test: a, b", "--origin", "https://example.org")
        visit.end(0, 1000)
        if tap.plain:
            request = tap.talk().request
            same((field(request, "X-Test"), field(request, "Origin")), ("a, b", "https://example.org"))


VISITS = (text, hexadecimal, binary, fragments, ping_by_the_peer, ping_by_coho, close_by_the_peer, close_by_coho,
          subprotocol, compression, fields)


def visits(peer, scheme, folder):
    """(name, function) of each test"""
    trust = ("--cacert", folder / "ca.pem") if scheme == "wss" else ()
    for test in VISITS:
        yield test.__name__.replace("_", " "), lambda t=test: visit_once(peer, scheme, folder, trust, t)


def visit_once(peer, scheme, folder, trust, test):
    with peer.start("server", folder if scheme == "wss" else None) as there:
        url = f"{scheme}://localhost:{urlsplit(there.listening()).port}"
        test(Visit(there, url, trust))


# ---- coho serve ----------------------------------------------------------------------------------------


def echoes(client, url):
    client.open(f"{url}/echo")
    client.opens()
    for kind, data in (("text", "w\u00f6rld \u2603"), ("text", ""), ("binary", bytes(range(256))),
                       ("text", "\u00e9" * (MEGABYTE // 2)), ("binary", b"salmon" * 100000)):
        client.send(kind, data)
        client.sees(kind, data)
    client.parts("text", "a b\u00e9", None, "tween")
    client.sees("pong", b"between")
    client.sees("text", "a b\u00e9tween")
    client.close(1000)
    client.closes({1000})


def refuses_what_is_too_large(client, url):
    client.open(f"{url}/echo")
    client.opens()
    client.send("binary", bytes(MEGABYTE + 1))
    client.closes({1009})


def refuses_another_path(client, url):
    client.open(f"{url}/nowhere")
    client.fails()


CALLS = (echoes, refuses_what_is_too_large, refuses_another_path)


def calls(peer, scheme, folder):
    tls = ("--tls", f"{folder}/cert.pem,{folder}/key.pem") if scheme == "wss" else ()
    for test in CALLS:
        yield test.__name__.replace("_", " "), lambda t=test: call_once(peer, scheme, folder, tls, t)


def call_once(peer, scheme, folder, tls, test):
    with serving(*tls, scheme=scheme) as url:
        with peer.start("client", folder if tls else None) as client:
            test(client, url.replace("127.0.0.1", "localhost") if tls else url)
