"""hostile.py: a server that does to each connection what a function says, and runs of coho connect against it."""
import base64
import hashlib
import os
import re
import socket
import subprocess
import threading
from collections import namedtuple
from contextlib import contextmanager

from attack import COHO, PATIENCE, build, true
from peer import Peer

ANSWER = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {}\r\n"
GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

Done = namedtuple("Done", "out said status cpu_ms peak_kb")


def accepted(head):
    """What belongs into Sec-WebSocket-Accept."""
    key = re.search(r"(?i)\r\nsec-websocket-key: *([^\r]*)", head)[1]
    return base64.b64encode(hashlib.sha1((key + GUID).encode()).digest()).decode()


def opened(peer, more=""):
    """The right answer to the handshake, with further lines."""
    peer.send((ANSWER.format(accepted(peer.head())) + more + "\r\n").encode("latin-1"))


@contextmanager
def hostile(play, context=None):
    """Its URL. play(peer) runs on a thread for each connection, which is closed behind it."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=64)
    ended = threading.Event()

    def one(sock):
        try:
            sock.settimeout(PATIENCE)
            peer = Peer.of(context.wrap_socket(sock, server_side=True) if context else sock)
            play(peer)
            peer.close()
        except (OSError, AssertionError, ValueError):
            sock.close()  # the client is what is looked at

    def accept():
        while not ended.is_set():
            try:
                threading.Thread(target=one, args=(listener.accept()[0],), daemon=True).start()
            except OSError:
                return

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield f"{'wss' if context else 'ws'}://127.0.0.1:{listener.getsockname()[1]}/"
    finally:
        ended.set()
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


def connect(url, *words, given=b"", patience=PATIENCE, terminal=None):
    """Runs coho connect to its end, which has to come in time; what it cost. terminal: a descriptor to write to."""
    reading, writing = os.pipe()
    command = [build("cost"), str(writing), COHO, "connect", url, *words]
    try:
        done = subprocess.run(command, input=given, stdout=terminal or subprocess.PIPE, stderr=terminal or subprocess.PIPE,
                              pass_fds=(writing,), timeout=patience, check=True,
                              env=os.environ | {"TERM": "xterm", "HOME": "/nonexistent"})
    except subprocess.TimeoutExpired:
        raise AssertionError(f"coho connect {' '.join(words)} does not end within {patience} s") from None
    finally:
        os.close(writing)
        with os.fdopen(reading) as pipe:
            figures = pipe.read().split()
    status, cpu_us, peak_kb = map(int, figures)
    status = os.waitstatus_to_exitcode(status)
    true(status >= 0, f"coho connect died of signal {-status}")
    return Done(done.stdout, (done.stderr or b"").decode(errors="replace"), status, cpu_us / 1000, peak_kb)
