"""What `coho serve --demo` serves behind its pages, asked with `coho connect`."""
import json
import urllib.request

from program import COHO, connect, contains, same, serving
from process import Process


def endpoints():
    return serving("--demo")


def heard(client):
    return json.loads(client.line())


def chat():
    with endpoints() as url:
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
    with endpoints() as url:
        guest = Process(COHO, "connect", "-q", f"{url}/chat")
        welcome = heard(guest)
        same((welcome["room"], welcome["name"]), ("lobby", "guest-1"))
        guest.hang_up()
        contains(connect(f"{url}/chat?name={'x' * 65}")[1], "answered 400")
        _, said, status = connect(f"{url}/chat", "--hex", "-x", "00")
        same(status, 1)
        contains(said, "closed by the peer with 1003")


def stocks():
    with endpoints() as url:
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
    with endpoints() as url:
        client = Process(COHO, "connect", "-q", f"{url}/stats")
        history, sample = heard(client), heard(client)
        same((history["type"], history["interval_ms"]), ("history", 1000))
        same(sample["type"], "sample")
        same(sorted(sample), sorted(["type", "time", "uptime_s", "connections", "messages_in", "messages_out",
                                     "bytes_in", "bytes_out", "rss_bytes", "cpu_percent", "loop_lag_ms"]))
        same(sample["connections"], 1)
        same(client.stop(), 0)


def healthz():
    with endpoints() as url:
        with urllib.request.urlopen(url.replace("ws://", "http://") + "/healthz", timeout=20) as answer:
            same((answer.status, answer.read()), (200, b"ok\n"))


TESTS = (chat, chat_defaults_and_refusals, stocks, stats, healthz)
