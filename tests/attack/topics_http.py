"""Attacks on topics by HTTP: bodies, polls, parameters, streams, origins, caches."""
import json
import time

from attack import attack, same, true, until
from peer import TEXT, frame, request
from topics_peer import UNLIMITED, answer, ask, flood, next_answer, pipelined, post, stream, streamed, talker, text_of, topics

KIB, MIB = 1024, 1 << 20
FOREIGN = ("http://evil.example", "http://127.0.0.1.evil.example", "http://127.0.0.1:1", "null", "", "http://127.0.0.1@evil.example",
           "http://evil.example/http://127.0.0.1", "127.0.0.1", "file://", "http://[::1]")


@attack("A07", "a POST that is too large, announced or in chunks; lengths that two readers understand differently: 413 or 400, nothing published")
def bodies():
    with topics().bounded(memory_kb=512, cpu_ms=100) as victim:
        before = victim.stats()["published"]
        head = b"POST /t/body HTTP/1.1\r\nHost: h\r\n"
        for fields, statuses in ((b"Content-Length: 65537\r\n\r\n", (413,)), (b"Content-Length: 99999999999999999999\r\n\r\n", (400, 413)),
                                 (b"Transfer-Encoding: chunked\r\n\r\n" + b"4000\r\n" + b"x" * 0x4000 + b"\r\n" + (b"8000\r\n" + b"x" * 0x8000 + b"\r\n") * 2, (413,)),
                                 (b"Transfer-Encoding: chunked\r\n\r\nfffffffffffffff0\r\n", (400, 413)), (b"Transfer-Encoding: chunked\r\n\r\nx\r\n", (400,)),
                                 (b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", (400,)), (b"Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd", (400,)),
                                 (b"Content-Length: -1\r\n\r\n", (400,)), (b"Content-Length: +3\r\n\r\nabc", (400,)), (b"Transfer-Encoding: gzip, chunked\r\n\r\n", (400, 501)),
                                 (b"Transfer-Encoding: chunked, identity\r\n\r\n", (400, 501)), (b"Content-Length : 3\r\n\r\nabc", (400,))):
            peer = victim.ask(head + fields)
            peer.refused(*statuses)
            peer.close()
        same(victim.stats()["published"], before, "messages")
        peer = victim.ask(head + b"Transfer-Encoding: chunked\r\n\r\n" + b"1\r\nx\r\n" * 3 + b"0\r\n\r\n")
        same(next_answer(peer).status, 200, "an honest one")
        peer.close()


@attack("A07", "keys of 256 bytes, empty ones, types that are none: 400, or a message as it is")
def odd_posts():
    with topics().bounded(memory_kb=256, cpu_ms=50) as victim:
        for more in (f"Idempotency-Key: {'k' * 256}\r\n", "Idempotency-Key:\r\n", f"Coho-Key: {'k' * 256}\r\n"):
            same(post(victim, "odd", b"x", more).status, 400, more[:20])
        for more in ("Content-Type: text/html; charset=utf-16\r\n", "Content-Type: application/octet-stream;x\r\n", "Content-Type: \x80\r\n", "Coho-Key: \x80\xff\r\n"):
            true(post(victim, "odd", b"<script>", more).status in (200, 400), more)
        got = answer(victim, "GET", "/t/odd?since=0&wait=0")
        same((got.all("Content-Type"), got.all("X-Content-Type-Options")), (["application/json"], ["nosniff"]))
        same(post(victim, "odd", b"\xff\x00\xc3").status, 200)
        same(answer(victim, "GET", "/t/odd/history?limit=1").json()["messages"][0]["data64"], "/wDD")


@attack("B21", "positions of another epoch, of the future, of no kind: a gap of unknown size, or 400; by every way the same")
def positions():
    with topics(requests_a_second=UNLIMITED).bounded(memory_kb=256, cpu_ms=100) as victim:
        epoch = post(victim, "pos").json()["pos"].partition(".")[0]
        for since in ("zz.1", f"{epoch}.2", f"{epoch}.18446744073709551615", "zzzzzzzz.0"):
            got = answer(victim, "GET", f"/t/pos?since={since}&wait=0")
            if got.status == 400 and since.endswith("615"):
                continue
            same((got.json()["gap"], len(got.json()["messages"])), ({"lost": None}, 1), since)
            head = victim.talker(f"/t/pos?since={since}")
            head.close()
            got = answer(victim, "GET", f"/t/?sub=pos@{since}&wait=0").json()["frames"]
            same([one.get("op") for one in got], ["ok", "gap", None], since)
            peer = stream(victim, "/t/pos", f"Last-Event-ID: {since}\r\n")
            until(lambda: len(streamed(peer)) >= 3 or not peer.more(), "the events")
            same(streamed(peer)[1].get("data"), '{"lost":null}')
            peer.close()
        for since in ("1", "-1", "x", "0.0", "00", "K3.1", f"{epoch}.", f".{epoch}", f"{epoch}.1.1", f"{epoch}.01x", "%00", "%ff%00", "%zz", "%0d%0aX:1", "k" * 4000, ""):
            same(answer(victim, "GET", f"/t/pos?since={since}&wait=0").status, 400, since[:40])
            same(victim.ask(request(f"/t/pos?since={since}")).head()[9:12], "400", since[:40])
        for line in ("x", "1\t", "-1", "k.1, k.2", "0.0"):
            got = answer(victim, "GET", "/t/pos", more=f"Accept: text/event-stream\r\nLast-Event-ID: {line}\r\n")
            same(got.status, 400, line)
        for wait in ("-1", "61", "1e3", "99999999999999999999", "x", "0x1", "%2b1"):
            same(answer(victim, "GET", f"/t/pos?since=0&wait={wait}").status, 400, wait)


@attack("A17", "20,000 requests at once, of every kind: so many as one address may make, 429 for the others, which publish nothing; it opens again, and nothing stays")
def request_flood():
    with topics(http_a_second=200, http_at_once=400, grace_ms=1).bounded(memory_kb=512, cpu_ms=1200) as victim:
        before, begun = victim.stats()["published"], time.monotonic()
        mixture = [text_of("POST", "/t/rate", b"x"), text_of("GET", "/t/rate/history"), text_of("GET", "/t/rate?since=0&wait=0&as=x"), text_of("GET", "/t/rate/presence"),
                   text_of("GET", "/t/?sub=rate&wait=0")]
        found = pipelined(victim, mixture * 4000)
        allowed = 400 + 200 * (time.monotonic() - begun + 0.1)
        same(found.count(200) + found.count(429), 20000)
        true(400 <= found.count(200) <= allowed, f"{found.count(200)} were served, {allowed:.0f} are allowed")
        published = victim.stats()["published"] - before
        true(published <= allowed, f"{published} messages")
        peer = victim.ask(text_of("GET", "/t/rate", more="Accept: text/event-stream\r\n"))
        victim.made.append(peer)
        peer = talker(victim)
        same(ask(peer, op="pub", topic="rate", data="x")["op"], "ok", "who speaks WebSocket has another rate")
        peer.close()
        until(lambda: post(victim, "rate").status == 200, "it opens again")


@attack("B16", "two polls at once of one topic, and 500: each for itself, all answered by one message, and none stays")
def many_polls():
    for count in (2, 500):
        with topics().bounded(memory_kb=count * 8 + 256, cpu_ms=400) as victim:
            next_pos = answer(victim, "GET", "/t/polls?wait=0").json()["next"]
            for _ in range(count):
                victim.made.append(victim.ask(text_of("GET", f"/t/polls?since={next_pos}&wait=60")))
            until(lambda: victim.stats()["subscriptions"] == count, "all wait")
            same(post(victim, "polls", b"to all").status, 200)
            found = [next_answer(peer).json()["messages"] for peer in victim.made]
            same({(len(one), one[0]["data"]) for one in found}, {(1, "to all")})
            same(victim.stats()["subscriptions"], 0)


@attack("B21", "a million `sub` parameters: refused by the length of the head; 101: 429; twice the same, and names that are none: an error for each")
def many_parameters():
    with topics().bounded(memory_kb=512, cpu_ms=200) as victim:
        peer = victim.ask(b"GET /t/?")
        peer.flood([b"sub=a&" * 1000] * 1000)
        peer.refused(414, 431)
        peer.close()
        same(answer(victim, "GET", "/t/?wait=0&" + "&".join(f"sub=t{at}" for at in range(101))).status, 429)
        got = answer(victim, "GET", "/t/?wait=0&" + "&".join(f"sub=t{at}" for at in range(100))).json()["frames"]
        same([one["op"] for one in got], ["ok"] * 100)
        odd = ("a", "a", "%00", "..", "a%2F..", "%ff", "%zz", "a%0d%0aX:1", "+", "%23", "a@x", "a@0@0", "n" * 256, "a/history", "%22%7d%5d", "@0", "")
        got = answer(victim, "GET", "/t/?wait=0&" + "&".join(f"sub={name}" for name in odd))
        same(([one["op"] for one in got.json()["frames"]], got.head.count("\r\n\r\n")), (["ok"] + ["error"] * (len(odd) - 1), 1))
        peer = stream(victim, "/t/?" + "&".join(f"sub={name}" for name in odd))
        until(lambda: len(streamed(peer)) > len(odd) or not peer.more(), "an event for each")
        same([json.loads(one["data"])["op"] for one in streamed(peer)[1:]], ["ok"] + ["error"] * (len(odd) - 1))
        peer.close()


@attack("B21", "line ends, fields and empty lines in what is published: no event more than messages, and each as it was")
def event_injection():
    texts = ("a\nevent: gap\ndata: {\"lost\":1}", "a\r\n\r\nid: zz.9\r\ndata: b", "\n\n", "\r", "id: zz.9", ":", ": x", "data: x", "retry: 1", "\ufeffdata: x", "a\u2028b", "\x00",
             " two", "\n", "")
    with topics().bounded(memory_kb=256, cpu_ms=100) as victim:
        peer = stream(victim, "/t/inject")
        for text in texts:
            same(post(victim, "inject", text.encode()).status, 200)
        until(lambda: len(streamed(peer)) > len(texts) or not peer.more(), "an event for each")
        got = streamed(peer)[1:]
        same([one["data"] for one in got], [text.replace("\r\n", "\n").replace("\r", "\n") for text in texts])
        same({tuple(sorted(one)) for one in got}, {("data", "id")}, "fields of the events")
        same([one["id"].partition(".")[2] for one in got], [str(at + 1) for at in range(len(texts))])
        peer.close()


@attack("B21", "paths that lead elsewhere: encoded slashes and dots, NUL, line ends, 256 bytes, unicode: 404 or 400, and no topic is made")
def paths():
    with topics().bounded(memory_kb=256, cpu_ms=50) as victim:
        before = victim.stats()["topics"]
        for path in ("a%2Fb", "a%252Fb", "%00", "a%00", "..", "../stats", "%2e%2e/stats", "%2e%2e%2fstats", "a/../b", "a//b", "a/./b", "%0d%0aX:%201", "n" * 256, "history",
                     "presence", "a/presence/presence", "a/presence/history", "a/history/history", "%e2%98%83", "a%20b", "+", "%23", "a;b", "a\\b", "a%5cb", "%zz", "%"):
            for method in ("GET", "POST", "HEAD", "OPTIONS"):
                got = answer(victim, method, f"/t/{path}?wait=0", b"x" if method == "POST" else None)
                true(got.status in (400, 404, 405), f"{method} {path}: {got.status}")
            true(victim.ask(request(f"/t/{path}")).head()[9:12] in ("400", "404"), path)
        same(victim.stats()["topics"], before)


@attack("A12", "a page of another origin tries everything, with the cookies of its visitor: 403 before anything else, without a field that lets it read")
def foreign_pages():
    with topics(secret="s" * 32).bounded(memory_kb=256, cpu_ms=200) as victim:
        before = victim.stats()
        cookie = "Cookie: coho_token=whatever\r\n"
        for origin in FOREIGN:
            more = f"Origin: {origin}\r\n{cookie}"
            for method, path, body in (("GET", "open/x?wait=0", None), ("GET", "open/x/history", None), ("GET", "open/x/presence", None), ("POST", "open/x", b"x"), ("POST", "", b""),
                                       ("OPTIONS", "open/x", None), ("HEAD", "open/x", None), ("GET", "?sub=open/x&wait=0", None), ("GET", "..", None), ("DELETE", "open/x", None),
                                       ("POST", "open/x", b"x" * 70000)):
                got = answer(victim, method, f"/t/{path}", body, more)
                same(got.status, 403, f"{origin}: {method} {path}")
                same(got.all(r"access-control-[a-z-]*"), [], f"{origin}: {method} {path}")
            for path in ("/t/open/x", "/t/"):
                peer = victim.ask(request(path, more=more + "Sec-WebSocket-Protocol: coho.json.v1\r\n"))
                head = peer.head()
                same((head[9:12], "access-control" in head.lower()), ("403", False), f"{origin}: a WebSocket")
                peer.close()
        after = victim.stats()
        same((after["published"], after["topics"]), (before["published"], before["topics"]))
        got = answer(victim, "GET", "/t/open/x?wait=0", more="Origin: http://127.0.0.1\r\nOrigin: http://evil.example\r\n")
        true(got.status in (400, 403), f"two origins: {got.status}")


@attack("A18", "what a cache on the way could keep: nothing, of any answer; and it depends on the Origin")
def caches():
    with topics().bounded(memory_kb=256, cpu_ms=50) as victim:
        post(victim, "cache")
        for method, path, status in (("GET", "cache?since=0&wait=0", 200), ("GET", "cache/history", 200), ("GET", "cache/presence", 200), ("HEAD", "cache?since=0&wait=0", 200),
                                     ("POST", "cache", 200), ("GET", "cache?since=x", 400), ("GET", "..", 404), ("OPTIONS", "cache", 204), ("PUT", "cache", 405), ("POST", "", 404),
                                     ("GET", "?sub=cache&wait=0", 200)):
            got = answer(victim, method, f"/t/{path}", b"x" if method == "POST" else None)
            same((got.status, got.all("Cache-Control"), got.all("Vary")), (status, ["no-store"], ["Origin"]), f"{method} {path}")
        peer = victim.ask(text_of("GET", "/t/cache", more="Accept: text/event-stream\r\n"))
        head = peer.head().lower()
        true("cache-control: no-store" in head and "vary: origin" in head and "x-accel-buffering: no" in head, head)
        peer.close()


@attack("A05", "20,000 HEAD and OPTIONS of as many topics in one go: answered, and nothing is made of them")
def heads():
    with topics(max_topics=UNLIMITED).bounded(memory_kb=4096, cpu_ms=1500) as victim:
        before = victim.stats()["topics"]
        for method, status in (("HEAD", 200), ("OPTIONS", 204)):
            for more in ("", "Origin: http://127.0.0.1\r\n"):
                found = pipelined_without_bodies(victim, [text_of(method, f"/t/heads/{at}", more=more) for at in range(5000)])
                same([found.count(f"HTTP/1.1 {status} ".encode()), found.count(b"HTTP/1.1 ")], [5000, 5000])
        same(victim.stats()["topics"], before)
        same(set(pipelined(victim, (text_of("PUT", f"/t/heads/{at}", b"x") for at in range(1000)))), {405})


def pipelined_without_bodies(victim, requests):
    peer = victim.peer()
    peer.flood([b"".join(requests)])
    while peer.got.count(b"\r\n\r\n") < len(requests) and peer.more():
        pass
    peer.close()
    return bytes(peer.got)


@attack("B16", "2,000 streams that come and go, 500 at a time: little for each, and nothing of them stays")
def stream_churn():
    with topics().bounded(memory_kb=500 * 12, cpu_ms=1500) as victim:
        for _ in range(4):
            peers = [victim.ask(text_of("GET", "/t/churn?as=me&info=1", more="Accept: text/event-stream\r\n")) for _ in range(500)]
            for peer in peers:
                same(peer.head()[9:12], "200")
            same(flood(victim, "churn", 3, 100), 0)
            for peer in peers:
                peer.reset()
        until(lambda: victim.stats()["subscriptions"] == 0, "all are gone")
        raw = victim.talker("/t/churn")
        raw.send(frame(TEXT, b"still here"))
        raw.message(TEXT, b"still here")
        raw.close()
        peer = talker(victim)
        same([one["id"] for one in ask(peer, op="presence", topic="churn")["members"]], ["me"])
        peer.close()
