"""raw.py URL [PART...]: a client that does only what it is told, without TLS, and tells what comes.

A part is bytes, where escapes such as \\r and \\x81 work, or one of
  upgrade:PATH   the request of a handshake
  times:N:PART   the part so often
  deaf           from here on nothing is read: wait until the server gives up
Prints the first line of each head, frames as `close 1008`, `ping`, `text 5` (bytes), and at the end `end`.
With nothing from the server for PATIENCE seconds it prints `nothing` and ends.
"""
import select
import socket
import struct
import sys
import urllib.parse

PATIENCE = 4  # less than the shortest deadline that a server has by default
NAMES = {0: "part", 1: "text", 2: "binary", 8: "close", 9: "ping", 10: "pong"}


def handshake(path):
    return (f"GET {path} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n").encode()


def bytes_of(part):
    word, _, rest = part.partition(":")
    if word == "upgrade":
        return handshake(rest)
    if word == "times":
        count, _, rest = rest.partition(":")
        return int(count) * bytes_of(rest)
    return part.encode("latin-1").decode("unicode_escape").encode("latin-1")


def frame(file):
    head = file.read(2)
    if not head:
        return None
    size = head[1] & 127
    if size > 125:
        size = int.from_bytes(file.read(2 if size == 126 else 8), "big")
    payload = file.read(size)
    number = struct.unpack("!H", payload[:2])[0] if size and head[0] & 15 == 8 else size
    return f"{NAMES[head[0] & 15]} {number}" if size else NAMES[head[0] & 15]


def answer(file):
    """The first line of a head, whose body is skipped; None at the end."""
    first = line = file.readline()
    size = 0
    while line.strip():
        line = file.readline()
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            size = int(value)
    file.read(size)
    return first.decode().strip() or None


def listen(sock):
    file = sock.makefile("rb")
    read = answer
    while (what := read(file)):
        print(what, flush=True)
        if what.startswith("HTTP/1.1 101"):
            read = frame


def wait_deaf(sock):
    poll = select.poll()
    poll.register(sock, select.POLLRDHUP)
    if not poll.poll(1000 * PATIENCE):
        raise TimeoutError


def main():
    url, *parts = sys.argv[1:]
    address = urllib.parse.urlsplit(url)
    sock = socket.create_connection((address.hostname, address.port))
    sock.settimeout(PATIENCE)
    try:
        for part in parts:
            if part != "deaf":
                sock.sendall(bytes_of(part))
        (wait_deaf if "deaf" in parts else listen)(sock)
        print("end")
    except TimeoutError:
        print("nothing")
    except ConnectionError:
        print("end")


main()
