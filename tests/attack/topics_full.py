"""Attacks on topics by filling what is bounded: topics, histories, receipts of idempotency, members."""
import time

from attack import attack, same, true, until
from topics_peer import UNLIMITED, answer, ask, flood, hear, pipelined, post, refused, request_of, say, talker, text_of, topics

KIB, MIB = 1024, 1 << 20


@attack("B21", "3,000 names where 1,000 topics may be: what nobody follows gives way, what is followed goes on; full and 503 only when all are")
def too_many_topics():
    with topics(max_topics=1000, requests_a_second=UNLIMITED).bounded(memory_kb=4096, cpu_ms=400, kept_bytes=2 * MIB) as victim:
        peer = talker(victim)
        same(ask(peer, op="sub", topic="good")["op"], "ok")
        same(post(victim, "good").status, 200)
        same(hear(peer)["data"], "x")
        found = pipelined(victim, (text_of("GET", f"/t/empty{at}?since=0&wait=0") for at in range(3000)))
        same(set(found), {200}, "topics without a message give way to one another")
        first = post(victim, "full0", b"x").json()["pos"]
        found = pipelined(victim, (text_of("POST", f"/t/full{at}", b"x") for at in range(3000)))
        same(set(found), {200}, "and those that nobody follows")
        same(victim.stats()["topics"], 1000)
        got = answer(victim, "GET", f"/t/full0?since={first}&wait=0").json()
        same((got["messages"], got["gap"]), ([], {"lost": None}))
        same(post(victim, "good", b"y").status, 200)
        same(hear(peer)["data"], "y")
        crowd = [talker(victim) for _ in range(10)]
        victim.made += crowd
        for one in crowd:
            say(one, *({"op": "sub", "topic": f"own/{crowd.index(one)}/{at}"} for at in range(100)))
        same([hear(one).get("code", "ok") for one in crowd for _ in range(100)], ["ok"] * 999 + ["full"])
        one = post(victim, "another")
        same((one.status, one.json()["error"]["code"], len(one.all("Retry-After"))), (503, "full", 1))
        for ask_for in (f"another?since={first}&wait=0", "another?wait=0", "another/history", "another/presence"):
            same(answer(victim, "GET", f"/t/{ask_for}").status, 503, ask_for)
        for op in ("history", "presence"):
            refused(peer, "full", op=op, topic="another")
        refused(peer, "full", op="sub", topic="another")
        refused(peer, "full", op="pub", topic="another", data="x")
        same(post(victim, "good", b"z").status, 200)
        same(hear(peer)["data"], "z")
        peer.close()


@attack("B16", "400 topics with 64 KiB of history each where 4 MiB is all there is: the oldest give way, who comes back is told")
def too_much_history():
    with topics(max_bytes=4 * MIB).bounded(memory_kb=5 * KIB, cpu_ms=400, kept_bytes=5 * MIB) as victim:
        first = post(victim, "held/0").json()["pos"]
        for at in range(400):
            same(flood(victim, f"held/{at}", 64, KIB), 0)
        true(victim.stats()["bytes"] <= 4 * MIB, "more is held than may be")
        same(len(answer(victim, "GET", "/t/held/399/history?limit=100").json()["messages"]), 64)
        got = answer(victim, "GET", f"/t/held/0?since={first}&wait=0").json()
        same((got["messages"], got["gap"]), ([], {"lost": 64}))


@attack("B21", "300,000 idempotency keys of 250 bytes in 100 topics: no more than 64 MiB of them, and a retry a moment ago is still one")
def receipts():
    with topics(history_count=1).bounded(memory_kb=110 * KIB, cpu_ms=6000, kept_bytes=80 * MIB) as victim:
        for topic in range(100):
            found = pipelined(victim, (text_of("POST", f"/t/receipts/{topic}", b"x", f"Idempotency-Key: {at:05}{'k' * 245}\r\n") for at in range(3000)))
            same((len(found), set(found)), (3000, {200}))
        more = f"Idempotency-Key: {'mine' * 50}\r\n"
        same(post(victim, "quiet", b"x", more).json(), post(victim, "quiet", b"x", more).json())
        same(victim.stats()["published"] > 0, True)


def present(victim, topic, count, info, start=0):
    target = "/t/{}?since=0&wait=0&as={:06}{}&info=%22{}%22"
    return pipelined(victim, (text_of("GET", target.format(topic, at, "m" * 249, info)) for at in range(start, start + count)))


@attack("B21", "70,000 members with 255 bytes of id and 1 KiB of information in 7 topics: 10,000 of a topic, 64 MiB in all; who is there may come back")
def presence_full():
    with topics(grace_ms=60000, history_count=1).bounded(memory_kb=130 * KIB, cpu_ms=8000, kept_bytes=80 * MIB) as victim:
        statuses = []
        for topic in range(7):
            statuses += present(victim, f"crowd{topic}", 10000, "i" * 1000)
        true(statuses.count(503) > 15000, f"{statuses.count(503)} were refused")
        same(statuses.count(200) + statuses.count(503), 70000)
        same(victim.stats()["members"], statuses.count(200))
        same(set(present(victim, "crowd0", 10, "i" * 1000)), {200}, "who is there may come back")
        same(answer(victim, "GET", "/t/other?since=0&wait=0").status, 200, "who only follows is not concerned")


@attack("B21", "20,000 who join and leave at once, told to 20 followers: the history of the companion and no more; nobody stays")
def join_leave_storm():
    with topics(grace_ms=1, requests_a_second=UNLIMITED).bounded(memory_kb=24 * KIB, cpu_ms=6000, kept_bytes=4 * MIB) as victim:
        ears = [talker(victim, narrow=True) for _ in range(20)]
        victim.made += ears
        for peer in ears:
            same(ask(peer, op="sub", topic="storm/presence")["op"], "ok")
        for start in range(0, 20000, 4000):
            same(set(present(victim, "storm", 4000, "i" * 100, start)), {200})
            until(lambda: victim.stats()["members"] == 0, "all have left")
        peer = talker(victim)
        same(ask(peer, op="presence", topic="storm")["members"], [])
        for _ in range(10):  # one connection, again and again somebody else
            say(peer, *(one for at in range(100) for one in ({"op": "sub", "topic": "storm", "as": {"id": f"x{at}"}}, {"op": "unsub", "topic": "storm"})))
            for _ in range(200):
                same(hear(peer)["op"], "ok")
        until(lambda: victim.stats()["members"] == 0, "all have left")
        peer.close()


@attack("B21", "information of a member nested 500 deep, cut, twice the same, with line ends: 400; who asks for the list is served")
def odd_members():
    with topics().bounded(memory_kb=256, cpu_ms=50) as victim:
        deep = "[" * 500 + "]" * 500
        for query in (f"as=x&info={deep}", "as=x&info=%7b%22a%22:1,%22a%22:2%7d", "as=x&info=%7b", "as=x&info=" + "1" * 1025, "as=", "as=" + "x" * 256,
                      "as=%ff", "as=x&info=%ff", "as=x&info=%22%5cud800%22", "as=x&info=%22%5cu0000%22", "as=x&info=1%201", "as=x&info=nul"):
            same(answer(victim, "GET", f"/t/odd?since=0&wait=0&{query}").status, 400, query[:40])
        for query in ("as=a%0d%0aX-B:%201", "as=b&info=%7b%0d%0a%22a%22:%0a1%7d", "as=%22%7d,%7b%22id%22:%22root%22", "as=%e2%80%ae", "as=c&info=" + "[" * 8 + "]" * 8):
            same(answer(victim, "GET", f"/t/odd?since=0&wait=0&{query}").status, 200, query)
        got = answer(victim, "GET", "/t/odd/presence")
        same(got.head.count("\r\n\r\n"), 1)
        same([one["id"] for one in got.json()["members"]], ["a\r\nX-B: 1", "b", '"},{"id":"root"', "\u202e", "c"])
        peer = talker(victim)
        same(len(ask(peer, op="presence", topic="odd")["members"]), 5)
        peer.close()


@attack("B21", "a list of 10,000 members, and a history of 1 MiB that escapes to 6: asked for again and again, for what an answer may be")
def long_answers():
    with topics(grace_ms=60000).bounded(memory_kb=40 * KIB, cpu_ms=3000, kept_bytes=24 * MIB) as victim:
        present(victim, "long", 10000, "i" * 10)
        for _ in range(10):
            same(set(pipelined(victim, [text_of("POST", "/t/long", b"\x01" * 1000)] * 100)), {200})
        for _ in range(10):
            got = answer(victim, "GET", "/t/long/presence")
            true(len(got.body) < 1.1 * MIB and got.json()["next"], f"a part of the list, {len(got.body)} bytes")
            got = answer(victim, "GET", "/t/long/history?limit=1000")
            true(len(got.body) < 4 * MIB, f"a history of {len(got.body)} bytes")
        peer = talker(victim)
        got = ask(peer, op="history", topic="long", limit=1000)
        true(isinstance(got, dict) and got["op"] == "history", f"a history by coho.json.v1: {got}")
        got = ask(peer, op="presence", topic="long")
        true(got["op"] == "presence" and got["members"] and got["next"], f"a part of the list by coho.json.v1: {got}")
        peer.close()


@attack("B21", "50 connections that ask for everything at once and do not read: 1013, and no more than a queue of each")
def asks_unread():
    with topics(requests_a_second=UNLIMITED, max_queue=256 * KIB).bounded(memory_kb=50 * 600, cpu_ms=3000, kept_bytes=3 * MIB) as victim:
        flood(victim, "asked", 1000, 100)
        block = request_of({"op": "history", "topic": "asked", "limit": 100}) * 500
        for _ in range(50):
            peer = talker(victim, narrow=True)
            victim.made.append(peer)
            peer.sock.settimeout(0.1)
            try:
                while peer.send(block):
                    pass
            except TimeoutError:
                pass
        same(post(victim, "asked").status, 200, "others do not wait for them")
