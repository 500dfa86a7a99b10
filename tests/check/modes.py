"""modes.py: options of coho check that need a server which looks, and servers that mean harm."""
import functools
import itertools
import socket
import struct
import subprocess
import threading
from contextlib import contextmanager

from checking import HERE, PATIENCE, PYTHON, Listener, check, driven, filters, results
from endpoint import Endpoint
from handshake import Refused, ServerHandshake, read_head
from wire import Wire

OUR_CLIENT = (PYTHON, "-B", HERE / "client.py")
BUFFER = 1 << 16
OPEN_STATES = (1, 4, 5)  # ESTABLISHED, FIN_WAIT1 and FIN_WAIT2 of TCP
HARM_TIMEOUT = 1  # seconds for one reaction
HARM_CASES = ("--filter", "1.1.2", "--filter", "2.2", "--filter", "7.3.2", "--filter", "handshake.version-0",
              "--filter", "http.length-minus", "--filter", "deflate.hello")


@contextmanager
def listening(serve):
    """A server that calls serve with each socket, in a thread; its URL."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=512)

    def one(sock):
        try:
            with sock:
                serve(sock)
        except (EOFError, OSError, Refused):
            pass

    def accept():
        while True:
            try:
                sock, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=one, args=(sock,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield f"ws://127.0.0.1:{listener.getsockname()[1]}/"
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


def echo(sock):
    wire = Wire(sock)
    Endpoint(wire, frozenset(), ServerHandshake(wire, frozenset()).answer()).run()


def fail_unless(good, text):
    if not good:
        raise AssertionError(text)


# ---- what is asked -------------------------------------------------------------------------------


def headers():
    """--header and --protocol are in every request; a refusal is told as one."""
    heads = []

    def refuse(sock):
        heads.append(read_head(Wire(sock)))
        sock.sendall(b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n")

    with listening(refuse) as url:
        out, said, status = check("--header", "Authorization: Bearer x", "-H", "X-Other: 1", "--protocol", "chat",
                                  f"{url}a?b=c")
    fail_unless(not out and status == 1 and "refused with 401" in said, f"{status}: {out}{said}")
    (first, lines), = heads
    wanted = {"Authorization: Bearer x", "X-Other: 1", "Sec-WebSocket-Protocol: chat"}
    fail_unless(first == "GET /a?b=c HTTP/1.1" and wanted <= set(lines), f"it asked: {first} {lines}")


def is_open(sock):
    """The peer has not ended its direction."""
    try:
        return sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0] in OPEN_STATES
    except OSError:
        return False


def one_at_a_time():
    """--at-once 1: each connection is over before the next one begins."""
    before, together = [], []

    def serve(sock):
        together.extend(other for other in before if is_open(other))
        before.append(sock)
        echo(sock)

    with listening(serve) as url:
        found = results("--at-once", "1", "--filter", "1", "--filter", "4", url)
    found.compare("", "")
    fail_unless(len(before) == len(found.cases) + 1, f"{len(before)} connections for {len(found.cases)} cases")
    fail_unless(not together, f"{len(together)} connections beside others")


# ---- how clients come ----------------------------------------------------------------------------


def by_itself():
    """A client that knows no paths: each connection is the next case."""
    listener = Listener(*filters("1.1 2.1 7.3"))
    try:
        for _ in check("--client", "--list", *filters("1.1 2.1 7.3"))[0].splitlines():
            subprocess.run([*OUR_CLIENT, listener.url], check=True, timeout=PATIENCE)
        listener.results().compare("", "")
    finally:
        listener.end()


def some_cases():
    """A driver that leaves cases out."""
    found, told = driven((*OUR_CLIENT, "--cases", "2", "4"), "1.1")
    found.compare("", "1.1 !1.1.2 !1.1.4")
    fail_unless(told == ["OK", "OK"], f"it was told {told}")


# ---- what means harm -----------------------------------------------------------------------------


def flood(sock, block):
    while True:
        sock.sendall(block)


def accepted(sock):
    """The handshake; then harm is done in answer to the first byte."""
    wire = Wire(sock)
    ServerHandshake(wire, frozenset()).answer()
    wire.some(1)


def endless_head(sock):
    sock.sendall(b"HTTP/1.1 101 Switching Protocols\r\n")
    flood(sock, b"X-More: 1\r\n" * 1000)


def endless_line(sock):
    flood(sock, b"H" * BUFFER)


def endless_interim(sock):
    flood(sock, b"HTTP/1.1 100 Continue\r\n\r\n" * 100)


def endless_body(sock):
    sock.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    flood(sock, b"x" * BUFFER)


def endless(frames):
    def harm(sock):
        accepted(sock)
        flood(sock, frames * (BUFFER // len(frames)))
    return harm


def endless_message(sock):
    accepted(sock)
    sock.sendall(b"\x02\x05first")
    flood(sock, (b"\x00\x7e\xff\xff" + bytes(0xffff)) * 4)


def endless_frame(sock):
    accepted(sock)
    sock.sendall(b"\x82\x7f" + struct.pack("!Q", 1 << 62))
    flood(sock, bytes(BUFFER))


def drip(sock):
    """A byte now and then, each within the time."""
    accepted(sock)
    sock.sendall(b"\x82\x7e\xff\xff")
    for _ in itertools.count():
        sock.sendall(b"x")
        sock.settimeout(HARM_TIMEOUT / 10)
        try:
            if not sock.recv(BUFFER):
                return
        except TimeoutError:
            pass


def mute(sock):
    """Reads nothing and says nothing."""
    threading.Event().wait(HARM_TIMEOUT * 20)


HARMS = {
    "a head that does not end": endless_head,
    "a line that does not end": endless_line,
    "interim answers without end": endless_interim,
    "a body that does not end": endless_body,
    "pings without end": endless(b"\x89\x00"),
    "pongs without end": endless(b"\x8a\x00"),
    "messages without end": endless(b"\x82\x01x"),
    "empty fragments without end": endless(b"\x00\x00"),
    "a message that does not end": endless_message,
    "a frame of 4 EiB": endless_frame,
    "a byte now and then": drip,
    "nothing at all": mute,
}


def harmful(harm):
    """The first connection, which asks whether there is an echo server, is served well."""
    first = threading.Lock()

    def serve(sock):
        if first.acquire(blocking=False):
            echo(sock)
        else:
            harm(sock)

    with listening(serve) as url:
        found = results("--timeout", HARM_TIMEOUT, *HARM_CASES, url)
        fail_unless(found.those("failed"), "nothing failed")


MODES = [
    ("--header, --protocol and a refusal", headers),
    ("--at-once", one_at_a_time),
    ("a client that connects by itself", by_itself),
    ("a driver that leaves cases out", some_cases),
    *((f"harmful server: {name}", functools.partial(harmful, harm)) for name, harm in HARMS.items()),
]
