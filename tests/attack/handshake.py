"""Attacks on the opening handshake, and on HTTP before it."""
from attack import attack, same, true
from hostile import connect
from peer import KEY, TEXT, frame, request
from victim import server

HEAD_MOST = 16 * 1024


def each(rows, ask):
    """Each row is answered as it says; all of them against one bounded server."""
    with server().bounded(memory_kb=256, cpu_ms=20 + len(rows)) as victim:
        for about, *row in rows:
            try:
                ask(victim, *row)
            except AssertionError as error:
                raise AssertionError(f"{about}: {error}") from None


def refused(victim, data, *statuses):
    peer = victim.ask(data)
    answer = peer.refused(*statuses)
    peer.close()
    return answer


# ---- sizes -----------------------------------------------------------------------------------------


@attack(1, "65 and 2,000 fields, the upgrade behind them: 431")
def too_many_fields():
    each([(f"{count} fields", request(without=("Upgrade",), more="A: b\r\n" * count + "Upgrade: websocket\r\n"), 431)
          for count in (65, 2000)], refused)


@attack(2, "a field of 20 MB: 431, and no more of it is read than the limit and the last words")
def endless_field():
    with server().bounded(memory_kb=256, cpu_ms=100) as victim:
        peer = victim.peer()
        peer.send(request()[:-2] + b"X: ")
        peer.flood(b"a" * 65536 for _ in range(320))
        peer.refused(431)
        peer.close()


@attack(2, "fields one byte at a time, up to the limit: 431, at a price that grows with the bytes only")
def endless_field_in_bytes():
    with server().bounded(memory_kb=256, cpu_ms=200) as victim:
        peer = victim.peer()
        peer.send(request()[:-2] + b"X: ")
        peer.flood(b"a" for _ in range(2 * HEAD_MOST))
        peer.refused(431)
        peer.close()


@attack(2, "a target of 64 KiB: 414, a method of 64 KiB: 501")
def long_line():
    each([("target", b"GET /" + b"a" * 65536 + b" HTTP/1.1\r\nHost: h\r\n\r\n", 414),
          ("method", b"G" * 65536 + b" / HTTP/1.1\r\n", 501)], refused)


# ---- lists -----------------------------------------------------------------------------------------


@attack(3, "Sec-WebSocket-Protocol of 15,000 spaces, commas or bytes above 127: 400, in linear time")
def hostile_protocols():
    def ask(victim, value):
        refused(victim, request(more=f"Sec-WebSocket-Protocol: {value}\r\n"), 400)
    with server().bounded(memory_kb=256, cpu_ms=100) as victim:
        for _ in range(50):
            ask(victim, "b" + " " * 15000 + "x")
            ask(victim, "," * 15000)
            ask(victim, "a," * 7500)
        ask(victim, "ch\xe4t")
        ask(victim, "\xff" * 1000)


@attack(4, "Sec-WebSocket-Extensions with hostile names, quotes that do not end, thousands of offers: 400, or declined")
def hostile_extensions():
    def ask(victim, value, *statuses):
        peer = victim.ask(request(more=f"Sec-WebSocket-Extensions: {value}\r\n"))
        head = peer.head()
        true(head[9:12] in map(str, statuses), f"{value[:40]!r} is answered {head[:40]!r}")
        true("extensions" not in head.lower(), "an extension was chosen")
        peer.close()
    with server().bounded(memory_kb=256, cpu_ms=100) as victim:
        for value in ("__proto__", "constructor", "toString; valueOf=1", "__proto__; __proto__; __proto__", "x, y"):
            ask(victim, value, 101)
        for value in ('x; a="b', 'x; a="', "x; =1", "x;; y", "; a", "x; a=", 'x; a="b c"', "x y", "\xe4", 'x; a="\\'):
            ask(victim, value, 400)
        for _ in range(30):
            ask(victim, "x," * 7500, 400)
            ask(victim, "x" + "; a" * 5000, 400)
            ask(victim, "x" + ";" * 15000, 400)


# ---- rules -----------------------------------------------------------------------------------------


@attack(5, "a handshake that lacks a field, or has it twice or wrong: 400, 405, 426 or 505")
def broken_handshakes():
    rows = [(f"no {name}", request(without=(name,)), status) for name, status in
            (("Host", 400), ("Upgrade", 426), ("Connection", 400), ("Sec-WebSocket-Key", 400),
             ("Sec-WebSocket-Version", 400))]
    rows += [(f"{name}: {value}", request(instead={name: value}), status) for name, value, status in
             (("Upgrade", "h2c", 426), ("Connection", "keep-alive", 400), ("Sec-WebSocket-Version", "12", 426),
              ("Sec-WebSocket-Version", "130", 426), ("Sec-WebSocket-Version", "-13", 400),
              ("Sec-WebSocket-Version", "256", 400), ("Sec-WebSocket-Key", "", 400),
              ("Sec-WebSocket-Key", "c2hvcnQ=", 400), ("Sec-WebSocket-Key", "A" * 24, 400),
              ("Sec-WebSocket-Key", KEY + "AAAA", 400), ("Sec-WebSocket-Key", "!" * 22 + "==", 400),
              ("Sec-WebSocket-Key", "\x80" * 24, 400))]
    rows += [(f"{name} twice", request(more=line), 400) for name, line in
             (("key", f"Sec-WebSocket-Key: {KEY}\r\n"), ("version", "Sec-WebSocket-Version: 13\r\n"),
              ("Host", "Host: 127.0.0.1\r\n"))]
    rows += [("POST", request().replace(b"GET", b"POST"), 405), ("HTTP/1.0", request().replace(b"1.1\r", b"1.0\r"), 426),
             ("HTTP/2.0", request().replace(b"1.1\r", b"2.0\r"), 505)]
    each(rows, refused)
    true("\r\nSec-WebSocket-Version: 13\r\n" in refused(server(), request(instead={"Sec-WebSocket-Version": "8"}), 426),
         "the 426 does not name version 13")


@attack(7, "a handshake with a body: 400; what follows a good one is frames and no second request")
def bytes_behind():
    behind = b"GET /stats HTTP/1.1\r\nHost: h\r\n\r\n"
    each([("Content-Length", request(more="Content-Length: 5\r\n") + b"hello" + behind, 400),
          ("chunked", request(more="Transfer-Encoding: chunked\r\n") + b"0\r\n\r\n" + behind, 400)], refused)
    with server().bounded(memory_kb=256, cpu_ms=50) as victim:
        peer = victim.ask(request() + frame(TEXT, b"first") + behind)
        same(peer.head()[9:12], "101")
        peer.message(TEXT, b"first")
        peer.ended(1002)
        peer.close()


@attack(8, "an upgrade that is refused, or to h2c, with a request behind it: one answer, then the end")
def refused_and_reused():
    behind = b"GET /stats HTTP/1.1\r\nHost: h\r\n\r\n"
    each([("version", request(instead={"Sec-WebSocket-Version": "8"}) + behind, 426),
          ("key", request(without=("Sec-WebSocket-Key",)) + behind, 400),
          ("h2c", request(instead={"Upgrade": "h2c"}) + behind, 426),
          ("preface", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + behind, 400, 505),
          ("CONNECT", b"CONNECT h:80 HTTP/1.1\r\nHost: h:80\r\n\r\n" + behind, 400, 405)], refused)
    with server().bounded(memory_kb=256, cpu_ms=50) as victim:
        peer = victim.ask(request("/stats", instead={"Upgrade": "h2c", "Connection": "Upgrade, HTTP2-Settings"},
                                  more="HTTP2-Settings: AAMAAABkAAQAAP__\r\n"))
        true(peer.head()[9:12] != "101", "h2c is spoken")
        peer.close()


@attack(9, "a page of another origin, a scheme, port or address that differs, null, two Origins: 403 or 400")
def foreign_origins():
    host = {"Host": "app.example:8080"}
    rows = [(origin, request(instead=host | {"Origin": origin}), 403) for origin in
            ("http://evil.example", "http://app.example", "http://app.example:80", "http://app.example:80800",
             "http://app.example:8080.evil.example", "http://evilapp.example:8080", "http://sub.app.example:8080",
             "http://127.0.0.1:8080", "null", "file://", "http://app.example:8080@evil.example", "app.example:8080",
             "http://app.example:8080 http://evil.example")]
    rows += [("twice", request(instead=host | {"Origin": "http://app.example:8080"},
                               more="Origin: http://app.example:8080\r\n"), 400),
             ("rebinding", request(instead={"Host": "127.0.0.1", "Origin": "http://evil.example"}), 403)]
    each(rows, refused)
    peer = server().ask(request(instead=host | {"Origin": "http://app.example:8080"}))
    same(peer.head()[9:12], "101", "the own origin")
    peer.close()


@attack(12, "line ends in what a client is told to send: refused before anything is sent")
def injected_lines():
    for words in (("-H", "X: a\r\nY: b"), ("-H", "X: a\nY: b"), ("-H", "X\r\n: b"), ("-H", "X: \x01"),
                  ("--protocol", "a\r\nb"), ("--origin", "http://a\r\nX: b")):
        done = connect(f"ws://127.0.0.1:{server().port}/echo", *words, "-x", "hi")
        true(done.status in (1, 2) and not done.out, f"{words} went through with {done.status}")
    for path in ("/a\r\nX: b", "/a b", "/a\nb", "/\x7f"):
        done = connect(f"ws://127.0.0.1:{server().port}{path}", "-x", "hi")
        same((done.status, done.out), (2, b""), path)


@attack(52, "a PROXY header of version 1 or 2 where none is expected: 400")
def proxy_headers():
    two = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c" + bytes(12)
    each([("1", b"PROXY TCP4 10.0.0.1 10.0.0.2 1 2\r\n" + request(), 400),
          ("1, endless", b"PROXY TCP4 " + b"1" * 4000 + b"\r\n" + request(), 400),
          ("2", two + request(), 400), ("2, huge", two[:14] + b"\xff\xff" + bytes(4000), 400)], refused)


@attack(6, "lengths and codings of a body that two readers could understand in two ways: 400, and nothing behind it")
def smuggling():
    behind = b"GET /stats HTTP/1.1\r\nHost: h\r\n\r\n"
    fields = ["Content-Length: 3\r\nTransfer-Encoding: chunked", "Content-Length: 3\r\nContent-Length: 4",
              "Content-Length: 3, 4", "Content-Length: 0x3", "Content-Length: +3", "Content-Length: -3",
              "Content-Length: 1_0", "Content-Length: 3 3", "Content-Length:", "Content-Length: 18446744073709551619",
              "Transfer-Encoding: xchunked", "Transfer-Encoding: chunked, chunked", "Transfer-Encoding: chunked, gzip",
              "Transfer-Encoding : chunked", "Transfer-Encoding:\x0bchunked", "Transfer-Encoding: chunked\r\n x",
              "Transfer_Encoding: chunked\r\n\tx", "Content-Length: 3\nX: y", " Content-Length: 3"]
    rows = [(line, f"POST /length HTTP/1.1\r\nHost: h\r\n{line}\r\n\r\n".encode("latin-1") + b"0\r\n\r\n" + behind,
             400, 501) for line in fields]
    chunks = [b"0x3\r\nabc\r\n", b"+3\r\nabc\r\n", b"-1\r\n", b"3 \r\nabc\r\n", b"3;a\nb\r\nabc\r\n", b"3\r\nabcX\r\n",
              b"3\nabc\r\n", b"10000000000000000\r\n", b"ffffffffffffffff\r\n", b"fffffffffffffffff\r\n", b"\r\n", b"g\r\n",
              b"0\r\nContent-Length : 3\r\n\r\n"]
    rows += [(repr(chunk), b"POST /length HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk + behind,
              400, 413) for chunk in chunks]
    rows += [("HTTP/1.0", b"POST /length HTTP/1.0\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + behind, 400)]
    each(rows, refused)


@attack(6, "a body of 1 GiB, announced, chunked, or in chunks of one byte: 413, nothing is reserved")
def endless_body():
    with server().bounded(memory_kb=1024, cpu_ms=100) as victim:
        refused(victim, b"POST /length HTTP/1.1\r\nHost: h\r\nContent-Length: 1073741824\r\n\r\n", 413)
        head = b"POST /length HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
        for chunk in (b"1\r\na\r\n" * 1000, b"1;" + b"x" * 100 + b"\r\na\r\n", b"1000\r\n" + b"a" * 4096 + b"\r\n"):
            peer = victim.ask(head)
            peer.flood(chunk for _ in range(40000))
            peer.refused(413, 400)
            peer.close()
    with server().bounded(memory_kb=256, cpu_ms=100) as victim:
        peer = victim.ask(head + b"0\r\n")
        peer.flood(b"X: y\r\n" * 100 for _ in range(10000))
        peer.refused(400, 413, 431)
        peer.close()


