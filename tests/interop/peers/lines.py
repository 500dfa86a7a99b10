"""The lines that a program of this folder reads and prints: see ../end.py."""
import asyncio
import ssl
import sys

ROLE, FOLDER = (sys.argv[1:] + [None])[:2]
LONGEST = 16 << 20


def pack(data):
    data = data.encode() if isinstance(data, str) else data
    return data.hex() or "-"


def unpack(word):
    return b"" if word == "-" else bytes.fromhex(word)


def payload(kind, word):
    return unpack(word).decode() if kind == "text" else unpack(word)


def say(*words):
    print(*words, flush=True)


def say_message(data):
    say("text" if isinstance(data, str) else "binary", pack(data))


def context():
    """For ssl=; None without a folder."""
    if not FOLDER:
        return None
    if ROLE == "client":
        return ssl.create_default_context(cafile=f"{FOLDER}/ca.pem")
    made = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    made.load_cert_chain(f"{FOLDER}/cert.pem", f"{FOLDER}/key.pem")
    return made


def say_listening(sockets):
    say("listening", f"{'wss' if FOLDER else 'ws'}://127.0.0.1:{sockets[0].getsockname()[1]}")


async def obey(commands):
    """Awaits commands.WORD(*WORDS) for each line, until the lines end."""
    reader = asyncio.StreamReader(limit=LONGEST)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := (await reader.readline()).decode():
        word, *words = line.rstrip("\n").split(" ")
        await getattr(commands, word)(*words)
