"""coho as a client of others, others as clients of coho, and the endpoints behind the pages."""
import functools
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import urllib.request

from process import Process, run, serving

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
COHO = str(pathlib.Path(os.environ.get("COHO", ROOT / "build/release/coho")).resolve())
PYTHON = "/usr/bin/python3"  # where Debian's python3-websockets is
SERVERS = {"ws": ("node", str(HERE / "ws_server.js")), "websockets": (PYTHON, str(HERE / "websockets_server.py"))}
CLIENTS = {"ws": ("node", str(HERE / "ws_client.js")), "websockets": (PYTHON, str(HERE / "websockets_client.py"))}


def connect(*words, given=b""):
    return run(COHO, "connect", *words, given=given)


def same(got, wanted):
    if got != wanted:
        raise AssertionError(f"{str(got)[:300]!r} is not {str(wanted)[:300]!r}")


def contains(text, words):
    if words not in text:
        raise AssertionError(f"{words!r} is not in {text!r}")


# ---- coho connect against a server of others: tests get the server's URL and process --------------


def text(url, server):
    given = "hello\n\nwörld ☃ 🐟\n".encode()
    out, said, status = connect(f"{url}/echo", given=given)
    same((out, status), (given, 0))
    same(server.line(), "closed 1000")


def binary(url, _):
    same(connect(f"{url}/echo", "--hex", "-x", "00 ff 0a", "-x", "")[::2], (b"00ff0a\n\n", 0))


def megabyte(url, _):
    line = "é".encode() * (1 << 19) + b"\n"
    same(connect(f"{url}/echo", given=line)[::2], (line, 0))
    data = (bytes(range(256)).replace(b"\n", b"") * 5000)[:1 << 20]
    same(connect(f"{url}/echo", "--binary", given=data)[::2], (data, 0))


def fragments(url, _):
    same(connect(f"{url}/fragments", "--hex")[::2], ("a bétween\n000102\n".encode(), 0))


def ping_by_the_server(url, _):
    out, said, status = connect(f"{url}/ping", "-v")
    same((out, status), (b"pong from ws\n", 0))
    contains(said, "ping 'from ws' from the peer")


def ping_by_coho(url, _):
    out, said, status = connect(f"{url}/echo", "-x", "hi", "--ping", "0.05")
    same((out, status), (b"hi\n", 0))
    contains(said, "pong '1' after ")


def close_by_the_server(url, server):
    out, said, status = connect(f"{url}/close")
    same(status, 1)
    contains(said, "closed by the peer with 4001 (private use), reason: bye ☃")
    same(server.line(), "closed 4001 bye ☃")


def close_by_coho(url, server):
    terminal = (sys.executable, str(ROOT / "tests/cli/terminal.py"), COHO, "connect", f"{url}/echo")
    steps = "see >\ntype hello\nsee < hello\ntype /close 4002 enough ☃\nend\n"
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(terminal, input=steps.encode(), capture_output=True, timeout=60,
                              env=os.environ | {"XDG_STATE_HOME": folder, "TERM": "xterm"})
    same((done.returncode, done.stderr.decode()), (0, ""))
    same(server.line(), "closed 4002 enough ☃")


def subprotocol(url, _):
    contains(connect(f"{url}/close", "--protocol", "mqtt,superchat")[1], "subprotocol superchat\n")
    contains(connect(f"{url}/close", "--protocol", "superchat", "--protocol", "x")[1], "subprotocol superchat\n")


def headers(url, _):
    same(connect(f"{url}/head", "-H", "X-Test: a, b", "--origin", "https://example.org")[0],
         b"a, b https://example.org\n")


AGAINST_SERVERS = (text, binary, megabyte, fragments, ping_by_the_server, ping_by_coho, close_by_the_server,
                   close_by_coho, subprotocol, headers)


def against_server(name, test):
    with serving(*SERVERS[name]) as (url, server):
        test(url, server)


# ---- clients of others against coho: each program runs through all of its tests -------------------


def build_helper(folder):
    """server.c, built with the library beside the program under test."""
    library = pathlib.Path(COHO).with_name("libcoho.a")
    sanitize = ["-fsanitize=address,undefined"] if b"__asan_init" in pathlib.Path(COHO).read_bytes() else []
    program = str(pathlib.Path(folder) / "server")
    subprocess.run([os.environ.get("CC", "cc"), *sanitize, "-I", str(ROOT / "include"), "-o", program,
                    str(HERE / "server.c"), str(library), "-pthread"], check=True)
    return program


def client_results(name):
    """(test, why it failed or None) of each test of the client."""
    with tempfile.TemporaryDirectory() as folder, \
            serving(build_helper(folder)) as (helper, process), \
            serving(COHO, "serve", "--demo", "--listen", "ws://127.0.0.1:0") as (url, _):
        out = subprocess.run([*CLIENTS[name], f"{url}/echo", f"{helper}/"], stdout=subprocess.PIPE, timeout=180,
                             text=True, encoding="utf-8").stdout
        process.stop()
        endings = list(iter(process.line, None))
    for line in out.splitlines():
        word, _, rest = line.partition("ok ")
        test, _, why = rest.partition(": ")
        yield test, why or "failed" if word else None
    yield "reason seen by coho", None if "closed 4002 enough ☃" in endings else f"it saw {endings}"


# ---- the endpoints behind the pages ----------------------------------------------------------------


def endpoints():
    return serving(COHO, "serve", "--demo", "--listen", "ws://127.0.0.1:0")


def heard(client):
    return json.loads(client.line())


def chat():
    with endpoints() as (url, _):
        ann = Process(COHO, "connect", "-q", f"{url}/chat?room=tea%20room&name=Ann")
        welcome = heard(ann)
        same(welcome, {"type": "welcome", "room": "tea room", "name": "Ann", "members": ["Ann"]})
        bob = Process(COHO, "connect", "-q", f"{url}/chat?room=tea%20room&name=Ann")
        same(heard(bob), {"type": "welcome", "room": "tea room", "name": "Ann-2", "members": ["Ann", "Ann-2"]})
        same(heard(ann), {"type": "join", "name": "Ann-2", "members": 2})
        bob.say('mörgen "all"')
        for person in (ann, bob):
            message = heard(person)
            same(message.pop("time") > 1_600_000_000_000, True)
            same(message, {"type": "message", "name": "Ann-2", "text": 'mörgen "all"'})
        same(bob.hang_up(), 0)
        same(heard(ann), {"type": "leave", "name": "Ann-2", "members": 1})
        same(ann.hang_up(), 0)


def chat_defaults_and_refusals():
    with endpoints() as (url, _):
        guest = Process(COHO, "connect", "-q", f"{url}/chat")
        welcome = heard(guest)
        same((welcome["room"], welcome["name"]), ("lobby", "guest-1"))
        guest.hang_up()
        contains(connect(f"{url}/chat?name={'x' * 65}")[1], "answered 400")
        _, said, status = connect(f"{url}/chat", "--hex", "-x", "00")
        same(status, 1)
        contains(said, "closed by the peer with 1003")


def stocks():
    with endpoints() as (url, _):
        client = Process(COHO, "connect", "-q", f"{url}/stocks?symbols=COHO,NONE")
        symbols = heard(client)
        same((symbols["type"], len(symbols["symbols"])), ("symbols", 12))
        same(sorted(symbols["symbols"][0]), ["name", "open", "price", "symbol"])
        same(heard(client), {"type": "subscribed", "symbols": ["COHO"]})
        price = heard(client)
        same((sorted(price), price["type"], price["symbol"]), (["price", "symbol", "time", "type"], "price", "COHO"))
        client.say('{"subscribe":["KETA","NONE"],"unsubscribe":["COHO"]}')
        answers = [heard(client)]
        while answers[-1]["type"] != "subscribed":
            answers.append(heard(client))
        same([a for a in answers if a["type"] == "error"], [{"type": "error", "error": "unknown symbol: NONE"}])
        same(answers[-1], {"type": "subscribed", "symbols": ["KETA"]})
        client.say("what?")
        while (answer := heard(client))["type"] == "price":
            same(answer["symbol"], "KETA")
        same(answer["type"], "error")
        same(client.stop(), 0)


def stats():
    with endpoints() as (url, _):
        client = Process(COHO, "connect", "-q", f"{url}/stats")
        history, sample = heard(client), heard(client)
        same((history["type"], history["interval_ms"]), ("history", 1000))
        same(sample["type"], "sample")
        same(sorted(sample), sorted(["type", "time", "uptime_s", "connections", "messages_in", "messages_out",
                                     "bytes_in", "bytes_out", "rss_bytes", "cpu_percent", "loop_lag_ms"]))
        same(sample["connections"], 1)
        same(client.stop(), 0)


def healthz():
    with endpoints() as (url, _):
        with urllib.request.urlopen(url.replace("ws://", "http://") + "/healthz", timeout=20) as answer:
            same((answer.status, answer.read()), (200, b"ok\n"))


ENDPOINTS = (chat, chat_defaults_and_refusals, stocks, stats, healthz)

# ---- running them ----------------------------------------------------------------------------------


def outcome(test):
    try:
        test()
    except (AssertionError, subprocess.SubprocessError, OSError, ValueError, KeyError, TypeError) as error:
        return f"{type(error).__name__}: {error}"
    return None


def results():
    """(name, a function that gives (test, why it failed or None) rows)."""
    for server in SERVERS:
        for test in AGAINST_SERVERS:
            name = f"{test.__name__.replace('_', ' ')}, to a server made with {server}"
            yield name, lambda s=server, t=test, n=name: [(n, outcome(functools.partial(against_server, s, t)))]
    for client in CLIENTS:
        suffix = f"by a client made with {client}"
        yield suffix, lambda c=client, s=suffix: [(f"{test}, {s}", why) for test, why in client_results(c)]
    for test in ENDPOINTS:
        name = f"endpoints: {test.__name__.replace('_', ' ')}"
        yield name, lambda t=test, n=name: [(n, outcome(t))]


def main():
    words = sys.argv[1:]
    passed = failed = 0
    for name, rows in results():
        if words and not any(word in name for word in words):
            continue
        for test, why in rows():
            print(f"FAIL {test}\n     {why}" if why else f"ok   {test}", flush=True)
            passed += not why
            failed += bool(why)
    print(f"{passed} passed, {failed} failed")
    sys.exit(1 if failed or not passed else 0)


main()
