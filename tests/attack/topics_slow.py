"""Attacks on topics by followers who are slow, or do not read at all, by each way to follow."""
import json
import select
import socket

from attack import PATIENCE, attack, same, true, until
from peer import CLOSE, frame
from topics_peer import answer, flood, hear, pipelined, post, say, stream, streamed, talker, text_of, topics

QUEUE = 256 * 1024
KIB, MIB = 1024, 1 << 20
MANY = 100  # thousands of messages of 1 KiB


def offset(pos):
    return int(pos.partition(".")[2])


def flooded(victim, topic):
    """In pieces that a loop is not too slow for."""
    for _ in range(2 * MANY):
        same(flood(victim, topic, 500, KIB), 0)
    return MANY * 1000


def follow_json(victim, topic):
    peer = talker(victim, narrow=True)
    say(peer, {"op": "sub", "topic": topic})
    same(hear(peer)["op"], "ok")
    return peer


def count_json(peer, last):
    """(messages, lost) up to the last offset; every gap is where the hole is."""
    got = lost = at = 0
    while at < last:
        one = hear(peer)
        true(isinstance(one, dict), f"it ends with {one} at {at}")
        if one.get("op") == "gap":
            lost += one["lost"]
            same(offset(one["pos"]), at + one["lost"], "where the gap ends")
        else:
            got += 1
            same(offset(one["pos"]), at + 1, "the next message")
        at = offset(one["pos"])
    return got, lost


def count_events(peer, last):
    found, at, got, lost = [], 0, 0, 0
    while not found or "id" not in found[-1] or offset(found[-1]["id"]) < last:
        true(peer.more(), f"the stream ends behind {found[-1:]}")
        found = streamed(peer)
    for one in found[1:]:
        if one.get("event") == "gap":
            lost += json.loads(one["data"])["lost"]
        else:
            got += 1
            same(offset(one["id"]), at + 1, "the next message")
        at = offset(one["id"])
        same(at, got + lost, "what came and what was lost")
    return got, lost


def close_code(peer):
    while (got := peer.frame()) and got[0] != CLOSE:
        pass
    return int.from_bytes(got[1][:2], "big") if got else None


@attack("B16", "followers who do not read while 100 MB are published: their queue, then the history, then a gap with the true number")
def slow_json_and_events():
    for topic in ("old", "newest/x"):
        with topics(max_queue=QUEUE).bounded(memory_kb=6 * 1024, cpu_ms=1500, kept_bytes=3 * MIB) as victim:
            peer, listener = follow_json(victim, topic), stream(victim, f"/t/{topic}", narrow=True)
            victim.made += [peer, listener]
            count = flooded(victim, topic)
            if topic != "old":  # what comes now is behind the gap
                true(peer.need(1), "nothing came")
            post(victim, topic)
            for got, lost in (count_json(peer, count + 1), count_events(listener, count + 1)):
                true(lost > count // 2, f"{lost} were lost, which is what this is about")
                same(got + lost, count + 1, "what came and what was lost")


@attack("B16", "the same on a connection for one topic: 4408; where slow ones are to be closed: 1013; where values replace one another: the latest")
def slow_raw():
    with topics(max_queue=QUEUE).bounded(memory_kb=6 * 1024, cpu_ms=1500, kept_bytes=5 * MIB) as victim:
        for topic, code in (("raw", 4408), ("disconnect/x", 1013)):
            peer = victim.talker(f"/t/{topic}", narrow=True)
            victim.made.append(peer)
            flooded(victim, topic)
            same(close_code(peer), code, topic)
        peer = victim.talker("/t/conflate/x", narrow=True)
        victim.made.append(peer)
        flooded(victim, "conflate/x")
        post(victim, "conflate/x", b"the latest")
        until(lambda: peer.frame()[1] == b"the latest", "the latest value")


@attack("B17", "50 streams and 50 connections that never read: reset when the deadline of writing comes, and nothing of them stays")
def never_reads():
    with topics(max_queue=QUEUE, reply_ms=400, write_ms=400).bounded(memory_kb=30 * 1024, cpu_ms=4000, kept_bytes=3 * MIB) as victim:
        victim.made += [stream(victim, "/t/never", narrow=True) for _ in range(50)]
        victim.made += [follow_json(victim, "never") for _ in range(50)]
        for _ in range(20):
            flood(victim, "never", 1000, KIB)
        victim.quiet(1)
        same(victim.stats()["subscriptions"], 0)


@attack("B16", "40 peers who poll for 1 MiB, eight times, and read nothing: what they take at most, reset at the deadline")
def slow_polls():
    with topics(reply_ms=400).bounded(memory_kb=40 * 1200, cpu_ms=3000, kept_bytes=3 * MIB) as victim:
        flood(victim, "polled", 1000, KIB)
        for target in ("/t/polled?since=0&wait=0", "/t/polled/history?limit=1000"):
            for _ in range(40):
                peer = victim.ask(text_of("GET", target) * 8, narrow=True)  # more than the system takes for it
                victim.made.append(peer)
            victim.quiet(1)


@attack("B16", "a topic that blocks, held up by a follower who reads a byte now and then: closed at its deadline, publishers go on, in order")
def held_up():
    with topics(block_ms=500, max_queue=64 * KIB, history_bytes=QUEUE).bounded(memory_kb=4096, cpu_ms=600, kept_bytes=2 * MIB) as victim:
        slow, fine = victim.talker("/t/block/x", narrow=True), talker(victim)
        victim.made += [slow, fine]
        until(lambda: flood(victim, "block/x", 100, KIB) == 100, "it is held up")
        say(fine, {"op": "sub", "topic": "block/x"})
        start = offset(hear(fine)["pos"])
        writer = talker(victim)
        victim.made.append(writer)
        say(writer, *({"op": "pub", "topic": "block/x", "id": at, "data": str(at)} for at in range(50)))
        waiting = [victim.ask(text_of("POST", "/t/block/x", b"waits")) for _ in range(50)]
        victim.made += waiting
        until(lambda: select.select([writer.sock], [], [], 0.02)[0] or not slow.sock.recv(1), "publishers go on")
        same([hear(writer)["id"] for _ in range(50)], list(range(50)))
        for peer in waiting:
            same(peer.head()[9:12], "200")
        same([offset(hear(fine)["pos"]) for _ in range(100)], list(range(start + 1, start + 101)), "who reads loses nothing")
        true(close_code(slow) in (1013, None), "how it ended")


def read_all(peers, size):
    """Reads from all until each has sent so many bytes."""
    missing = {peer.sock: size - len(peer.got) for peer in peers}
    while missing:
        ready = select.select(list(missing), [], [], PATIENCE)[0]
        true(ready, f"{len(missing)} wait for more")
        for sock in ready:
            data = sock.recv(MIB)
            true(data, "the end")
            missing[sock] -= len(data)
            if missing[sock] <= 0:
                del missing[sock]


@attack("B19", "300 clients come back at once to 1 MiB of messages and read them: what is held once is sent, and costs next to no memory for each")
def storm():
    with topics().bounded(memory_kb=24 * KIB, cpu_ms=1500, kept_bytes=3 * MIB) as victim:
        flood(victim, "storm", 1000, KIB)
        held = victim.stats()["held"]
        victim.made += [victim.talker("/t/storm?since=0") for _ in range(300)]
        read_all(victim.made, held * (KIB + 4))


@attack("B19", "clients come back to the same by each way, and read nothing: the queue of each at most, until the deadline of writing")
def storm_unread():
    with topics(max_queue=QUEUE, write_ms=1000, reply_ms=1000).bounded(memory_kb=60 * 300, cpu_ms=3000, kept_bytes=3 * MIB) as victim:
        flood(victim, "storm", 1000, KIB)
        for _ in range(20):
            victim.made.append(victim.talker("/t/storm?since=0", narrow=True))
            peer = talker(victim, narrow=True)
            say(peer, {"op": "sub", "topic": "storm", "since": "0"})
            victim.made += [peer, stream(victim, "/t/storm?since=0", narrow=True)]
        for _ in range(20):  # more than the system takes for a peer
            flood(victim, "storm", 500, KIB)
        victim.quiet(1)


@attack("B14", "streams whose peer has closed its side, or all of it, or is reset: gone, or served to the end, and no subscription stays")
def half_closed():
    with topics(heartbeat_ms=200).bounded(memory_kb=2048, cpu_ms=300, kept_bytes=2 * MIB) as victim:
        peers = [stream(victim, "/t/half") for _ in range(100)]
        victim.made += peers
        for at, peer in enumerate(peers):
            if at % 3 == 0:
                peer.sock.shutdown(socket.SHUT_WR)
            elif at % 3 == 1:
                peer.close()
            else:
                peer.reset()
        flood(victim, "half", 10, KIB)
        until(lambda: victim.stats()["subscriptions"] <= 34, "those that are gone follow no more")
        for peer in peers[::3]:
            peer.close()
        until(lambda: victim.stats()["subscriptions"] == 0, "all are gone")


@attack("A07", "a poll or a stream, and 10,000 requests behind it on the connection: read no further than the one that waits")
def behind_a_poll():
    with topics(heartbeat_ms=1000).bounded(memory_kb=2048, cpu_ms=1000, kept_bytes=2 * MIB) as victim:
        before = victim.stats()["published"]
        for first in (text_of("GET", "/t/waits?since=0&wait=3"), text_of("GET", "/t/waits", more="Accept: text/event-stream\r\n")):
            peer = victim.ask(first)
            victim.made.append(peer)
            peer.sock.settimeout(0.5)
            sent = 0
            try:
                while sent < 64 * MIB and peer.send(text_of("POST", "/t/behind", b"x" * 1000) * 100):
                    sent += 100000
            except TimeoutError:
                pass  # it is not read any more
            true(sent < 32 * MIB, "it is read for ever")
        same(victim.stats()["published"], before, "messages of those behind")


@attack("A07", "10,000 POSTs in one go: each answered once, in order, the positions one after the other")
def pipelined_posts():
    with topics().bounded(memory_kb=4096, cpu_ms=500, kept_bytes=2 * MIB) as victim:
        peer = victim.peer()
        victim.made.append(peer)
        peer.flood([text_of("POST", "/t/pipe", b"hello") * 100] * 100)
        while peer.got.count(b'{"pos":') < 10000 and peer.more():
            pass
        found = [int(one.partition(b".")[2].partition(b'"')[0]) for one in bytes(peer.got).split(b'{"pos":"')[1:]]
        same(found, list(range(1, 10001)))
        same(set(pipelined(victim, [text_of("POST", "/t/pipe/presence", b"x")] * 10000)), {405})
    same(answer(topics(), "GET", "/t/pipe/history?limit=1").status, 200)
