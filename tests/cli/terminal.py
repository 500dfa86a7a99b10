#!/usr/bin/env python3
"""terminal.py COMMAND...: runs a command at a terminal of its own, as a person would.

Standard input says what the person does, one step per line:
  see TEXT    wait until a line of the screen contains TEXT
  gone TEXT   wait until no line does
  type TEXT   type TEXT and press Enter
  keys TEXT   type TEXT as it is; escapes such as \\x03 and \\e work
  size ROWS COLUMNS
  signal NAME
  stopped     wait until the command is stopped by a signal
  end         wait for the end of the command

At the end the screen is printed, and the exit status of the command is that of this program.
"""
import fcntl
import os
import pty
import re
import select
import signal
import struct
import sys
import termios

from screen import Screen

PATIENCE = 20  # seconds without the awaited before a step fails


def set_size(fd, rows, columns):
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


class Person:
    def __init__(self, command):
        self.screen = Screen(40, 100)
        self.status = None
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            set_size(0, 40, 100)
            os.execvp(command[0], command)

    def look(self):
        """Waits for output and puts it on the screen; False at its end."""
        if not select.select([self.fd], [], [], PATIENCE)[0]:
            self.give_up("nothing happens")
        try:
            data = os.read(self.fd, 65536)
        except OSError:
            data = b""
        self.screen.write(data)
        return bool(data)

    def give_up(self, why):
        print("\n".join(self.screen.lines()))
        print(f"terminal.py: {why}", file=sys.stderr)
        os.kill(self.pid, signal.SIGKILL)
        sys.exit(99)

    def see(self, text):
        while not any(text in line for line in self.screen.lines()):
            if not self.look():
                self.give_up(f"the command ended before it showed {text!r}")

    def gone(self, text):
        while any(text in line for line in self.screen.lines()):
            if not self.look():
                self.give_up(f"the command ended and left {text!r}")

    def type(self, text):
        self.keys(text + "\\r")

    def keys(self, text):
        raw = text.replace("\\e", "\\x1b")
        raw = re.sub(r"\\x(..)", lambda m: chr(int(m[1], 16)), raw).replace("\\r", "\r")
        os.write(self.fd, raw.encode())

    def size(self, text):
        rows, columns = map(int, text.split())
        self.screen.resize(rows, columns)
        set_size(self.fd, rows, columns)

    def signal(self, name):
        os.kill(self.pid, getattr(signal, "SIG" + name))

    def stopped(self, _):
        _, status = os.waitpid(self.pid, os.WUNTRACED)
        if not os.WIFSTOPPED(status):
            self.give_up("the command ended instead of stopping")

    def end(self, _=None):
        while self.look():
            pass
        self.status = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


def main():
    person = Person(sys.argv[1:])
    for line in sys.stdin.read().splitlines():
        step, _, argument = line.partition(" ")
        getattr(person, step)(argument)
    if person.status is None:
        person.end()
    print("\n".join(person.screen.lines()))
    sys.exit(person.status)


main()
