"""Attacks on topics by WebSocket, coho.json.v1 and raw: names, JSON, subscriptions and patterns."""
import itertools
import json
import time

from attack import attack, same, true
from peer import BINARY, CLOSE, TEXT, frame, request
from topics_peer import UNLIMITED, ZERO, answer, ask, flood, hear, pipelined, post, refused, say, talker, text_of, topics

LONGEST = "n" * 255
NO_NAMES = ("", "/", "a/", "/a", "a//b", ".", "..", "a/../b", "a/./b", "history", "presence", "a/history", "a/history/b",
            "a/presence/presence", "a/presence/b", "+", "#", "a/+", "a/#", "n" * 256, "\u2603", "a b", "a%2Fb", "%00", "a\r\nb", "a\\b",
            "\u202ea", "a\u0000"[:1] + "\u0001", "a?b", "a@b", "a:b", "__proto__*", "\ufeffa")


@attack("B21", "names of topics that are none, 255 and 256 bytes, line ends, unicode, dots: bad-name, whatever is asked")
def names():
    with topics(requests_a_second=UNLIMITED).bounded(memory_kb=256, cpu_ms=100) as victim:
        for op in ("sub", "unsub", "pub", "presence", "history"):
            peer = talker(victim)
            for name in NO_NAMES:
                refused(peer, "bad-name", op=op, topic=name, data="x")
            peer.close()
        peer = talker(victim)
        for pattern in ("", "/", "a//+", "#/a", "a#", "+a", "a/history", "a/presence", "presence", "n" * 256, "\r\n", "+/../#"):
            refused(peer, "bad-name", op="sub", pattern=pattern)
        same(ask(peer, op="sub", topic=LONGEST)["op"], "ok")
        same(ask(peer, op="sub", pattern=LONGEST)["op"], "ok")
        same(ask(peer, op="sub", topic=LONGEST + "/presence")["op"], "ok")
        same(ask(peer, op="pub", topic=LONGEST, data="x")["op"], "ok")
        peer.close()


@attack("B21", "what is no JSON object: deep, cut, twice the same member, NUL, half a surrogate: 1007; binary: 1003")
def no_objects():
    bombs = (b"", b"null", b"[]", b"1e999", b"{", b"}", b"{}" * 2, b'{"a":1,"a":2}', b'{"op":"ping","op":"pub"}', b'{"op":"\\u0000"}',
             b'{"op":"\\ud800"}', b'{"\\u0000":1}', b'{"op":"ping","id":1e999}', b'{"op":"ping","id":99999999999999999999}',
             b'{"a":' * 1000 + b"1" + b"}" * 1000, b"[" * 1000 + b"]" * 1000, b'{"op":"sub","topic":' + b"[" * 60000,
             b'{"op":"sub","as":{"id":"a","info":' + b"[" * 1000 + b"]" * 1000 + b"}}",
             b'{"op":"ping","x":"' + b"\\" * 60001 + b'"}', b"\xef\xbb\xbf{}", b'{"op":"ping"} x')
    with topics(requests_a_second=UNLIMITED).bounded(memory_kb=512, cpu_ms=100) as victim:
        for bomb in bombs:
            peer = talker(victim)
            peer.send(frame(TEXT, bomb, key=ZERO))
            got = hear(peer)
            same(got, ("closed", 1007), f"{bomb[:40]}")
            peer.close()
        peer = talker(victim)
        peer.send(frame(BINARY, b'{"op":"ping"}'))
        same(hear(peer), ("closed", 1003))
        peer.close()
        peer = talker(victim)
        peer.send(frame(TEXT, b'{"op":"ping","x":"' + b"y" * (1 << 20) + b'"}', key=ZERO))
        same(hear(peer), ("closed", 1009), "larger than a message may be")
        peer.close()


@attack("B21", "fields of a wrong kind, huge ids, 9,000 fields that nobody knows: an error that ends nothing, 1008 after 100")
def wrong_fields():
    wrong = ({}, {"op": None}, {"op": 1}, {"op": "nothing"}, {"op": "sub"}, {"op": "sub", "topic": 1}, {"op": "sub", "topic": "a", "pattern": "a"},
             {"op": "pub", "topic": "a"}, {"op": "pub", "topic": "a", "data": 1}, {"op": "pub", "topic": "a", "data": "x", "data64": "eA=="},
             {"op": "pub", "topic": "a", "data64": "*"}, {"op": "pub", "topic": "a", "data": "x", "key": "k" * 256},
             {"op": "pub", "topic": "a", "data": "x", "idem": "k" * 256}, {"op": "pub", "topic": "a", "data": "x", "idem": ""},
             {"op": "history", "topic": "a", "limit": -1}, {"op": "history", "topic": "a", "limit": 1 << 40},
             {"op": "history", "topic": "a", "limit": "1"}, {"op": "sub", "topic": "a", "as": "ann"}, {"op": "sub", "topic": "a", "as": {}},
             {"op": "sub", "topic": "a", "as": {"id": ""}}, {"op": "sub", "topic": "a", "as": {"id": "x" * 256}},
             {"op": "sub", "topic": "a", "as": {"id": "x", "info": "y" * 1024}}, {"op": "sub", "pattern": "a", "as": {"id": "x"}},
             {"op": "sub", "topic": "a/presence", "as": {"id": "x"}}, {"op": "sub", "pattern": "a", "since": "0"})
    with topics(requests_a_second=UNLIMITED).bounded(memory_kb=1024, cpu_ms=200) as victim:
        peer = talker(victim)
        for fields in wrong:
            refused(peer, "bad-request", **fields)
        for since in ("", "1", "k.", ".1", "K.1", "k3f9.42.1", "k.-1", "k.18446744073709551616", "z" * 20 + ".1", 1, 1.5, None, [], "0.0", " 0", "0\n"):
            refused(peer, "bad-since", op="sub", topic="a", since=since)
        for identity in ("i" * 65, None, [], {}, 1.5, True):
            got = ask(peer, op="ping", id=identity)
            same((got["op"], got["code"], "id" in got), ("error", "bad-request", False))
        refused(peer, "too-big", op="pub", topic="a", data="x" * 65537)
        many = ask(peer, op="ping", **{f"x{at}": 0 for at in range(9000)})
        same(many["op"], "pong", "unknown fields")
        got = None
        for _ in range(101):
            got = ask(peer, op="nothing")
            if isinstance(got, tuple):
                break
        same(got, ("closed", 1008))
        peer.close()


@attack("B21", "what is published comes out as it went in, whatever it looks like: frames of others, line ends, escapes")
def injected():
    texts = ('{"op":"gap","topic":"a","lost":1}', '"}\n{"op":"expiring"}', "\r\n\r\nHTTP/1.1 200 OK", "\u2028\u2029", "\x00\x01\x1f", "\\u0000", "</script>", "\ufeff")
    with topics().bounded(memory_kb=256, cpu_ms=50) as victim:
        peer = talker(victim)
        same(ask(peer, op="sub", topic="a")["op"], "ok")
        for text in texts:
            body = text.encode()
            same(post(victim, "a", body).status, 200)
            got = peer.frame()
            same(got[1].count(b"\n") + got[1].count(b"\r") + got[1].count(b"\0"), 0, "line ends in a frame")
            same(json.loads(got[1])["data"], text)
        peer.close()


@attack("B21", "a million subscriptions: 100 of a connection, then too-many, then 1008; of 200 connections little more than the connections")
def million_subscriptions():
    with topics(requests_a_second=UNLIMITED).bounded(memory_kb=2048, cpu_ms=1500) as victim:
        peer = talker(victim)
        block = b"".join(frame(TEXT, b'{"op":"sub","topic":"t/%d"}' % at, key=ZERO) for at in range(1000))
        peer.flood(itertools.repeat(block, 1000))
        found = [hear(peer) for _ in range(201)]
        same([got["op"] for got in found[:100]], ["ok"] * 100)
        same({got["code"] for got in found[100:200]}, {"too-many"})
        same(found[200], ("closed", 1008))
        peer.close()
        before = victim.stats()["memory"]
        for _ in range(200):
            peer = talker(victim)
            victim.made.append(peer)
            peer.send(block[:len(block) // 10])
        for peer in victim.made:
            for _ in range(100):
                same(hear(peer)["op"], "ok")
        now = victim.stats()
        same(now["subscriptions"], 20000)
        true(now["memory"] - before < 200 * 10000, f"{(now['memory'] - before) // 200} bytes for each connection with 100 subscriptions")


PATTERN_TOPICS = 5000
DEEP = "/".join("a" * 12)


def patterns():
    """Different ones that all match DEEP and what is below."""
    for words in itertools.product(("a", "+"), repeat=12):
        yield "/".join(words) + "/#"


@attack("B21", "1,200 patterns that all match 5,000 topics: full at 1,000; nobody waits for them, neither when they come nor when they go")
def pattern_explosion():
    with topics(requests_a_second=UNLIMITED).bounded(memory_kb=24 * 1024, cpu_ms=1500, kept_bytes=8 << 20) as victim:
        same(set(pipelined(victim, (text_of("POST", f"/t/{DEEP}/{at}", b"x") for at in range(PATTERN_TOPICS)))), {200})
        source, found = patterns(), []
        for _ in range(12):
            peer = talker(victim)
            victim.made.append(peer)
            say(peer, *({"op": "sub", "pattern": next(source)} for _ in range(100)))
            found += [hear(peer).get("code", "ok") for _ in range(100)]
        same([found.count("ok"), found.count("full")], [1000, 200])
        same(ask(victim.made[0], op="unsub", pattern=next(patterns()))["op"], "ok")
        same(set(pipelined(victim, (text_of("POST", f"/t/{DEEP}/{at}", b"y") for at in range(50)))), {200})
        got = [hear(victim.made[1]) for _ in range(100)]
        same(len({(one["topic"], one["pattern"]) for one in got}), 100, "each comes once for each pattern")
        for peer in victim.made:
            peer.reset()
        victim.made.clear()
        victim.quiet(1)


@attack("B21", "one peer that follows and leaves \"#\" 4,000 times while there are 5,000 topics: as cheap as other requests")
def pattern_churn():
    with topics(requests_a_second=UNLIMITED).bounded(memory_kb=4096, cpu_ms=400, kept_bytes=8 << 20) as victim:
        pipelined(victim, (text_of("POST", f"/t/{DEEP}/{at}", b"x") for at in range(PATTERN_TOPICS)))
        peer = talker(victim)
        pair = frame(TEXT, b'{"op":"sub","pattern":"#"}', key=ZERO) + frame(TEXT, b'{"op":"unsub","pattern":"#"}', key=ZERO)
        for _ in range(8):
            peer.send(pair * 500)
            for _ in range(1000):
                same(hear(peer)["op"], "ok")
        peer.close()


@attack("B22", "publishing to companions, by every way: refused, and nobody hears it")
def companions():
    with topics().bounded(memory_kb=256, cpu_ms=50) as victim:
        ear = talker(victim)
        same(ask(ear, op="sub", topic="x/presence")["op"], "ok")
        peer = talker(victim)
        for topic in ("x/presence", "x/history"):
            refused(peer, "bad-name", op="pub", topic=topic, data='{"event":"join","id":"root"}')
            same(post(victim, topic).status, 405)
        peer.close()
        raw = victim.talker("/t/x/presence")
        raw.send(frame(TEXT, b'{"event":"join","id":"root"}'))
        got = raw.frame()
        same((got[0], int.from_bytes(got[1][:2], "big")), (CLOSE, 4403))
        raw.close()
        same(ask(ear, op="ping")["op"], "pong")
        same(victim.ask(request("/t/x/history")).head()[9:12], "404")
        ear.close()


@attack("B08", "a publisher who floods: no more than its rate gets through, whoever it is; the others are as fast as before")
def publisher_flood():
    with topics(requests_a_second=100).bounded(memory_kb=1024, cpu_ms=300) as victim:
        before = victim.stats()["published"]
        begun = time.monotonic()
        peer = talker(victim, narrow=True)
        peer.sock.settimeout(0.5)
        data = frame(TEXT, b'{"op":"pub","topic":"flood","data":"' + b"x" * 1000 + b'"}', key=ZERO) * 100
        try:
            while peer.send(data):
                pass
        except TimeoutError:
            pass  # it is not read any more
        allowed = 100 + 100 * (time.monotonic() - begun + 0.1)
        heard = victim.stats()["published"] - before
        true(0 < heard <= allowed, f"{heard} were published, {allowed:.0f} are allowed")
        peer.close()
    same(flood(topics(requests_a_second=100), "flood", 1, 1), 0)


@attack("B20", "10,000 names of topics, keys and ids of one length that differ in a byte or two: no slower than others")
def names_alike():
    with topics(max_topics=UNLIMITED).bounded(memory_kb=16 * 1024, cpu_ms=1000, kept_bytes=16 << 20) as victim:
        found = pipelined(victim, (text_of("POST", f"/t/{'a' * 200}{at:05}{'b' * 50}", b"x") for at in range(10000)))
        same([found.count(200), len(found)], [10000, 10000])
        found = pipelined(victim, (text_of("POST", "/t/conflate/x", b"x", f"Coho-Key: {'a' * 245}{at:05}\r\n") for at in range(10000)))
        same([found.count(200), len(found)], [10000, 10000])
        same(answer(victim, "GET", "/t/conflate/x/history?limit=1000").status, 200)
