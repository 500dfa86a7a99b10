"""peer.py: a peer that is only a socket, and the frames it sends. What it says may be anything."""
import select
import socket
import ssl
import struct
import time

from attack import PATIENCE, same, true

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
KEY = "dGhlIHNhbXBsZSBub25jZQ=="
PIECE = 1 << 16


def masked(data, key):
    size = len(data)
    stream = (key * (size // 4 + 1))[:size]
    return (int.from_bytes(data, "big") ^ int.from_bytes(stream, "big")).to_bytes(size, "big")


def frame(opcode, payload=b"", fin=True, rsv=0, key=b"\x37\xfa\x21\x3d", form=None, length=None):
    """A frame; form 16 or 64 writes the length in so many bits, length claims another one, key None does not mask."""
    size = len(payload) if length is None else length
    form = form or (7 if size < 126 else 16 if size < 65536 else 64)
    bit = 0x80 if key else 0
    head = bytes([fin << 7 | rsv << 4 | opcode, bit | {7: size, 16: 126, 64: 127}[form]])
    head += {7: b"", 16: struct.pack(">H", size & 0xffff), 64: struct.pack(">Q", size)}[form]
    return head + (key + masked(payload, key) if key else payload)


def request(path="/echo", without=(), instead=(), more=""):
    """A handshake; fields left out by name, replaced, or added as lines."""
    fields = {"Host": "127.0.0.1", "Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13",
              "Sec-WebSocket-Key": KEY} | dict(instead)
    lines = [f"{name}: {value}" for name, value in fields.items() if name not in without]
    return ("\r\n".join([f"GET {path} HTTP/1.1", *lines]) + "\r\n" + more + "\r\n").encode("latin-1")


class Peer:
    def __init__(self, port, secure=False, narrow=False, context=None, host="127.0.0.1"):
        self.sock = socket.socket()
        if narrow:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.sock.settimeout(PATIENCE)
        self.sock.connect((host, port))
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if secure:
            self.sock = (context or trusting()).wrap_socket(self.sock, server_hostname="localhost")
        self.got = bytearray()
        self.gone = False  # the stream has ended, in whatever way

    @classmethod
    def of(cls, sock):
        """The other end: of a connection that was accepted."""
        peer = cls.__new__(cls)
        sock.settimeout(PATIENCE)
        peer.sock, peer.got, peer.gone = sock, bytearray(), False
        return peer

    def send(self, data):
        """All of it, or as much as the other side lets through before it ends."""
        try:
            self.sock.sendall(data)
        except (BrokenPipeError, ConnectionResetError, ssl.SSLError):
            return False
        return True

    def more(self):
        """Waits for bytes; False at the end."""
        if self.gone:
            return False
        try:
            data = self.sock.recv(PIECE)
        except TimeoutError:
            raise AssertionError(f"nothing came within {self.sock.gettimeout()} s; so far {bytes(self.got[-80:])}") from None
        except (ConnectionResetError, ssl.SSLError):
            data = b""
        self.got += data
        self.gone = not data
        return bool(data)

    def flood(self, pieces):
        """Sends while it reads what comes, until the pieces or the stream end; the bytes that went."""
        sent, end = 0, time.monotonic() + 4 * PATIENCE
        self.sock.setblocking(False)
        for piece in pieces:
            view = memoryview(piece)
            while view and not self.gone:
                true(time.monotonic() < end, "the flood does not end")
                try:
                    count = self.sock.send(view)
                    view, sent = view[count:], sent + count
                except (BlockingIOError, ssl.SSLWantWriteError):
                    select.select([self.sock], [self.sock], [], PATIENCE)
                except (BrokenPipeError, ConnectionResetError):
                    self.sock.settimeout(PATIENCE)
                    while self.more():
                        pass
                self._glance()
            if self.gone:
                break
        self.sock.settimeout(PATIENCE)
        return sent

    def _glance(self):
        try:
            while not self.gone:
                data = self.sock.recv(PIECE)
                self.got += data
                self.gone = not data
        except (BlockingIOError, ssl.SSLWantReadError):
            pass
        except (ConnectionResetError, ssl.SSLError):
            self.gone = True

    def take(self, size):
        data = bytes(self.got[:size])
        del self.got[:size]
        return data

    # ---- HTTP --------------------------------------------------------------------------------------

    def head(self):
        """The head of an answer, up to and with the empty line."""
        while b"\r\n\r\n" not in self.got:
            if not self.more():
                raise AssertionError(f"no answer, but the end behind {bytes(self.got)}")
        return self.take(self.got.index(b"\r\n\r\n") + 4).decode("latin-1")

    def rest(self):
        """Everything up to the end of the stream."""
        while self.more():
            pass
        return self.take(len(self.got))

    def refused(self, *statuses):
        """One answer with one of these statuses, which ends the connection; the answer."""
        answer = self.rest().decode("latin-1")
        true(answer[:9] == "HTTP/1.1 " and answer[9:12] in map(str, statuses), f"{answer[:60]!r}, not {statuses}")
        same(answer.count("HTTP/1.1 "), 1, "answers")
        true("\r\nconnection: close\r\n" in answer.lower(), f"no Connection: close in {answer!r}")
        return answer

    # ---- WebSocket ---------------------------------------------------------------------------------

    def upgrade(self, path="/echo", more=""):
        self.send(request(path, more=more))
        head = self.head()
        same(head[:13], "HTTP/1.1 101 ")
        return head

    def need(self, size):
        while len(self.got) < size:
            if not self.more():
                return False
        return True

    def frame(self):
        """(opcode, payload, rsv) of the next frame; None at the end of the stream."""
        if not self.need(2):
            return None
        first, second = self.got[0], self.got[1]
        extra = {126: 2, 127: 8}.get(second & 127, 0)
        if not self.need(2 + extra):
            return None
        size = int.from_bytes(self.got[2:2 + extra], "big") if extra else second
        same(second >> 7, 0, "mask of the server")
        if not self.need(2 + extra + size):
            return None
        self.take(2 + extra)
        return first & 15, self.take(size), first >> 4 & 7

    def message(self, opcode, payload):
        same(self.frame(), (opcode, payload, 0))

    def ended(self, *codes, skip=()):
        """A Close frame with one of these codes and no reason, then the end; frames of the opcodes in skip before it."""
        while (got := self.frame()) and got[0] in skip:
            pass
        true(got is not None, f"the stream ended without a Close, {codes} was to come")
        same(got[0], CLOSE, "opcode")
        code = int.from_bytes(got[1][:2], "big")
        true(code in codes, f"closed with {code}, not {codes}")
        same(len(got[1]), 2, "bytes of the Close")
        same(self.rest(), b"", "behind the Close")
        return code

    def close(self):
        self.sock.close()

    def reset(self):
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()


def trusting():
    """A client's TLS that takes any certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
