"""server.py [--break FAULT]...: an echo server that does everything right, but for what it is told to do wrong.

Prints `listening URL`, and ends well on SIGTERM. --list prints the faults.
"""
import argparse
import signal
import socket
import sys
import threading

from endpoint import Endpoint
from faults import SERVER
from handshake import Refused, ServerHandshake, refuse
from wire import Wire


def serve(wire, faults):
    while True:
        try:
            deflate = ServerHandshake(wire, faults).answer()
        except Refused as refused:
            refuse(wire, *refused.args)
            if "refused-goes-on" in faults:
                continue
            wire.finish()
            return
        Endpoint(wire, faults, deflate).run()
        return


def connection(sock, faults):
    try:
        serve(Wire(sock), faults)
    except (EOFError, OSError):
        sock.close()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--break", dest="faults", action="append", default=[], choices=sorted(SERVER), metavar="FAULT")
    parser.add_argument("--list", action="store_true")
    options = parser.parse_args()
    if options.list:
        print("\n".join(f"{name:22}{text}" for name, text in SERVER.items()))
        return
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    listener = socket.create_server(("127.0.0.1", 0), backlog=512)
    print(f"listening ws://127.0.0.1:{listener.getsockname()[1]}", flush=True)
    while True:
        sock, _ = listener.accept()
        threading.Thread(target=connection, args=(sock, frozenset(options.faults)), daemon=True).start()


main()
