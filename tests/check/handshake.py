"""handshake.py: the opening handshake of both sides (RFC 6455 4), strict, with faults on demand."""
import base64
import hashlib
import os
import re

import deflate
from deflate import TOKEN, Deflate

PROTOCOLS = ("chat", "superchat")  # that the server speaks
MOST_HEAD, MOST_LINE, MOST_FIELDS = 1 << 14, 8000, 100
GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
FIELD = re.compile(rf"({TOKEN}):[ \t]*(.*?)[ \t]*", re.DOTALL)
REQUEST_LINE = re.compile(rf"({TOKEN}) ([!-~\x80-\xff]+) HTTP/([0-9])\.([0-9])")
HOST = re.compile(r"[A-Za-z0-9.\-_~!$&'()*+,;=%]*(:[0-9]*)?|\[[0-9A-Fa-f:.]+\](:[0-9]*)?")
NUMBER = re.compile(r"0|[1-9][0-9]{0,2}")
UPGRADE_FIELDS = ("Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13")
REASONS = {400: "Bad Request", 405: "Method Not Allowed", 414: "URI Too Long", 426: "Upgrade Required",
           431: "Request Header Fields Too Large", 501: "Not Implemented", 505: "HTTP Version Not Supported"}


class Refused(Exception):
    """args: the status and fields for the answer."""


class NoWebSocket(Exception):
    """The answer of the server is not what it has to be."""


def accept_key(key):
    return base64.b64encode(hashlib.sha1(key.encode("latin-1") + GUID).digest()).decode()


# ---- heads ---------------------------------------------------------------------------------------


def read_head(wire):
    """The first line and the lines after it."""
    data = b""
    while not data.endswith(b"\r\n\r\n"):
        data += wire.until(b"\n", MOST_HEAD - len(data))
        if data == b"\r\n":
            data = b""
        if b"\n" not in data and len(data) > MOST_LINE:
            raise Refused(414)
        if len(data) > MOST_HEAD:
            raise Refused(431)
        if data.endswith(b"\n") and not data.endswith(b"\r\n"):
            raise Refused(400)
    lines = data[:-4].decode("latin-1").split("\r\n")
    if len(lines[0]) > MOST_LINE:
        raise Refused(414)
    return lines[0], lines[1:]


def read_fields(lines, faults=frozenset()):
    """Names in lower case with the list of their values."""
    fields = {}
    if len(lines) > MOST_FIELDS:
        raise Refused(431)
    for line in lines:
        if "space-before-colon" in faults:
            line = re.sub(rf"^({TOKEN})[ \t]+:", r"\1:", line)
        match = FIELD.fullmatch(line)
        if not match or re.search(r"[\0-\x08\x0a-\x1f\x7f]", line):
            raise Refused(400)
        fields.setdefault(match[1].lower(), []).append(match[2])
    return fields


def members(fields, name):
    """The members of a list that may stand in several fields."""
    return [word.strip(" \t") for word in ",".join(fields.get(name, [])).split(",") if word.strip(" \t")]


def has(fields, name, word):
    return word in (member.lower() for member in members(fields, name))


# ---- the server ----------------------------------------------------------------------------------


class ServerHandshake:
    """One request on a wire; answer() gives the Deflate that was agreed on, or None."""

    def __init__(self, wire, faults):
        self.wire, self.faults = wire, faults

    def answer(self):
        line, lines = read_head(self.wire)
        self.check_line(line)
        self.fields = read_fields(lines, self.faults)
        self.check_message()
        self.check_upgrade()
        key = self.key()
        self.check_version()
        extra = self.protocol()
        extensions, agreed = self.extensions()
        if has(self.fields, "expect", "100-continue"):
            self.wire.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        lines = [*self.answer_head(), f"Sec-WebSocket-Accept: {accept_key(key)}", *extra, *extensions, "", ""]
        self.wire.write("\r\n".join(lines).encode("latin-1"))
        return Deflate(agreed, "server", "client", self.faults) if agreed is not None else None

    def answer_head(self):
        upgrade, connection, _ = UPGRADE_FIELDS
        return ["HTTP/1.1 101 Switching Protocols",
                *[upgrade] * ("answer-no-upgrade" not in self.faults),
                *[connection] * ("answer-no-connection" not in self.faults),
                *["Content-Length: 0"] * ("answer-body" in self.faults)]

    def must(self, good, fault, *refusal):
        if not good and fault not in self.faults:
            raise Refused(*refusal)

    def check_line(self, line):
        match = REQUEST_LINE.fullmatch(line)
        if not match:
            raise Refused(400)
        method, _, major, minor = match.groups()
        if major != "1":
            raise Refused(505)
        if minor == "0":
            raise Refused(426, *UPGRADE_FIELDS)
        self.must(method == "GET", "method-any", 405, "Allow: GET")

    def check_message(self):
        hosts = self.fields.get("host", [])
        self.must(hosts, "host-missing", 400)
        if len(hosts) > 1 or (hosts and not HOST.fullmatch(hosts[0])):
            raise Refused(400)
        if "transfer-encoding" in self.fields or self.fields.get("content-length", ["0"]) != ["0"]:
            raise Refused(400)

    def check_upgrade(self):
        self.must(has(self.fields, "upgrade", "websocket"), "upgrade-any", 426, *UPGRADE_FIELDS)
        self.must(has(self.fields, "connection", "upgrade"), "upgrade-any", 400)

    def key(self):
        keys = self.fields.get("sec-websocket-key", [])
        self.must(keys, "key-missing", 400)
        if len(keys) > 1:
            raise Refused(400)
        key = keys[0] if keys else ""
        if keys:
            try:
                size = len(base64.b64decode(key, validate=True))
            except ValueError:
                size = 0
            self.must(size == 16 and len(key) == 24, "key-any", 400)
        return key[::-1] if "accept-wrong" in self.faults else key

    def check_version(self):
        versions = self.fields.get("sec-websocket-version", [])
        if "version-any" in self.faults or versions == ["13"]:
            return
        known = len(versions) == 1 and NUMBER.fullmatch(versions[0]) and int(versions[0]) < 256
        raise Refused(426 if known else 400, *UPGRADE_FIELDS)

    def protocol(self):
        if "sec-websocket-protocol" not in self.fields:
            return []
        offered = members(self.fields, "sec-websocket-protocol")
        if not offered or not all(re.fullmatch(TOKEN, name) for name in offered):
            raise Refused(400)
        chosen = ["x.foreign"] if "protocol-foreign" in self.faults else [n for n in offered if n in PROTOCOLS]
        return [f"Sec-WebSocket-Protocol: {name}" for name in chosen[:1]]

    def extensions(self):
        if "sec-websocket-extensions" not in self.fields:
            return [], None
        if "extension-foreign" in self.faults:
            return ["Sec-WebSocket-Extensions: x-foreign"], None
        try:
            offers = deflate.parse(",".join(self.fields["sec-websocket-extensions"]))
        except ValueError:
            self.must(False, "extensions-malformed", 400)
            return [], None
        accepted = deflate.accept(offers, self.faults)
        if not accepted:
            return [], None
        return [f"Sec-WebSocket-Extensions: {accepted[0]}"], accepted[1]


def refuse(wire, status, *fields):
    lines = [f"HTTP/1.1 {status} {REASONS[status]}", "Content-Length: 0", *fields]
    if not any(field.startswith("Connection:") for field in fields):
        lines.append("Connection: close")
    wire.write("\r\n".join([*lines, "", ""]).encode())


# ---- the client ----------------------------------------------------------------------------------


class ClientHandshake:
    """Asks for host and target; answer() gives the Deflate that was agreed on, or None."""

    def __init__(self, wire, faults, protocols=(), offer="permessage-deflate; client_max_window_bits"):
        self.wire, self.faults, self.protocols, self.offer = wire, faults, protocols, offer
        key = b"always the same." if "key-constant" in faults else os.urandom(16)
        self.key = base64.b64encode(key[:15] if "key-short" in faults else key).decode()

    def ask(self, host, target):
        lines = [f"GET {target} HTTP/1.1", f"Host: {host}", *UPGRADE_FIELDS[:2], f"Sec-WebSocket-Key: {self.key}"]
        if "version-missing" not in self.faults:
            lines.append(UPGRADE_FIELDS[2])
        if self.protocols:
            lines.append(f"Sec-WebSocket-Protocol: {', '.join(self.protocols)}")
        if self.offer:
            lines.append(f"Sec-WebSocket-Extensions: {self.offer}")
        self.wire.write("\r\n".join([*lines, "", ""]).encode())
        if "speaks-early" in self.faults:
            self.wire.write(b"\x8a\x80\x12\x34\x56\x78")

    def answer(self):
        try:
            line, lines = read_head(self.wire)
            fields = read_fields(lines)
            while re.match(r"HTTP/1\.1 10[0-9] ", line) and not line.startswith("HTTP/1.1 101 "):
                line, lines = read_head(self.wire)
                fields = read_fields(lines)
        except Refused as refused:
            raise NoWebSocket("the answer cannot be read") from refused
        self.must(re.match(r"HTTP/1\.[1-9] 101( |$)", line), "status-unchecked", line)
        self.must(has(fields, "upgrade", "websocket") and len(members(fields, "upgrade")) == 1
                  and has(fields, "connection", "upgrade"), "upgrade-unchecked", "no upgrade")
        self.must(fields.get("sec-websocket-accept") == [accept_key(self.key)], "accept-unchecked", "another Accept")
        protocols = fields.get("sec-websocket-protocol", [])
        self.must(not protocols or len(protocols) == 1 and protocols[0] in self.protocols, "protocol-unchecked",
                  "a subprotocol that was not offered")
        return self.extensions(fields)

    def must(self, good, fault, why):
        if not good and fault not in self.faults:
            raise NoWebSocket(why)

    def offered(self, parameters):
        """The answer is one that our offer allows."""
        hint = any(name == "client_max_window_bits" for name, _ in parameters)
        hinted = not hint or "client_max_window_bits" in self.offer
        return bool(self.offer) and hinted and deflate.valid(parameters, True)

    def extensions(self, fields):
        if "sec-websocket-extensions" not in fields:
            return None
        try:
            answer = deflate.parse(",".join(fields["sec-websocket-extensions"]))
        except ValueError:
            answer = []
        good = len(answer) == 1 and answer[0][0] == deflate.NAME and self.offered(answer[0][1])
        self.must(good, "extension-unchecked", "an extension that was not offered")
        if "window-8-none" in self.faults and ("client_max_window_bits", "8") in answer[0][1]:
            raise NoWebSocket("a window of 8 bits")
        if not good:
            return Deflate({}, "client", "server", self.faults) if any(n == deflate.NAME for n, _ in answer) else None
        return Deflate(dict(answer[0][1]), "client", "server", self.faults)
