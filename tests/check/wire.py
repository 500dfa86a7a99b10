"""wire.py: a socket that is read in pieces, and the masks of what goes through it."""
import socket
import time

DRAIN_BYTES, DRAIN_SECONDS = 1 << 16, 2
PIECE = 1 << 18
PATIENCE = 30  # seconds


class Wire:
    def __init__(self, sock):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.settimeout(PATIENCE)
        self.sock = sock
        self.ahead, self.at = b"", 0

    def some(self, most):
        """Between 1 and most bytes, as many as are there; EOFError at the end."""
        if self.at == len(self.ahead):
            self.ahead, self.at = self.sock.recv(PIECE), 0
            if not self.ahead:
                raise EOFError
        piece = self.ahead[self.at:self.at + most]
        self.at += len(piece)
        return piece

    def exactly(self, size):
        data = self.some(size)
        while len(data) < size:
            data += self.some(size - len(data))
        return data

    def until(self, end, most):
        """Bytes up to and with end, or more than most bytes without it."""
        data = b""
        while not data.endswith(end) and len(data) <= most:
            data += self.some(1)
        return data

    def idle(self, seconds):
        """Nothing comes for so long."""
        if self.at < len(self.ahead):
            return False
        self.sock.settimeout(seconds)
        try:
            self.ahead, self.at = self.sock.recv(PIECE), 0
        except TimeoutError:
            return True
        finally:
            self.sock.settimeout(PATIENCE)
        if not self.ahead:
            raise EOFError
        return False

    def follows(self, byte, seconds):
        """The next byte is this one, and comes within so long."""
        return not self.idle(seconds) and self.ahead[self.at] == byte

    def write(self, data):
        self.sock.sendall(data)

    def drain(self):
        """Reads and forgets what comes until the peer ends, for a while, so that what was written is not lost."""
        self.sock.settimeout(DRAIN_SECONDS)
        until, got = time.monotonic() + DRAIN_SECONDS, 0
        while got < DRAIN_BYTES and time.monotonic() < until and (data := self.sock.recv(PIECE)):
            got += len(data)

    def finish(self):
        """Ends the connection so that the peer can read everything."""
        try:
            self.sock.shutdown(socket.SHUT_WR)
            self.drain()
        except OSError:
            pass
        self.close()

    def close(self):
        self.sock.close()


def xor(data, key, at=0):
    """Masks or unmasks data, which begins at byte `at` of its payload."""
    size = len(data)
    turned = key[at % 4:] + key[:at % 4]
    stream = (turned * (size // 4 + 1))[:size]
    return (int.from_bytes(data, "big") ^ int.from_bytes(stream, "big")).to_bytes(size, "big")
