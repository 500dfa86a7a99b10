"""What websocketd starts for a connection: its input and output are the messages, as lines. It is told
what to do through the socket that $COHO_INTEROP names: see ../end.py."""
import os
import socket
import sys
import threading


def say(*words):
    told.sendall((" ".join(words) + "\n").encode())


def pack(data):
    return data.hex() or "-"


def obey():
    for line in told.makefile("r", encoding="utf-8"):
        word, *words = line.rstrip("\n").split(" ")
        if word == "close":
            os.close(1)  # its end closes the connection
            continue
        data = words[1]
        sys.stdout.buffer.write((b"" if data == "-" else bytes.fromhex(data)) + b"\n")
        sys.stdout.buffer.flush()


told = socket.socket(socket.AF_UNIX)
told.connect(os.environ["COHO_INTEROP"])
say("opened", "-")
threading.Thread(target=obey, daemon=True).start()
for text in sys.stdin.buffer:
    say("text", pack(text.rstrip(b"\n")))
say("closed", "?", "-")
