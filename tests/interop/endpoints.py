"""What `coho serve --demo` serves behind its pages, asked with `coho connect` and by HTTP."""
import json
import urllib.error
import urllib.request

from program import COHO, connect, contains, same, serving
from process import Process


def endpoints():
    return serving("--demo")


def heard(client):
    return json.loads(client.line())


def ask(url, path, body=None):
    """By HTTP, as pages without WebSocket do: the status and the JSON of the answer."""
    request = urllib.request.Request(url.replace("ws://", "http://") + path, data=body)
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, None


def chat():
    with endpoints() as url:
        ann = Process(COHO, "connect", "-q", f"{url}/t/chat/tea?as=ann&info=%7B%22name%22%3A%22Ann%22%7D")
        ann.say("first")
        same(ann.line(), "first")
        same(ask(url, "/t/chat/tea/presence")[1]["members"], [{"id": "ann", "info": {"name": "Ann"}}])
        same(ask(url, "/t/chat/tea", 'm\u00f6rgen "all"'.encode())[0], 200)
        same(ann.line(), 'm\u00f6rgen "all"')
        bob = Process(COHO, "connect", "-q", f"{url}/t/chat/tea?since=0")
        same([bob.line(), bob.line()], ["first", 'm\u00f6rgen "all"'])
        same((ann.hang_up(), bob.hang_up()), (0, 0))


def typing():
    with endpoints() as url:
        same(ask(url, "/t/chat/tea/typing", b"{}")[0], 200)
        same(ask(url, "/t/chat/tea/typing/history")[1]["messages"], [])
        same(ask(url, "/t/chat/tea", b"{}")[0], 200)
        same(len(ask(url, "/t/chat/tea/history")[1]["messages"]), 1)


def stocks():
    with endpoints() as url:
        companies = heard(Process(COHO, "connect", "-q", f"{url}/live/stocks?since=0"))
        same((len(companies), sorted(companies[0])), (12, ["name", "open", "symbol"]))
        for topic in ("stocks/COHO", "ticks"):
            quote = heard(Process(COHO, "connect", "-q", f"{url}/live/{topic}?since=0"))
            same(sorted(quote), ["name", "open", "price", "symbol", "time"])
        same(len(ask(url, "/live/stocks/COHO/history")[1]["messages"]), 1)


def stats():
    with endpoints() as url:
        client = Process(COHO, "connect", "-q", f"{url}/live/stats?since=0")
        sample = heard(client)
        while sample["connections"] == 0:  # taken before it came
            sample = heard(client)
        same(sorted(sample), sorted(["time", "uptime_s", "connections", "messages_in", "messages_out", "bytes_in",
                                     "bytes_out", "rss_bytes", "cpu_percent", "loop_lag_ms"]))
        same(sample["connections"], 1)
        same(client.stop(), 0)


def live_is_read_only():
    with endpoints() as url:
        for topic in ("stats", "stocks", "stocks/COHO", "ticks", "another"):
            same(ask(url, f"/live/{topic}", b"{}")[0], 403)
        _, said, status = connect(f"{url}/live/stats", "-q", "-x", "{}", "--linger", "20")
        same(status, 1)
        contains(said, "closed by the peer with 4403")


def healthz():
    with endpoints() as url:
        with urllib.request.urlopen(url.replace("ws://", "http://") + "/healthz", timeout=20) as answer:
            same((answer.status, answer.read()), (200, b"ok\n"))


TESTS = (chat, typing, stocks, stats, live_is_read_only, healthz)
