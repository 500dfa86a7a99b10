"""Servers that cannot take port 0: they get a free one, and another when somebody else was faster."""
import contextlib
import pathlib
import socket
import sys

from process import PATIENCE, Process

TRIES = 5


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


def owns_listener(pid, port):
    """Whether the process itself listens on the port."""
    address = int.from_bytes(socket.inet_aton("127.0.0.1"), sys.byteorder)
    listens = f" {address:08X}:{port:04X} 00000000:0000 0A "
    sockets = {f"socket:[{line.split()[9]}]"
               for line in pathlib.Path("/proc/net/tcp").read_text(encoding="ascii").splitlines() if listens in line}
    with contextlib.suppress(OSError):
        return any(str(link.readlink()) in sockets for link in pathlib.Path(f"/proc/{pid}/fd").iterdir())
    return False


def listens(process, port):
    """Waits until it listens; False when it ended, as it does when somebody else has the port."""
    for _ in range(PATIENCE * 50):
        if owns_listener(process.child.pid, port):
            return True
        if process.wait_for_end(0.02):
            return False
    raise AssertionError(f"{process} does not listen{process.complaint()}")


def start(command, env=None):
    """command(PORT) is what to run; the process, which listens, and its port."""
    for _ in range(TRIES):
        port = free_port()
        process = Process("setpriv", "--pdeathsig", "KILL", *command(port), env=env)
        if listens(process, port):
            return process, port
        process.kill()
    raise AssertionError(f"{process} does not start{process.complaint()}")
