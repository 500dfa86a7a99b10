"""Attacks by peers that are slow, or silent, at each step: their deadline ends them."""
import time

from attack import PATIENCE, attack, same, true
from peer import CLOSE, PING, PONG, TEXT, frame, request
from victim import server

MANY = 50
HEAD = b"GET /stats HTTP/1.1\r\nHost: h\r\nX: "
BODY = b"POST /length HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\n"


def deadlines(**more):
    return server(head_ms=400, body_ms=400, keepalive_ms=300, tls_ms=400, secure=1, **more)


def drip(peers, data, every=0.05):
    """A byte now and then from each, until all have ended."""
    end = time.monotonic() + PATIENCE
    for at in range(int(PATIENCE / every)):
        true(time.monotonic() < end, "bytes now and then keep the connection")
        ended = 0
        for peer in peers:
            peer.send(data[at % len(data):][:1])
            peer.sock.settimeout(every / len(peers))
            try:
                ended += not peer.more()
            except AssertionError:
                pass  # nothing yet
        if ended == len(peers):
            return


@attack(10, "50 heads of one byte now and then, which do not reset the deadline: 408")
def slow_heads():
    with deadlines().bounded(memory_kb=1024, cpu_ms=100) as victim:
        victim.made += [victim.ask(HEAD) for _ in range(MANY)]
        drip(victim.made, b"a")
        for peer in victim.made:
            peer.refused(408)


@attack(10, "50 bodies of one byte now and then: 408")
def slow_bodies():
    with deadlines().bounded(memory_kb=1024, cpu_ms=100) as victim:
        victim.made += [victim.ask(BODY) for _ in range(MANY)]
        drip(victim.made, b"a")
        for peer in victim.made:
            peer.refused(408)


@attack(10, "50 connections that say nothing, over TCP, behind a TLS handshake, and between two requests: the end")
def silence():
    with deadlines().bounded(memory_kb=MANY * 3 * 64, cpu_ms=100) as victim:
        quiet = [victim.peer() for _ in range(MANY)]
        behind_tls = [victim.peer(secure=True) for _ in range(10)]
        idle = [victim.ask(b"GET /stats HTTP/1.1\r\nHost: h\r\n\r\n") for _ in range(MANY)]
        victim.made += quiet + behind_tls + idle
        for peer in quiet + behind_tls:
            same(peer.rest(), b"")
        for peer in idle:
            true(peer.rest().startswith(b"HTTP/1.1 200 "), "the first request is not answered")


@attack(10, "50 connections whose peer is silent behind the handshake: a ping, then the end")
def silent_peers():
    with server(ping_ms=400, pong_ms=300).bounded(memory_kb=1024, cpu_ms=100) as victim:
        victim.made += [victim.talker() for _ in range(MANY)]
        for peer in victim.made:
            ping = peer.frame()
            same((ping[0], len(ping[1])), (PING, 8))
        for peer in victim.made:
            same(peer.frame(), None)


@attack(10, "a peer that answers pings and no more, and one that sends a byte of a frame now and then: alive, until the message is late")
def barely_alive():
    with server(ping_ms=200, pong_ms=400, message_ms=900).bounded(memory_kb=256, cpu_ms=100) as victim:
        peer = victim.talker()
        for _ in range(5):
            ping = peer.frame()
            same((ping[0], len(ping[1])), (PING, 8))
            peer.send(frame(PONG))
        peer.send(frame(TEXT, b"here"))
        peer.message(TEXT, b"here")
        peer.close()
        peer = victim.talker()
        peer.send(frame(TEXT, b"a" * 120, key=b"\0\0\0\0")[:8])
        drip([peer], b"a" * 10)
        same(bytes(peer.got[-4:]), b"\x88\x02\x03\xf0")
        peer.close()


@attack(26, "peers that stay behind the last words of the server: cut after a second")
def stays():
    with server().bounded(memory_kb=512, cpu_ms=100) as victim:
        for data, status in ((request() + frame(3), None), (request(without=("Sec-WebSocket-Key",)), 400)):
            for _ in range(10):
                peer = victim.ask(data)
                victim.made.append(peer)
                if status:
                    peer.refused(status)
                else:
                    peer.head()
                    peer.ended(1002)
        victim.quiet(1)  # although none of them has closed


@attack(26, "peers that never answer a Close: cut at its deadline")
def unanswered_close():
    with server(message_ms=200, close_ms=300).bounded(memory_kb=512, cpu_ms=100) as victim:
        for _ in range(10):
            peer = victim.talker()
            victim.made.append(peer)
            peer.send(frame(TEXT, b"a", fin=False))
        for peer in victim.made:
            same(peer.frame(), (CLOSE, b"\x03\xf0", 0))
        victim.quiet(1)
