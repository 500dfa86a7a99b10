"""Attacks by what proxies say of their clients: PROXY headers, X-Forwarded-For."""
import re

from attack import attack, same, true, until
from peer import Peer, request
from victim import program

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
FOUR = b"\xc0\0\x02\x01\x7f\0\0\x01\x12\x67\0\x50"  # 192.0.2.1:4711
LINE = b"PROXY TCP4 192.0.2.1 127.0.0.1 4711 80\r\n"
ASK = "GET /healthz HTTP/1.1\r\nHost: h\r\nConnection: close\r\n"
MEMORY_KB = 2048


def silent(victim, data):
    """The end, and not a byte before it."""
    peer = victim.ask(data)
    same(peer.rest(), b"", f"{data[:60]}: the answer")
    peer.close()


def answered(victim, data):
    peer = victim.ask(data)
    same(peer.rest()[:13], b"HTTP/1.1 200 ", f"{data[:60]}: the answer")
    peer.close()


def seen(victim, wanted):
    """The access log names this peer; its lines up to that are used up."""
    def found():
        while victim.said:
            line = victim.said.pop(0)
            if re.search("(^| )" + re.escape(wanted) + ' "', line):
                return True
        return False
    until(found, f"a line of {wanted} in the access log")


@attack(52, "PROXY headers that are none, break off, do not fit, lie about their length or checksum: the end without a byte")
def bad_headers():
    with program("--proxy-protocol", "127.0.0.0/8") as victim:
        answered(victim, LINE + ASK.encode() + b"\r\n")
        grown = victim.rss_kb()
        for data in (request(), b"\x16\x03\x01\x02\0", b"PROXY TCP4 1.2.3.4 1.2.3.4 1 65536\r\n", b"PROXY " * 100,
                     b"PROXY TCP4 192.0.2.1 127.0.0.1 1 2 3\r\n", b"PROXY UNKNOWN " + b"x" * 200 + b"\r\n", LINE.lower(),
                     LINE.replace(b"\r\n", b"\n") + request(), b" " + LINE, LINE.replace(b"TCP4", b"TCP6"),
                     SIGNATURE + b"\x11\x11\0\x0c" + FOUR, SIGNATURE + b"\x2f\x11\0\x0c" + FOUR,
                     SIGNATURE + b"\x21\x11\0\x0b" + FOUR, SIGNATURE + b"\x21\xf1\0\x0c" + FOUR,
                     SIGNATURE + b"\x21\x11\0\x0f" + FOUR + b"\x01\xff\xff", SIGNATURE[:-1] + b"!",
                     SIGNATURE + b"\x21\x11\0\x13" + FOUR + b"\x03\0\x04\0\0\0\0"):
            silent(victim, data + b"\0" * 300)
        same(Peer(victim.port).rest(), b"", "what comes in 3 s")  # says nothing
        for _ in range(100):
            answered(victim, SIGNATURE + b"\x21\x11\xff\xff" + FOUR + b"\xe0\xff\xf0" + bytes(65520) + ASK.encode() + b"\r\n")
        answered(victim, LINE + ASK.encode() + b"\r\n")
        true(victim.peak_kb() - grown <= MEMORY_KB, f"memory grew by {victim.peak_kb() - grown} KiB")


@attack("A15", "a right PROXY header from an address that is no proxy: the end; 200 that only wait are gone after 3 s")
def foreign_headers():
    with program("--proxy-protocol", "10.0.0.0/8") as victim:
        silent(victim, LINE + ASK.encode() + b"\r\n")
        silent(victim, ASK.encode() + b"\r\n")
    with program("--proxy-protocol", "127.0.0.0/8") as victim:
        answered(victim, LINE + ASK.encode() + b"\r\n")
        before = victim.fds()
        waiting = [victim.ask(b"PROXY TCP4 ") for _ in range(200)]
        answered(victim, LINE + ASK.encode() + b"\r\n")
        for peer in waiting:
            same(peer.rest(), b"")
            peer.close()
        until(lambda: victim.fds() <= before, "the descriptors are given back")


@attack("A16", "X-Forwarded-For of clients, direct and through a proxy, in 12 disguises: the client never chooses its address")
def forged_clients():
    lies = ("203.0.113.9", "10.1.1.1", "unknown", '"', '"10.1.1.1', "[::1", ",,,", "203.0.113.9:80", "::ffff:10.0.0.1",
            "_hidden", "a" * 2000, ", " * 500)
    with program("--access-log", "--trust-proxy", "127.0.0.0/8", "--trust-proxy", "10.0.0.0/8") as victim:
        for number, lie in enumerate(lies):
            client = f"192.0.2.{number}"
            answered(victim, f"{ASK}X-Forwarded-For: {lie}, {client}, 10.7.7.7\r\n\r\n".encode())
            seen(victim, client)
            answered(victim, f"{ASK}X-Forwarded-For: {lie}\r\nForwarded: for=203.0.113.9\r\n"
                             f"X-Real-IP: 203.0.113.9\r\nX-Forwarded-For: {client}\r\n\r\n".encode())
            seen(victim, client)
    with program("--access-log", "--trust-proxy", "10.0.0.0/8") as victim:
        for lie in lies:
            peer = victim.peer()
            own = "127.0.0.1:%d" % peer.sock.getsockname()[1]
            peer.send(f"{ASK}X-Forwarded-For: {lie}\r\n\r\n".encode())
            same(peer.rest()[:13], b"HTTP/1.1 200 ")
            seen(victim, own)
            peer.close()


@attack("A16", "a client over its limit who changes its X-Forwarded-For: still over it, while others are served")
def forged_limits():
    with program("--trust-proxy", "127.0.0.0/8", "--limit", "per-address=2") as victim:
        held = [victim.talker(more="X-Forwarded-For: 192.0.2.1\r\n") for _ in range(2)]
        for lie in ("203.0.113.9", "127.0.0.1", "unknown", '"'):
            peer = victim.ask(request(more=f"X-Forwarded-For: {lie}, 192.0.2.1\r\n"))
            peer.refused(503)
            peer.close()
        held.append(victim.talker(more="X-Forwarded-For: 192.0.2.1, 192.0.2.2\r\n"))
        for peer in held:
            peer.close()
