"""One end of a WebSocket connection: a program of peers/ that is told what to do, line by line.

Programs are called `NAME client FOLDER` and `NAME server [FOLDER]`; FOLDER has ca.pem, cert.pem and
key.pem, and a server that is given it speaks wss. Words of a line are separated by a space. DATA is
hexadecimal, "-" when it is empty; TYPE is text or binary, and text is UTF-8.

It prints, once:                   It prints, when something happens:     It reads:
  version VERSION                    opened PROTOCOL    ("-": none)         open URL PROTOCOLS   (with commas)
  listening URL     (a server)       text DATA, binary DATA                 send TYPE DATA
                                     ping DATA, pong DATA                   parts TYPE DATA...   (in fragments;
                                     closed CODE DATA   (as RFC 6455          the word ping: a ping in between)
                                       7.1.5, "?": it is not told)          ping DATA
                                     failed WORDS                           close CODE DATA      (0: no code)

A server follows the connection that came last. The end of its input ends the program.
"""
from process import Process

SILENT = {"ping"}  # answered by themselves, and not told by every API


def pack(data):
    data = data.encode() if isinstance(data, str) else data
    return data.hex() or "-"


def unpack(word):
    return b"" if word == "-" else bytes.fromhex(word)


def short(text):
    return text if len(text) <= 120 else f"{text[:120]}... ({len(text)} characters)"


class End:
    def __init__(self, process):
        self.process = process
        self.version = self._need("version")

    @classmethod
    def start(cls, *command, env=None):
        process = Process(*command, env=env)
        try:
            return cls(process)
        except BaseException:
            process.kill()
            raise

    def _need(self, word):
        line = self.process.line() or ""
        if not line.startswith(word + " "):
            raise AssertionError(f"{self.process} printed {short(line)!r}, not its {word}{self.process.complaint()}")
        return line.partition(" ")[2]

    def listening(self):
        """The URL of a server, without a slash at its end."""
        return self._need("listening").rstrip("/")

    # ---- what it is told ---------------------------------------------------------------------------

    def open(self, url, protocols="-"):
        self.process.say(f"open {url} {protocols}")

    def send(self, kind, data):
        self.process.say(f"send {kind} {pack(data)}")

    def parts(self, kind, *parts):
        """A part None is a ping between two parts."""
        self.process.say(f"parts {kind} " + " ".join("ping" if part is None else pack(part) for part in parts))

    def ping(self, data):
        self.process.say(f"ping {pack(data)}")

    def close(self, code=1000, reason=""):
        self.process.say(f"close {code} {pack(reason)}")

    # ---- what it has to see ------------------------------------------------------------------------

    def event(self, awaited=""):
        while True:
            line = self.process.line()
            if line is None:
                raise AssertionError(f"{self.process} ended{self.process.complaint()}")
            word, _, rest = line.partition(" ")
            if word not in SILENT or word == awaited:
                return word, rest

    def sees(self, word, data):
        data = data.encode() if isinstance(data, str) else data
        got, rest = self.event(word)
        if (got, rest) != (word, pack(data)):
            raise AssertionError(f"{self.process} saw {short(got + ' ' + rest)!r}, not {short(f'{word} {data!r}')!r}")

    def opens(self, protocol="-"):
        got = " ".join(self.event())
        if got != f"opened {protocol}":
            raise AssertionError(f"{self.process} saw {short(got)!r}, not 'opened {protocol}'")

    def closes(self, codes, reason=None):
        """The connection ends with one of the codes; the reason counts unless it is None or not told."""
        word, rest = self.event()
        code, _, data = rest.partition(" ")
        good = word == "closed" and (code == "?" or int(code) in codes)
        if good and reason is not None and code != "?":
            good = unpack(data).decode() == reason
        if not good:
            raise AssertionError(f"{self.process} saw {short(word + ' ' + rest)!r}, not closed {codes} {reason or ''}")

    def fails(self):
        word, rest = self.event()
        if word != "failed":
            raise AssertionError(f"{self.process} saw {short(word + ' ' + rest)!r}, not a failure")

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if kind:
            self.process.kill()
        elif status := self.process.hang_up():
            raise AssertionError(f"{self.process} ended with {status}{self.process.complaint()}")
