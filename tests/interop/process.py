"""Processes of a test: servers that say where they listen, and programs that are talked to."""
import contextlib
import queue
import signal
import subprocess
import tempfile
import threading

PATIENCE = 60  # seconds


class Process:
    """A program whose lines can be awaited."""

    def __init__(self, *command):
        self.said = tempfile.TemporaryFile()
        self.child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.said,
                                      text=True, encoding="utf-8")
        self.lines = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self.child.stdout:
            self.lines.put(line.rstrip("\n"))
        self.lines.put(None)

    def line(self):
        """The next line; None at the end."""
        try:
            return self.lines.get(timeout=PATIENCE)
        except queue.Empty:
            raise AssertionError("nothing was printed") from None

    def say(self, text):
        self.child.stdin.write(text + "\n")
        self.child.stdin.flush()

    def hang_up(self):
        """Ends its input and waits for it; the exit status."""
        self.child.stdin.close()
        return self.child.wait(PATIENCE)

    def stop(self):
        if self.child.poll() is None:
            self.child.terminate()
        return self.child.wait(PATIENCE)


@contextlib.contextmanager
def serving(*command):
    """A server; yields its URL without a slash at the end, and the process, which has to end well."""
    server = Process(*command)
    try:
        word, _, url = (server.line() or "").partition(" ")
        if word != "listening":
            raise AssertionError(f"{command} did not listen")
        yield url.rstrip("/"), server
    finally:
        status = server.stop()
    if status not in (0, -signal.SIGTERM):
        server.said.seek(0)
        raise AssertionError(f"the server ended with {status}: {server.said.read().decode()}")


def run(*command, given=b""):
    """Runs to the end; output as bytes, what it said, exit status."""
    done = subprocess.run(command, input=given, capture_output=True, timeout=PATIENCE)
    return done.stdout, done.stderr.decode(), done.returncode
