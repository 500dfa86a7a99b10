"""Other people's WebSocket programs: how they are started, and what they cannot."""
import dataclasses
import os
import pathlib
import shlex
import subprocess

from end import End
from websocketd import Websocketd

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
COHO = pathlib.Path(os.environ.get("COHO", ROOT / "build/release/coho")).resolve()
PYTHON = "/usr/bin/python3"  # where Debian's packages are
NPM, DEBIAN = "npm", "Debian"


@dataclasses.dataclass(frozen=True)
class Lack:
    """What a peer cannot do; in both roles and all columns unless it says otherwise.

    Abilities of the peer:
      binary, fragments, ping, subprotocol   sends or speaks that
      empty fragments   sends fragments without payload
      pong, empty pong  shows a pong to its program
      close             closes with a code and a reason
      no code           closes without a code
      echo              answers a Close with the same code
      deflate           negotiates permessage-deflate
      compress          compresses what it sends
      plain             receives uncompressed messages beside compressed ones
      window            keeps to a window that it is asked for, or declines
      unanswered        tells the code of a Close even when its answer to it can no longer be sent
    """
    ability: str
    why: str
    role: str = ""
    scheme: str = ""
    deflate: bool = False  # only once it is agreed on

    def fits(self, role, column):
        return (self.role in ("", role) and self.scheme in ("", column.scheme)
                and (column.deflate or not self.deflate))


@dataclasses.dataclass(frozen=True)
class Peer:
    name: str
    source: str  # where it comes from
    command: tuple
    roles: tuple = ("client", "server")
    cannot: tuple = ()

    def lacks(self, role, column):
        """{ability: why}"""
        return {lack.ability: lack.why for lack in self.cannot if lack.fits(role, column)}

    def start(self, role, folder):
        """An End; folder has the certificates, None for ws."""
        if self.name == "websocketd":
            return Websocketd.start(folder)
        return End.start(*self.command, role, *([folder] if folder else []))


def node(name):
    return ("node", HERE / f"peers/{name}.js")


def build(folder, name, libraries, flags=()):
    """Compiles peers/NAME.c; the program."""
    program = folder / name
    command = [os.environ.get("CC", "cc"), "-std=c11", "-D_GNU_SOURCE", "-O1", "-g", "-Wall", "-Wextra", *flags,
               "-o", program, HERE / f"peers/{name}.c", *libraries]
    subprocess.run(command, check=True, timeout=300)
    return program


def build_coho(folder):
    """With the library that stands beside the program under test, and what it was linked with."""
    library = COHO.with_name("libcoho.a")
    words = subprocess.run(["pkg-config", "--static", "--libs", "coho"], check=True, capture_output=True, text=True,
                           env=os.environ | {"PKG_CONFIG_PATH": str(COHO.parent)}, timeout=60).stdout
    others = [word for word in shlex.split(words) if not word.startswith("-L") and word != "-lcoho"]
    sanitize = ["-fsanitize=address,undefined"] if b"__asan_init" in COHO.read_bytes() else []
    return build(folder, "coho", [library, *others], [*sanitize, "-I", ROOT / "include"])


NO_CODE = Lack("no code", "always closes with a code")
NO_ECHO = Lack("echo", "answers every Close with 1000")
NO_DEFLATE = Lack("deflate", "has no permessage-deflate")
BROWSER = (Lack("fragments", "its interface has no fragments"), Lack("ping", "its interface has no pings"))
DROPS = "drops the connection instead of sending a Close without code"


def all_peers(folder):
    """coho and the others, by name; those in C are compiled into the folder."""
    peers = [
        Peer("coho", "", (build_coho(folder),)),
        Peer("ws", NPM, node("ws")),
        Peer("websocket", NPM, node("websocket"), cannot=(NO_DEFLATE, NO_CODE, NO_ECHO)),
        Peer("undici", NPM, node("undici"), ("client",),
             cannot=(*BROWSER, Lack("compress", "reads compressed messages and sends none"))),
        Peer("python3-websockets", DEBIAN, (PYTHON, HERE / "peers/websockets_peer.py"), cannot=(NO_CODE,)),
        Peer("python3-aiohttp", DEBIAN, (PYTHON, HERE / "peers/aiohttp_peer.py"),
             cannot=(Lack("fragments", "sends no fragments"), Lack("pong", "shows no pongs"),
                     Lack("empty pong", "shows no pongs"), NO_CODE, NO_ECHO,
                     Lack("unanswered", "shows 1006 instead of the code of a Close, when the end of the connection "
                          "followed at once", scheme="wss"))),
        Peer("libwebsockets", DEBIAN, (build(folder, "lws", ["-lwebsockets", "-lssl", "-lcrypto"]),),
             cannot=(Lack("no code", DROPS),
                     Lack("empty pong", "shows no empty pongs", "server"),
                     Lack("empty fragments", "begins a new message after an empty fragment, against RFC 6455 5.4",
                          deflate=True),
                     Lack("plain", "repeats or loses messages that came uncompressed, and pongs (its issue 2794)",
                          "client", deflate=True),
                     Lack("window", "accepts server_max_window_bits without answering it, against RFC 7692 7.1.2.1; "
                          "coho fails the connection", "server", deflate=True))),
        Peer("websocketd", DEBIAN, ("websocketd",), ("server",),
             cannot=(NO_DEFLATE, Lack("binary", "speaks lines of text"), Lack("fragments", "sends no fragments"),
                     Lack("ping", "sends no pings"), Lack("close", "drops the connection instead of sending a Close"),
                     Lack("no code", "drops the connection instead of sending a Close"),
                     Lack("subprotocol", "speaks no subprotocols"))),
        Peer("chromium", DEBIAN, node("chromium"), ("client",), cannot=BROWSER),
    ]
    return {peer.name: peer for peer in peers}
