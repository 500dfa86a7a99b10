"""client.py [--break FAULT]... URL: an echo client that does everything right, but for what it is told to do wrong.

Connects once and echoes until the end; with --driver it runs through all cases of a server that has the
paths /getCaseCount, /runCase, /getCaseStatus and /updateReports. --list prints the faults.
"""
import argparse
import json
import socket
import ssl
import urllib.parse

from endpoint import Endpoint
from faults import CLIENT
from handshake import ClientHandshake, NoWebSocket
from wire import Wire


def connect(url, faults, offer):
    """The wire after the handshake and what was agreed."""
    parts = urllib.parse.urlsplit(url)
    sock = socket.create_connection((parts.hostname, parts.port))
    if parts.scheme == "wss":
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        sock = context.wrap_socket(sock, server_hostname=parts.hostname)
    wire = Wire(sock)
    handshake = ClientHandshake(wire, faults, protocols=("chat",), **({} if offer is None else {"offer": offer}))
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    handshake.ask(parts.netloc, target)
    try:
        return wire, handshake.answer()
    except NoWebSocket:
        wire.close()
        raise


def run(url, faults, offer):
    try:
        wire, deflate = connect(url, faults, offer)
    except (NoWebSocket, EOFError, OSError):
        return
    Endpoint(wire, faults, deflate, client=True).run()


class Listener(Endpoint):
    """Keeps the first message instead of echoing it."""

    heard = ""

    def echo(self, opcode, data):
        self.heard = data.decode()


def ask(url):
    """What the server says on this path."""
    wire, deflate = connect(url, frozenset(), "")
    listener = Listener(wire, frozenset(), deflate, client=True)
    listener.run()
    return listener.heard


def drive(url, faults, offer, agent, cases):
    """All cases, or those of the list."""
    count = int(ask(f"{url}/getCaseCount"))
    name = urllib.parse.quote(agent)
    for number in cases or range(1, count + 1):
        run(f"{url}/runCase?case={number}&agent={name}", faults, offer)
        print(json.loads(ask(f"{url}/getCaseStatus?case={number}&agent={name}"))["behavior"])
    ask(f"{url}/updateReports?agent={name}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--break", dest="faults", action="append", default=[], choices=sorted(CLIENT), metavar="FAULT")
    parser.add_argument("--driver", action="store_true")
    parser.add_argument("--cases", type=int, nargs="*", help="with --driver: these alone")
    parser.add_argument("--agent", default="client.py")
    parser.add_argument("--offer", help="Sec-WebSocket-Extensions; empty for none")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("url", nargs="?")
    options = parser.parse_args()
    url, faults = (options.url or "").rstrip("/"), frozenset(options.faults)
    if options.list:
        print("\n".join(f"{name:22}{text}" for name, text in CLIENT.items()))
    elif options.driver:
        drive(url, faults, options.offer, options.agent, options.cases)
    else:
        run(url, faults, options.offer)


main()
