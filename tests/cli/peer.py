"""peer.py: a WebSocket server written down frame by frame, to do what proper servers do not.

Prints `listening URL`. The path of the request says what it does, see the functions below. It ends
well on SIGTERM.
"""
import base64
import hashlib
import os
import signal
import socket
import struct
import threading
import time

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10


class Connection:
    def __init__(self, sock):
        self.sock = sock
        self.file = sock.makefile("rb")
        head = []
        while (line := self.file.readline().decode().rstrip("\r\n")):
            head.append(line)
        self.head = head
        self.path = head[0].split(" ")[1].partition("?")[0]
        self.fields = dict(line.split(": ", 1) for line in head[1:])

    def write(self, data):
        self.sock.sendall(data)

    def accept(self, *fields):
        key = self.fields["Sec-WebSocket-Key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
        digest = base64.b64encode(hashlib.sha1(key.encode()).digest()).decode()
        lines = ["HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade",
                 f"Sec-WebSocket-Accept: {digest}", *fields, "", ""]
        self.write("\r\n".join(lines).encode())

    def send(self, opcode, payload=b"", fin=True, rsv=0):
        size = len(payload)
        head = bytes([fin << 7 | rsv << 4 | opcode])
        if size < 126:
            head += bytes([size])
        elif size < 65536:
            head += struct.pack("!BH", 126, size)
        else:
            head += struct.pack("!BQ", 127, size)
        self.write(head + payload)

    def close(self, code=1000, reason=""):
        self.send(CLOSE, struct.pack("!H", code) + reason.encode())

    def receive(self):
        """The next frame's opcode and payload; None at the end."""
        head = self.file.read(2)
        if len(head) < 2:
            return None
        size = head[1] & 127
        if size == 126:
            size, = struct.unpack("!H", self.file.read(2))
        elif size == 127:
            size, = struct.unpack("!Q", self.file.read(8))
        mask = self.file.read(4)
        payload = bytes(byte ^ mask[i % 4] for i, byte in enumerate(self.file.read(size)))
        return head[0] & 15, payload

    def drain(self):
        while self.receive():
            pass


def head(c):
    """Tells what the client asked for, sorted, but for the key."""
    c.accept()
    fields = sorted(line for line in c.head[1:] if not line.startswith(("Host", "Sec-WebSocket-Key")))
    c.send(TEXT, "\n".join([c.head[0], *fields]).encode())
    c.close()


def code(c, number, reason=""):
    """Closes with this code and reason."""
    c.accept()
    c.close(int(number), reason.replace("_", " "))


def nocode(c):
    c.accept()
    c.send(CLOSE)


def bell(c):
    """Closes with a reason that a terminal would obey."""
    c.accept()
    c.close(1008, "\a\x1b[2J\u202enice")


def drop(c):
    """Is gone without a Close."""
    c.accept()


def deaf(c):
    """Never answers a Close."""
    c.accept()
    c.drain()


def talk(c):
    """Echoes; "go" brings three messages, and a Close is answered."""
    c.accept()
    while (frame := c.receive()):
        opcode, payload = frame
        for answer in [b"tick 1", b"tick 2", b"tick 3"] if payload == b"go" else [payload]:
            c.send({PING: PONG}.get(opcode, opcode), answer)
        if opcode == CLOSE:
            break


def ping(c):
    """Pings and tells what came back."""
    c.accept()
    c.send(PING, b"are you\tthere")
    opcode, payload = c.receive()
    c.send(TEXT, f"{opcode} {payload.decode()}".encode())
    c.close()


def pong(c):
    """A pong that nobody asked for."""
    c.accept()
    c.send(PONG, b"surprise")
    c.close()


def stranger(c):
    """Text that a terminal would obey or show wrongly."""
    c.accept()
    c.send(TEXT, "\x1b[31mred\x07 \u009b2J\r\n< two\tlines \u202egnp.exe \U000e0041 \u2713".encode())
    c.close()


def binary(c):
    c.accept()
    c.send(BINARY, bytes(range(40)))
    c.send(TEXT, b"text")
    c.send(BINARY, b"\n\xff")
    c.close()


def bulk(c, count):
    """One binary message of so many bytes."""
    c.accept()
    c.send(BINARY, bytes(int(count)))
    c.close()
    c.drain()


def fragments(c):
    c.accept()
    c.send(TEXT, "frag m\u00e9".encode()[:7], fin=False)
    c.send(PING)
    c.send(0, "\u00e9nts".encode()[1:])
    c.close()


def text(c, count):
    """So many text messages."""
    c.accept()
    for i in range(int(count)):
        c.send(TEXT, f"message {i}".encode())
    c.close()


def slowly(c):
    """Four messages, each within a second, all of them in more."""
    c.accept()
    for i in range(4):
        time.sleep(0.5)
        c.send(TEXT, f"message {i}".encode())
    c.close()


def endless(c):
    """Text until nobody reads it."""
    c.accept()
    try:
        while True:
            c.send(TEXT, b"on and on")
    except OSError:
        pass


def rsv(c):
    c.accept()
    c.send(TEXT, b"compressed?", rsv=4)
    c.drain()


def latin(c):
    c.accept()
    c.send(TEXT, b"caf\xe9")
    c.drain()


def refuse(c, status):
    c.write(f"HTTP/1.1 {status} Because\r\nContent-Length: 0\r\n\r\n".encode())


def explain(c, what):
    """Refuses with a body; what says which."""
    size, kind, more, body = None, "text/plain; charset=utf-8", "", b"No tea today.\r\nNor tomorrow.\n"
    if what == "web":
        kind, body = "text/html", b"<p>No tea"
    elif what == "bell":
        body = "\a\x1b[2J\u202eno\xff".encode() + b"\xff \"tea\""
    elif what == "long":
        body = b"tea " * 100
    elif what == "part":
        size, body = 10000, b"No tea"
    elif what == "more":
        size = 6
    elif what == "empty":
        body = b"\r\nNo tea\n"
    elif what == "chunks":
        more, body = "Transfer-Encoding: chunked\r\n", b"6\r\nNo tea\r\n0\r\n\r\n"
    elif what == "json":
        kind, body = "application/json", b'{"error":{"code":"forbidden","text":"no \x1b[2J tea"}}'
    elif what == "object":
        kind, body = "application/problem+json", b'{\n "text" : 7, "why": "no tea"}\n'
    elif what == "torn":
        kind, body = "application/json; charset=utf-8", b'{"text":"no \\'
    elif what == "packed":
        more = "Content-Encoding: gzip\r\n"
    length = "" if more.startswith("T") else f"Content-Length: {size or len(body)}\r\n"
    c.write(f"HTTP/1.1 403 Because\r\nContent-Type: {kind}\r\n{more}{length}\r\n".encode() + body)


def wrongkey(c):
    c.fields["Sec-WebSocket-Key"] = "AAAA"
    c.accept()


def mute(c):
    """Tells the test that the client is there, and leaves it without an answer."""
    print("muted", flush=True)
    c.file.read()


def choose(c, name):
    c.accept(f"Sec-WebSocket-Protocol: {name}")
    c.close()


def serve(sock):
    c = Connection(sock)
    name, *arguments = c.path.strip("/").split("/")
    try:
        globals()[name](c, *arguments)
        # What the client still sends is read, so that it sees our last frame and no reset.
        if name != "drop":
            sock.shutdown(socket.SHUT_WR)
            c.file.read()
    except OSError:
        pass
    sock.close()


def main():
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    listener = socket.create_server(("127.0.0.1", 0))
    print(f"listening ws://127.0.0.1:{listener.getsockname()[1]}/", flush=True)
    while True:
        sock, _ = listener.accept()
        threading.Thread(target=serve, args=[sock], daemon=True).start()


main()
