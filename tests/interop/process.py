"""Processes of a test: programs that are talked to line by line, and ended by their id."""
import os
import pathlib
import queue
import signal
import subprocess
import tempfile
import threading

PATIENCE = 20  # seconds for one line, one end, one command
# npm's ws would use the native helpers that another package brings.
ENVIRONMENT = os.environ | {"WS_NO_BUFFER_UTIL": "1", "WS_NO_UTF_8_VALIDATE": "1", "PYTHONDONTWRITEBYTECODE": "1"}

_alive = set()
_over = False
_lock = threading.Lock()


class Process:
    """A program whose lines can be awaited."""

    def __init__(self, *command, env=None):
        self.command = command
        self.said = tempfile.TemporaryFile()
        with _lock:
            if _over:
                raise AssertionError("the run is over")
            self.child = subprocess.Popen([str(word) for word in command], stdin=subprocess.PIPE,
                                          stdout=subprocess.PIPE, stderr=self.said, text=True, encoding="utf-8",
                                          env=ENVIRONMENT | (env or {}))
            _alive.add(self.child)
        self.lines = queue.SimpleQueue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self.child.stdout:
            self.lines.put(line.rstrip("\n"))
        self.lines.put(None)

    def line(self):
        """The next line; None at the end."""
        try:
            line = self.lines.get(timeout=PATIENCE)
        except queue.Empty:
            raise AssertionError(f"{self} printed nothing for {PATIENCE} s{self.complaint()}") from None
        if line is None:
            self.lines.put(None)
        return line

    def say(self, text):
        self.child.stdin.write(text + "\n")
        self.child.stdin.flush()

    def complaint(self):
        """What it said on standard error, for messages."""
        text = self.error_text().strip()
        return f"; it said: {text[-1500:]}" if text else ""

    def error_text(self):
        """Its standard error so far."""
        fd = self.said.fileno()  # whose position is the child's, too
        return os.pread(fd, os.fstat(fd).st_size, 0).decode(errors="replace")

    def wait_for_end(self, seconds):
        """Whether it ended within that time."""
        try:
            self.child.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def hang_up(self):
        """Ends its input and waits for it; the exit status."""
        try:
            self.child.stdin.close()
        except OSError:
            pass  # it is gone already
        return self._wait()

    def stop(self):
        if self.child.poll() is None:
            self.child.terminate()
        return self._wait()

    def kill(self):
        if self.child.poll() is None:
            self.child.kill()
        return self._wait()

    def _wait(self):
        try:
            status = self.child.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.child.kill()
            raise AssertionError(f"{self} does not end{self.complaint()}") from None
        with _lock:
            _alive.discard(self.child)
        return status

    def __str__(self):
        return " ".join(pathlib.Path(str(word)).name for word in self.command[:3])


def end_all():
    """Ends whatever still runs, by its id; nothing is started any more."""
    global _over
    with _lock:
        _over = True
        for child in _alive:
            child.kill()
        for child in _alive:
            child.wait()
        _alive.clear()


def end_on_signals():
    """SIGTERM and SIGHUP end the program as Ctrl-C does: through every `finally`."""
    def give_up(signo, _):
        raise SystemExit(128 + signo)
    for signo in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(signo, give_up)


def run(*command, given=b""):
    """Runs to the end; output as bytes, what it said, exit status."""
    done = subprocess.run([str(word) for word in command], input=given, capture_output=True, timeout=PATIENCE,
                          env=ENVIRONMENT, check=False)
    return done.stdout, done.stderr.decode(errors="replace"), done.returncode


def package_version(name):
    """Of a Debian package, without what Debian added; "" for none."""
    text = run("dpkg-query", "-W", "-f", "${Version}", name)[0].decode()
    return text.rpartition(":")[2].partition("-")[0]
