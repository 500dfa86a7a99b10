"""peak.py [--stall] FILE COMMAND...: runs it with the file as its input, and says on standard error when
it took much memory. --stall reads what it prints only once it neither reads nor writes any more.

The limit is far less than what goes through. It allows for the memory of this interpreter, which the
system counts as the command's before it is started, and for a sanitizer's.
"""
import fcntl
import os
import resource
import struct
import subprocess
import sys
import termios
import threading
import time

ASLEEP = 25  # looks, some ms apart, at which nothing had moved


def waiting(pipe):
    """How many bytes are in the pipe; none when it was closed."""
    try:
        return struct.unpack("i", fcntl.ioctl(pipe, termios.FIONREAD, b"\0" * 4))[0]
    except ValueError:
        return 0


def await_stall(child):
    """Something waits to be read, and for some looks nothing has moved while the program slept."""
    before, still = None, 0
    while still < ASLEEP:
        with open(f"/proc/{child.pid}/stat", encoding="ascii") as stat:
            fields = stat.read().rpartition(")")[2].split()
        now = (fields[0], fields[11:13], waiting(child.stdout), waiting(child.stdin))
        still = still + 1 if now == before and fields[0] == "S" and now[2] else 0
        before = now
        time.sleep(0.004)


def feed(child, path):
    with open(path, "rb") as source, child.stdin as pipe:
        while data := source.read(65536):
            pipe.write(data)


def main():
    words = sys.argv[1:]
    stall = words[0] == "--stall"
    path, *command = words[stall:]
    # What a sanitizer keeps back of freed memory would hide what the program needs.
    options = os.environ.get("ASAN_OPTIONS", "") + ":quarantine_size_mb=8"
    child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE if stall else None,
                             env=os.environ | {"ASAN_OPTIONS": options})
    feeder = threading.Thread(target=feed, args=[child, path])
    feeder.start()
    if stall:
        await_stall(child)
        while data := os.read(child.stdout.fileno(), 1 << 20):
            sys.stdout.buffer.write(data)
    feeder.join()
    status = child.wait()
    with open(command[0], "rb") as program:
        sanitized = b"__asan_init" in program.read()
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    limit = 90_000 if sanitized else 24_000
    if peak > limit:
        print(f"took {peak} KiB of memory, more than {limit}", file=sys.stderr)
    sys.exit(status)


main()
