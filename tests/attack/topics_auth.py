"""Attacks on who may: tokens that are guessed, forged, misplaced or old, tickets, names of others, logs."""
import base64
import hashlib
import hmac
import json
import re
import time

from attack import FOLDER, attack, same, true, until
from peer import request
from topics_peer import JSON, UNLIMITED, answer, ask, hear, pipelined, post, refused, say, talker, text_of, topics
from victim import program

GOOD = "a_secret_of_forty_bytes,_no_more_no_less"
ALL = ["#"]


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def token(claims=None, alg="HS256", secret=GOOD, head=None, **more):
    """A token for ann that is good for an hour, but for what is said here."""
    claims = {"sub": "ann", "exp": int(time.time()) + 3600, "coho": {"sub": ALL, "pub": ALL}} | (claims or {}) | more
    text = b64(json.dumps(head or {"alg": alg, "typ": "JWT"}).encode()) + "." + b64(json.dumps(claims).encode())
    return text + "." + b64(hmac.new(secret.encode(), text.encode(), hashlib.sha256).digest())


def bearing(text):
    return f"Authorization: Bearer {text}\r\n"


def shut(**more):
    """A server that asks for tokens, of its own by its options, since it remembers who guessed; it has seen a token."""
    victim = topics(secret=GOOD, **more)
    true(post(victim, "open/warm", b"x", bearing(good())).status in (200, 429), "a good token")
    return victim


def good(**claims):
    return token(claims)


def forged():
    fine = good()
    head, body, mark = fine.split(".")
    none = b64(b'{"alg":"none"}')
    yield from ("", ".", "..", "...", fine + ".", "." + fine, head + "." + body, f"{head}.{body}.", f"{none}.{body}.", f"{none}.{body}.{mark}", fine[:-2], fine + "A",
                fine.replace(".", " "), f"{head}.{body}.{mark}.{mark}", head + "." + body + "." + b64(b"\0" * 32), fine.upper(), f"{head}=.{body}.{mark}")
    for alg in ("none", "None", "NONE", "hs256", "HS512", "RS256", "ES256", "", None, ["HS256"], {"a": 1}, "HS256\u0000"):
        yield token(head={"alg": alg})
    yield token(head={"alg": "HS256", "crit": ["exp"], "exp": 1})
    yield token(head={"alg": "HS256", "b64": False, "crit": ["b64"]})
    yield token(secret="another secret of forty bytes, that is  ")
    yield token(secret="")
    bomb = b64(b'{"sub":"ann","exp":9999999999,"a":' + b"[" * 1000 + b"]" * 1000 + b"}")
    yield f"{head}.{bomb}." + b64(hmac.new(GOOD.encode(), f"{head}.{bomb}".encode(), hashlib.sha256).digest())
    for claims in ({"exp": "never"}, {"exp": -1}, {"exp": None}, {"exp": 1.0e308}, {"nbf": 99999999999}, {"nbf": "x"}, {"coho": []}, {"coho": {"sub": "#"}},
                   {"coho": {"sub": ["#"] * 65}}, {"coho": {"sub": ["a/#/b"]}}, {"sub": 1}, {"sub": "s" * 256}, {"exp": 1}):
        yield good(**claims)


@attack("B31", "tokens forged in 50 ways: none, other algorithms, cut, another key, claims of a wrong kind: none gets further than nobody would")
def forged_tokens():
    for at, text in enumerate(forged()):
        victim = shut(auth_ms=5000 + at // 8)  # guessing is counted by server
        got = post(victim, "x", b"x", bearing(text))
        true(got.status in (401, 403, 400), f"{text[:60]}: {got.status}")
        same(got.head.lower().count("bearer realm"), 1 if got.status != 400 else 0, "what is told")
        true(text[-20:] not in got.head + got.body.decode() or len(text) < 20, "the token comes back")
    with shut(auth_ms=5100).bounded(memory_kb=256, cpu_ms=50) as victim:
        same(post(victim, "x", b"x", bearing(good())).status, 200)
        same(post(victim, "x", b"x", bearing(good(coho={"sub": ALL}))).status, 403)
        same(post(victim, "x", b"x", bearing("t" * 8193)).status, 401, "a token of more than 8 KiB")


@attack("A17", "1,000 guesses: ten are looked at, then 429 for everything with a token, by every way; who brings none is served")
def guesses():
    with shut(auth_ms=5200, requests_a_second=UNLIMITED).bounded(memory_kb=512, cpu_ms=600) as victim:
        found = pipelined(victim, [text_of("GET", "/t/x/history", more=bearing("a.b.c"))] * 1000)
        true(found.count(401) in (10, 11), f"{found.count(401)} were looked at")
        same(found.count(401) + found.count(429), 1000)
        got = post(victim, "x", b"x", bearing(good()))
        same((got.status, len(got.all("Retry-After"))), (429, 1), "a good one meanwhile")
        same(answer(victim, "GET", "/t/x/history?ticket=" + "t" * 43).status, 429)
        same(victim.ask(request("/t/x", more=f"Sec-WebSocket-Protocol: coho.raw.v1, bearer.{good()}\r\n")).head()[9:12], "429")
        peer = talker(victim)
        same(ask(peer, op="auth", token="a.b.c"), ("closed", 4429))
        peer.close()
        same(answer(victim, "GET", "/t/open/x/history").status, 200)


@attack("A18", "a good token where none belongs: in the query, the path, a body, other fields and cookies: as if it were not there, and never sent back")
def misplaced():
    with shut(auth_ms=5300).bounded(memory_kb=256, cpu_ms=50) as victim:
        text = good()
        for target, more in ((f"/t/x/history?token={text}", ""), (f"/t/x/history?access_token={text}", ""), (f"/t/x/history?bearer={text}", ""), ("/t/x/history", f"X-Token: {text}\r\n"),
                             ("/t/x/history", f"Cookie: token={text}\r\n"), ("/t/x/history", f"Authorization: Basic {text}\r\n"), ("/t/x/history", f"Proxy-Authorization: Bearer {text}\r\n"),
                             ("/t/x/history", f"Cookie: coho_tokens={text}; xcoho_token={text}\r\n")):
            got = answer(victim, "GET", target, more=more)
            same((got.status, text in got.head + got.body.decode()), (401, False), target[:30] + more[:20])
        peer = victim.ask(request("/t/x", more=f"Sec-WebSocket-Protocol: coho.raw.v1, bearer.{text}\r\n"))
        head = peer.head()
        same((head[9:12], text in head, "coho.raw.v1" in head), ("101", False, True))
        peer.close()
        got = answer(victim, "GET", "/t/x/history", more=f"Cookie: coho_token={text}; coho_token={good(sub='bob')}\r\n")
        same(got.status, 401, "two cookies that differ")
        same(answer(victim, "GET", "/t/x/history", more=bearing(text) * 2).status, 401, "two fields")


@attack("B23", "a token that ends while its owner is connected: told before, then 4401; streams end; with fewer rights what they do not allow ends")
def expiry():
    with shut(auth_ms=5400, requests_a_second=UNLIMITED).bounded(memory_kb=512, cpu_ms=100) as victim:
        soon = good(exp=int(time.time()) + 3)
        peer = talker(victim, more=bearing(soon))
        raw = victim.talker("/t/x", bearing(soon))
        listener = victim.ask(text_of("GET", "/t/x", more="Accept: text/event-stream\r\n" + bearing(soon)))
        poll = victim.ask(text_of("GET", "/t/x?since=0&wait=60", more=bearing(soon)))
        victim.made += [peer, raw, listener, poll]
        same(hear(peer)["op"], "expiring")
        same(hear(peer), ("closed", 4401))
        raw_end = raw.frame()
        same((raw_end[0], int.from_bytes(raw_end[1][:2], "big")), (8, 4401))
        true(listener.rest().endswith(b"0\r\n\r\n"), "the stream ends")
        same(poll.head()[9:12], "200", "the poll is answered")
        peer = talker(victim, more=bearing(good()))
        victim.made.append(peer)
        for topic in ("room/a", "room/b"):
            same(ask(peer, op="sub", topic=topic, **{"as": {"id": "ann"}})["op"], "ok")
        same(ask(peer, op="sub", pattern="#")["op"], "ok")
        say(peer, {"op": "auth", "token": good(coho={"sub": ["room/a"]})})
        found = [hear(peer) for _ in range(3)]
        same(sorted((one["op"], one.get("code", "")) for one in found), [("error", "forbidden"), ("error", "forbidden"), ("ok", "")])
        refused(peer, "forbidden", op="pub", topic="room/a", data="x")
        refused(peer, "forbidden", op="sub", topic="room/b")
        refused(peer, "forbidden", op="history", topic="room/b")
        refused(peer, "forbidden", op="presence", topic="room/b")
        same(post(victim, "room/b", b"x", bearing(good())).status, 200)
        same(ask(peer, op="ping")["op"], "pong", "nothing of room/b any more")


@attack("B22", "being somebody else: another id than the token's, another token on the connection: forbidden, 4403; the list shows who it was")
def impersonation():
    with shut(auth_ms=5500, requests_a_second=UNLIMITED).bounded(memory_kb=256, cpu_ms=100) as victim:
        bob = good(sub="bob")
        peer = talker(victim, more=bearing(bob))
        for identity in ("ann", "BOB", "bob ", "bob\n", "bo\u0062\u200b"):
            refused(peer, "forbidden", op="sub", topic="room", **{"as": {"id": identity}})
        same(ask(peer, op="sub", topic="room", **{"as": {"id": "bob", "info": {"id": "ann"}}})["op"], "ok")
        same([one["id"] for one in ask(peer, op="presence", topic="room")["members"]], ["bob"])
        same(ask(peer, op="auth", token=good(sub="ann")), ("closed", 4403))
        peer.close()
        for identity in ("ann", "bob%00", "bob%20", "Bob"):
            got = answer(victim, "GET", f"/t/other?since=0&wait=0&as={identity}", more=bearing(bob))
            true(got.status == 403 or identity == "bob%00", f"{identity}: {got.status}")
        true(set(one["id"] for one in answer(victim, "GET", "/t/other/presence", more=bearing(bob)).json()["members"]) <= {"bob"}, "the list")


@attack("B22", "a visitor without token, and one whose token names nobody, as a token's subject, by every way: forbidden; the list has guests by names of guests")
def guests():
    with shut(auth_ms=5700, requests_a_second=UNLIMITED).bounded(memory_kb=256, cpu_ms=100) as victim:
        same(answer(victim, "GET", "/t/open/hall?since=0&wait=0&as=ann", more=bearing(good())).status, 200)
        nameless = bearing(good(sub=""))
        for more in ("", nameless):
            peer = talker(victim, more=more)
            for identity in ("ann", "bob", " ~ann", "\uff5eann", "\u0000~"):
                got = ask(peer, op="sub", topic="open/hall", **{"as": {"id": identity, "info": "me"}})
                true(got == ("closed", 1007) or got["code"] in ("forbidden", "bad-request"), f"{identity!r}: {got}")
                if isinstance(got, tuple):
                    peer.close()
                    peer = talker(victim, more=more)
            peer.close()
            for target in ("/t/open/hall?as=ann", "/t/open/hall?wait=0&as=ann"):
                same(answer(victim, "GET", target, more=more).status, 403)
            same(victim.ask(request("/t/open/hall?as=ann", more=more)).head()[9:12], "403")
            same(answer(victim, "GET", "/t/open/hall?since=0&wait=0&as=~ann", more=more).status, 200)
        got = answer(victim, "GET", "/t/open/hall/presence").json()["members"]
        same(sorted((one["id"], one["info"]) for one in got), [("ann", None), ("~ann", None)])


@attack("A18", "tickets: used twice, guessed, for another ticket, 20,000 at once: one use, 401, 400; 16 of a subject, then 429; others get theirs")
def tickets():
    with shut(auth_ms=5600).bounded(memory_kb=1024, cpu_ms=6000) as victim:
        got = answer(victim, "POST", "/t/", b"", bearing(good()))
        ticket = got.json()["ticket"]
        same((got.status, got.all("Cache-Control"), len(ticket)), (200, ["no-store"], 43))
        same(answer(victim, "POST", f"/t/?ticket={ticket}", b"").status, 400)
        same(answer(victim, "GET", f"/t/x/history?ticket={ticket}").status, 200)
        same(answer(victim, "GET", f"/t/x/history?ticket={ticket}").status, 401, "the second time")
        same(answer(victim, "POST", "/t/", b"").status, 401)
        wide = good(coho={"sub": [f"{at:02}" + "w" * 40 for at in range(64)], "pub": ALL})
        found = pipelined(victim, [text_of("POST", "/t/", b"", bearing(wide))] * 20000)
        same((found.count(200), found.count(429)), (16, 19984), "tickets of one subject")
        same(answer(victim, "POST", "/t/", b"", bearing(good(sub="bob"))).status, 200, "another's")
        same(post(victim, "x", b"x", bearing(good())).status, 200, "who needs no ticket")


@attack("B24", "names, tokens, tickets and keys made to be seen in a log: one line for each, nothing secret, nothing a terminal obeys")
def logs():
    folder = FOLDER / "logs"
    folder.mkdir(exist_ok=True)
    (folder / "secret").write_text(GOOD)
    config = folder / "coho.yaml"
    config.write_text("access-log: true\nverbose: 2\nauth:\n  issuers:\n    - secret-file: " + str(folder / "secret") + "\n  open-subscribe: [open/#]\n")
    secret = "s3cr3t" * 6 + "t"
    with program("--config", config) as victim:
        for target, more in ((f"/t/x?ticket={secret}", ""), ("/t/x/history", bearing(f"a.{secret}.c")), ("/t/x/history", f"Cookie: coho_token={secret}\r\n"),
                             (f"/t/open/%1b[31m%0a{'l' * 300}?as=%0aforged&token={secret}", ""), (f"/t/open/x?access_token={secret}&since=x", "User-Agent: \x1b[31m\xff\r\n"),
                             ("/t/open/x?wait=0", f"Referer: http://h/?token={secret}\r\nCookie: a={secret}\r\n")):
            peer = victim.ask(text_of("GET", target, more=more + "Connection: close\r\n"))
            peer.head()
            peer.close()
        peer = victim.ask(request("/t/x", more=f"Sec-WebSocket-Protocol: coho.raw.v1, bearer.{secret}\r\n"))
        same(peer.head()[9:12], "401")
        peer.close()
        peer = victim.talker("/t/", JSON)
        same(ask(peer, op="auth", token=f"x.{secret}.y"), ("closed", 4401))
        peer.close()
        until(lambda: len(victim.said) >= 8, "lines in the log")
    text = "".join(victim.said)
    same((secret in text, GOOD in text, re.findall(r"[^\n -~]", text)), (False, False, []), text)
    true(all(re.match(r"\S", line) and len(line) < 1000 for line in victim.said), text)
