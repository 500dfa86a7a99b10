"""A tap on the line: passes bytes between a client and a server, and keeps them."""
import contextlib
import socket
import threading
from urllib.parse import urlsplit


class Tap:
    """Listens on a port of its own for connections to the server of `url`."""

    def __init__(self, url):
        parts = urlsplit(url)
        self.target = (parts.hostname, parts.port)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"{parts.scheme}://{parts.hostname}:{self.listener.getsockname()[1]}"
        self.plain = parts.scheme == "ws"
        self.conversations = []  # a pair of bytearrays for each connection: to the server, from it
        self.sockets = [self.listener]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                client = self.listener.accept()[0]
                server = socket.create_connection(self.target)
                self.sockets += [client, server]
                up, down = bytearray(), bytearray()
                self.conversations.append((up, down))
                for one, other, kept in ((client, server, up), (server, client, down)):
                    one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    threading.Thread(target=self._pass, args=(one, other, kept), daemon=True).start()

    @staticmethod
    def _pass(one, other, kept):
        try:
            while data := one.recv(1 << 16):
                kept += data
                other.sendall(data)
        except OSError:
            pass
        with contextlib.suppress(OSError):
            other.shutdown(socket.SHUT_WR)

    def sizes(self):
        """Bytes to the server and from it, over all connections."""
        return sum(len(up) for up, _ in self.conversations), sum(len(down) for _, down in self.conversations)

    def talk(self):
        """The WebSocket connection among the conversations, when it is not encrypted."""
        for up, down in self.conversations:
            if b"\r\nSec-WebSocket-Key:" in up or b"\r\nsec-websocket-key:" in up.lower():
                return Talk(up, down)
        raise AssertionError("no handshake came through the tap")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for one in self.sockets:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()


class Talk:
    """What a connection's bytes say: fields of its handshake, and frames."""

    def __init__(self, up, down):
        self.request, _, up_frames = bytes(up).partition(b"\r\n\r\n")
        self.answer, _, down_frames = bytes(down).partition(b"\r\n\r\n")
        self.up = list(frames(up_frames))
        self.down = list(frames(down_frames))

    def offer(self):
        return field(self.request, "Sec-WebSocket-Extensions")

    def agreed(self):
        return field(self.answer, "Sec-WebSocket-Extensions")


def field(head, name):
    """The values of a field, joined as RFC 9110 5.3 says; "" for none."""
    lines = (line.partition(":") for line in head.decode("latin-1").split("\r\n")[1:])
    return ", ".join(value.strip() for key, _, value in lines if key.strip().lower() == name.lower())


def frames(data):
    """(opcode, whether RSV1 is set, bytes of payload) of each whole frame."""
    at = 0
    while at + 2 <= len(data):
        first, second = data[at:at + 2]
        size, at = second & 127, at + 2
        more = {126: 2, 127: 8}.get(size, 0)
        if more:
            size = int.from_bytes(data[at:at + more], "big")
        at += more + (4 if second & 128 else 0) + size
        if at <= len(data):
            yield first & 15, bool(first & 64), size
