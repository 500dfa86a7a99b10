#!/usr/bin/env python3
"""systemd.py [abstract] COMMAND...: starts a server as systemd does, and plays its part.

The server gets three sockets, by TCP, by a unix socket, and one that is named wss, and a socket to tell how
it does, in the file system or abstract; it is watched. Printed is what it tells, what each socket answers
to GET /healthz, what it tells on SIGHUP and SIGTERM, whether the file of the unix socket is still there,
and its exit status. That it is alive is printed once, when it was told three times.
"""
import contextlib
import os
import signal
import socket
import ssl
import sys
import tempfile

PATIENCE = 20
WATCHDOG_US = 100_000
FIRST_FD = 3


class Teller:
    """Reads what the server tells, a datagram of lines at a time."""

    def __init__(self, address):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(address)
        self.socket.settimeout(PATIENCE)
        self.alive = 0

    def next(self):
        while True:
            lines = self.socket.recv(4096).decode().split("\n")
            if lines != ["WATCHDOG=1"]:
                return lines
            self.alive += 1

    def expect(self, text):
        lines = self.next()
        for line in lines:
            name, _, value = line.partition("=")
            print(name + "=" + ("N" if name == "MONOTONIC_USEC" and value.isdigit() else value.split(":")[0]))
        if text not in lines:
            sys.exit(f"no {text}: {lines}")

    def expect_alive(self):
        enough = self.alive + 3
        while self.alive < enough:
            if self.socket.recv(4096) != b"WATCHDOG=1":
                sys.exit("something else than WATCHDOG=1")
            self.alive += 1
        print("WATCHDOG=1")


def start(command, sockets, names, notify):
    child = os.fork()
    if child:
        return child
    # First out of the way of each other.
    copies = [os.dup(s.fileno()) for s in sockets]
    copies = [os.dup2(fd, FIRST_FD + 60 + i) for i, fd in enumerate(copies)]
    for i, fd in enumerate(copies):
        os.dup2(fd, FIRST_FD + i)
        os.close(fd)
    os.environ |= {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": str(len(sockets)), "LISTEN_FDNAMES": ":".join(names),
                   "NOTIFY_SOCKET": notify, "WATCHDOG_PID": str(os.getpid()), "WATCHDOG_USEC": str(WATCHDOG_US)}
    os.closerange(FIRST_FD + len(sockets), 256)
    os.execvp(command[0], command)


def ask(listener, secure):
    with socket.socket(listener.family, socket.SOCK_STREAM) as plain:
        plain.settimeout(PATIENCE)
        plain.connect(listener.getsockname())
        trust = ssl.create_default_context()
        trust.check_hostname = False
        trust.verify_mode = ssl.CERT_NONE
        with trust.wrap_socket(plain) if secure else contextlib.nullcontext(plain) as s:
            s.sendall(b"GET /healthz HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
            answer = b""
            while part := s.recv(4096):
                answer += part
    print(answer.split(b"\r\n")[0].decode(), answer.rsplit(b"\r\n")[-1].decode().strip())


def main():
    words = sys.argv[1:]
    abstract = words[0] == "abstract"
    command = words[abstract:]
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/coho.sock"
        tcp, local, secure = (socket.socket(family) for family in (socket.AF_INET, socket.AF_UNIX, socket.AF_INET))
        local.bind(path)
        for s in (tcp, secure):
            s.bind(("127.0.0.1", 0))
        for s in (tcp, local, secure):
            s.listen(16)
        address = "\0" + folder if abstract else f"{folder}/notify"
        teller = Teller(address)
        child = start(command, (tcp, local, secure), ("coho.socket", "", "wss"), address.replace("\0", "@"))
        sys.stdout.flush()
        teller.expect("READY=1")
        for s in (tcp, local, secure):
            ask(s, s is secure)
        teller.expect_alive()
        os.kill(child, signal.SIGHUP)
        teller.expect("RELOADING=1")
        teller.expect("READY=1")
        teller.expect_alive()
        os.kill(child, signal.SIGTERM)
        teller.expect("STOPPING=1")
        _, status = os.waitpid(child, 0)
        print("file", "stays" if os.path.exists(path) else "is gone")
        print("exit", os.waitstatus_to_exitcode(status))


main()
