"""victim.py: the server under attack as a process, what it costs, and a good peer who is served all the time."""
import os
import signal
import subprocess
import threading
import time
from contextlib import contextmanager

from attack import COHO, PATIENCE, build, same, true, until
from peer import BINARY, TEXT, Peer, frame

MS = 1_000_000  # ns
OVERHEAD_KB = 128  # of a process that does nothing special: stacks that are touched, what malloc keeps
KEPT_BYTES = 448 * 1024  # that coho counts and a loop may keep after all attacks: what compresses, some buffers

FIGURES = []  # what the attacks cost since somebody looked


class Victim:
    """Started by its command, which prints `listening URL` lines; ended when the group is through."""

    def __init__(self, *command, listeners=1, before=None):
        self.child = subprocess.Popen([str(word) for word in command], stdin=subprocess.DEVNULL,
                                      stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=before)
        self.pid = self.child.pid
        self.said = []
        threading.Thread(target=self._listen, daemon=True).start()
        self.urls = [self._url() for _ in range(listeners)]
        self.port, self.secure_port = (int(url.rpartition(":")[2].strip("/")) for url in (self.urls[0], self.urls[-1]))

    def _listen(self):
        for line in self.child.stderr:
            self.said.append(line)

    def _url(self):
        word, _, url = self.child.stdout.readline().strip().partition(" ")
        true(word == "listening", f"the server does not start: {''.join(self.said)}")
        return url

    def stop(self):
        """It ends well, which it would not after a crash."""
        if self.child.poll() is None:
            self.child.send_signal(signal.SIGTERM)
        try:
            status = self.child.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.wait()
            raise AssertionError("the server does not end") from None
        self.child.stdout.close()
        same(status, 0, f"the server's exit status; it said {''.join(self.said)[-300:]}")

    # ---- what it costs -----------------------------------------------------------------------------

    def _proc(self, name):
        with open(f"/proc/{self.pid}/{name}", encoding="ascii") as file:
            return file.read()

    def _status_kb(self, name):
        return next(int(line.split()[1]) for line in self._proc("status").splitlines() if line.startswith(name + ":"))

    def rss_kb(self):
        return self._status_kb("VmRSS")

    def peak_kb(self):
        """The highest since forget_peak()."""
        return self._status_kb("VmHWM")

    def forget_peak(self):
        with open(f"/proc/{self.pid}/clear_refs", "w", encoding="ascii") as file:
            file.write("5")

    def cpu_ms(self):
        threads = os.listdir(f"/proc/{self.pid}/task")
        return sum(int(self._proc(f"task/{thread}/schedstat").split()[0]) for thread in threads) / MS

    def fds(self):
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    # ---- good peers --------------------------------------------------------------------------------

    def peer(self, **options):
        return Peer(self.secure_port if options.get("secure") else self.port, **options)

    def talker(self, path="/echo", more="", **options):
        peer = self.peer(**options)
        peer.upgrade(path, more)
        return peer

    def ask(self, data, **options):
        """A connection that sends this."""
        peer = self.peer(**options)
        peer.send(data)
        return peer

    def greet(self):
        peer = self.talker()
        peer.send(frame(TEXT, b"hello"))
        peer.message(TEXT, b"hello")
        peer.send(frame(8, b"\x03\xe8"))
        peer.ended(1000)
        peer.close()

    def stats(self):
        peer = self.ask(b"GET /stats HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
        body = peer.rest().decode().partition("\r\n\r\n")[2]
        peer.close()
        return {name: int(value) for name, value in map(str.split, body.splitlines())}

    def warm(self):
        """So that what a loop keeps for ever is there already: buffers, what compresses, what a blocked peer needs."""
        block = bytes(range(256)) * 512
        for _ in range(2):
            for more in ("", "Sec-WebSocket-Extensions: permessage-deflate\r\n"):
                peer = self.talker(more=more, secure=self.secure_port != self.port)
                peer.send(frame(BINARY, block))
                true(peer.frame()[0] == BINARY, "the server does not echo")
                peer.close()
        peer = self.talker(narrow=True)
        peer.sock.settimeout(0.1)
        try:
            while peer.send(frame(BINARY, block)):
                pass
        except TimeoutError:
            pass  # it waits until the peer reads
        peer.close()
        self.first = self.quiet(0)
        return self

    def quiet(self, others):
        """Waits until there are no other connections; the figures."""
        return until(lambda: (s := self.stats())["sockets"] == others + 1 and s, "all connections are gone")

    @contextmanager
    def bounded(self, memory_kb, cpu_ms, kept_bytes=KEPT_BYTES):
        """While this is attacked a good peer is served, memory and processor time stay within the bounds, and
        afterwards coho counts no connection more, and not much more memory than before the first attack."""
        self.quiet(0)
        with Bystander(self) as bystander:
            rss, cpu = self.rss_kb(), self.cpu_ms()
            self.forget_peak()
            peers = []
            self.made = peers
            try:
                yield self
            finally:
                for peer in peers:
                    peer.close()
            grown, used = self.peak_kb() - rss, self.cpu_ms() - cpu
            bystander.look()
        self.greet()
        after = self.quiet(0)
        more = after["memory"] - self.first["memory"]
        FIGURES.append(f"{grown} of {memory_kb} + {OVERHEAD_KB} KiB, {used:.0f} of {cpu_ms} ms, {more} of {kept_bytes} bytes kept, "
                       f"others waited {1000 * bystander.slowest:.0f} ms at most")
        true(grown <= memory_kb + OVERHEAD_KB, f"memory grew by {grown} KiB, {memory_kb} + {OVERHEAD_KB} are allowed")
        true(used <= cpu_ms, f"it took {used:.0f} ms of processor time, {cpu_ms} are allowed")
        true(more <= kept_bytes, f"{more} bytes were not given back")


class Bystander:
    """A good peer, whose messages are answered whatever happens to others."""

    def __init__(self, victim):
        self.peer = victim.talker()
        self.stopped = threading.Event()
        self.rounds, self.slowest, self.trouble = 0, 0.0, None
        self.thread = threading.Thread(target=self._run, daemon=True)

    def _run(self):
        try:
            while not self.stopped.wait(0.02):
                begun = time.monotonic()
                self.peer.send(frame(TEXT, b"still there?"))
                self.peer.message(TEXT, b"still there?")
                self.slowest = max(self.slowest, time.monotonic() - begun)
                self.rounds += 1
        except (AssertionError, OSError) as error:
            self.trouble = error

    def look(self):
        """It is answered once more, now."""
        seen = self.rounds
        until(lambda: self.rounds > seen or self.trouble, "a good peer is answered")
        true(not self.trouble, f"a good peer was not served: {self.trouble}")

    def __enter__(self):
        self.thread.start()
        self.look()
        return self

    def __exit__(self, *_):
        self.stopped.set()
        self.thread.join(2 * PATIENCE)
        self.peer.close()


# ---- the servers of a group ------------------------------------------------------------------------

_running = {}


def server(source="server", **options):
    """The server of server.c, or topics_server.c, with these options, shared by the attacks of a run, and warm."""
    words = tuple(f"{name}={value}" for name, value in sorted(options.items()))
    victim = _running.get((source, *words))
    if not victim or victim.child.poll() is not None:
        victim = Victim(build(source), *words, listeners=2 if options.get("secure") else 1)
        _running[(source, *words)] = victim
        victim.warm()
    return victim


def stop_all():
    """Ends the servers of the attacks so far; raises when one does not end well."""
    problems = []
    for victim in list(_running.values()):
        try:
            victim.stop()
        except AssertionError as error:
            problems.append(str(error))
    _running.clear()
    true(not problems, "; ".join(problems))


@contextmanager
def program(*words, before=None):
    """coho serve, for one attack."""
    victim = Victim(COHO, "serve", "--listen", "ws://127.0.0.1:0", *words, before=before)
    try:
        yield victim
    finally:
        victim.stop()
