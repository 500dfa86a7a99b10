"""topics_peer.py: peers of the server of topics_server.c, by coho.json.v1 and by HTTP."""
import json
import re

from attack import same, true
from peer import CLOSE, TEXT, frame
from victim import server

ZERO = b"\0\0\0\0"
JSON = "Sec-WebSocket-Protocol: coho.json.v1\r\n"
UNLIMITED = (1 << 32) - 1


def topics(**options):
    return server("topics_server", **options)


# ---- coho.json.v1 ----------------------------------------------------------------------------------


def talker(victim, path="/t/", more="", **options):
    """A connection with coho.json.v1."""
    return victim.talker(path, JSON + more, **options)


def request_of(fields):
    return frame(TEXT, json.dumps(fields).encode(), key=ZERO)


def say(peer, *requests):
    peer.send(b"".join(map(request_of, requests)))


def hear(peer):
    """The next frame as an object; ("closed", code) of a Close, None of the end."""
    got = peer.frame()
    if not got:
        return None
    if got[0] == CLOSE:
        return "closed", int.from_bytes(got[1][:2], "big")
    return json.loads(got[1])


def ask(peer, **fields):
    say(peer, fields)
    return hear(peer)


def refused(peer, code, **fields):
    """The request has this error and ends nothing."""
    got = ask(peer, **fields)
    true(isinstance(got, dict) and got.get("op") == "error", f"{fields}: {got}")
    same(got["code"], code, str(fields)[:120])


# ---- HTTP ------------------------------------------------------------------------------------------


class Answer:
    def __init__(self, head, body):
        self.head, self.body = head, body
        self.status = int(head[9:12])

    def all(self, name):
        return re.findall(rf"(?im)^{name}: *([^\r]*)\r$", self.head)

    def json(self):
        return json.loads(self.body)


def text_of(method, target, body=None, more=""):
    length = "" if body is None else f"Content-Length: {len(body)}\r\n"
    return f"{method} {target} HTTP/1.1\r\nHost: 127.0.0.1\r\n{length}{more}\r\n".encode("latin-1") + (body or b"")


def answer(victim, method, target, body=None, more=""):
    """What the request is answered, on a connection of its own."""
    peer = victim.ask(text_of(method, target, body, more + "Connection: close\r\n"))
    head, rest = peer.head(), peer.rest()
    peer.close()
    return Answer(head, rest)


def next_answer(peer):
    """The next one on a connection that goes on; its body has a length."""
    head = peer.head()
    size = re.search(r"(?i)\r\ncontent-length: (\d+)", head)
    size = int(size[1]) if size else 0
    true(peer.need(size), "the body is cut")
    return Answer(head, peer.take(size))


def post(victim, topic, body=b"x", more=""):
    return answer(victim, "POST", f"/t/{topic}", body, more)


def pipelined(victim, requests, peer=None):
    """Statuses of all requests, which go through one connection as fast as it takes them."""
    peer = peer or victim.peer()
    requests = list(requests)
    peer.flood(b"".join(requests[at:at + 256]) for at in range(0, len(requests), 256))
    while peer.got.count(b"HTTP/1.1 ") < len(requests) and peer.more():
        pass
    while not peer.gone and not peer.got.endswith((b"}", b"\n")) and peer.more():
        pass
    statuses = [int(found) for found in re.findall(rb"HTTP/1\.1 (\d\d\d) ", bytes(peer.got))]
    peer.close()
    return statuses


def flood(victim, topic, count, size):
    """How many of so many messages, which the server publishes itself, it refused."""
    return int(answer(victim, "POST", "/flood", f"{topic} {count} {size}".encode()).body)


def events(data):
    """Events of a stream: dictionaries of their fields, the data joined."""
    found = []
    for block in data.decode().split("\n\n"):
        fields = {}
        for line in block.split("\n"):
            name, _, value = line.partition(":")
            true(name in ("", "id", "event", "data", "retry"), f"a field {line[:80]!r}")
            value = value[1:] if value.startswith(" ") else value
            fields[name] = fields[name] + "\n" + value if name in fields and name == "data" else value
        if fields.keys() - {""}:
            found.append(fields)
    return found


def stream(victim, target, more="", **options):
    """A stream of events whose head has come; its body is chunked."""
    peer = victim.ask(text_of("GET", target, more="Accept: text/event-stream\r\n" + more), **options)
    head = peer.head()
    same(head[9:12], "200", target)
    peer.chunked = "transfer-encoding: chunked" in head.lower()
    return peer


def unchunked(data):
    """What whole chunks hold, and what is left."""
    out, at = [], 0
    while (end := data.find(b"\r\n", at)) >= 0:
        size = int(data[at:end], 16)
        if len(data) < end + 4 + size:
            break
        out.append(bytes(data[end + 2:end + 2 + size]))
        at = end + 4 + size
        if not size:
            break
    return b"".join(out), data[at:]


def streamed(peer):
    """The events that came so far."""
    data = bytes(peer.got)
    return events(unchunked(data)[0] if peer.chunked else data)
