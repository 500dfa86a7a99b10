"""websocketd as an End: the program that it starts for a connection tells and obeys through a socket."""
import contextlib
import pathlib
import queue
import socket
import tempfile
import threading

import ports
from end import End
from process import PATIENCE, Process, package_version

CHILD = pathlib.Path(__file__).resolve().parent / "peers/websocketd_child.py"


class Relay:
    """What End asks of a process, spoken with the connection that came last."""

    def __init__(self):
        self.folder = tempfile.TemporaryDirectory(prefix="coho-interop-")
        self.path = str(pathlib.Path(self.folder.name) / "socket")
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.path)
        self.listener.listen()
        self.lines = queue.SimpleQueue()
        self.child = None
        self.daemon = None
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                self.child = self.listener.accept()[0]
                threading.Thread(target=self._read, args=(self.child,), daemon=True).start()

    def _read(self, child):
        with contextlib.suppress(OSError), child.makefile("r", encoding="utf-8") as lines:
            for line in lines:
                self.lines.put(line.rstrip("\n"))

    def line(self):
        try:
            return self.lines.get(timeout=PATIENCE)
        except queue.Empty:
            raise AssertionError(f"{self} saw nothing for {PATIENCE} s{self.complaint()}") from None

    def say(self, text):
        self.child.sendall((text + "\n").encode())

    def complaint(self):
        return self.daemon.complaint() if self.daemon else ""

    def _end(self, end_daemon):
        if self.daemon:
            end_daemon(self.daemon)
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        if self.child:
            self.child.close()
        self.folder.cleanup()
        return 0

    def hang_up(self):
        return self._end(Process.stop)

    def kill(self):
        return self._end(Process.kill)

    def __str__(self):
        return "websocketd"


class Websocketd(End):
    @classmethod
    def start(cls, folder):
        relay = Relay()
        secure = ["--ssl", f"--sslcert={folder}/cert.pem", f"--sslkey={folder}/key.pem"] if folder else []
        try:
            relay.daemon, port = ports.start(
                lambda port: ["websocketd", f"--port={port}", "--address=127.0.0.1", "--passenv=COHO_INTEROP",
                              *secure, "/usr/bin/python3", "-IS", CHILD], env={"COHO_INTEROP": relay.path})
        except BaseException:
            relay.kill()
            raise
        relay.lines.put(f"version {package_version('websocketd')}")
        relay.lines.put(f"listening {'wss' if folder else 'ws'}://127.0.0.1:{port}")
        return cls(relay)
