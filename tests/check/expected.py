"""expected.py: which cases of coho check fail, and on whom.

Cases are named as --filter names them: shell patterns, an id alone stands for all below it; here
"!" takes away again. A case that is noted does not pass either, but no rule demands that it does.
"""
import fnmatch
from dataclasses import dataclass

# Sizes and compression of many kinds (9, 12, 13) are run where they can matter.
USUAL = ("1 2 3 4 5 6 7 10 mask length fragment utf8 close handshake http protocol extension window deflate "
         "flood")
ALL = USUAL + " 9 12 13"
FEW = "1.1.1 2.1 3.1 5.3 7.3.2 7.3.3 7.9.1"  # where each case that is met costs a timeout
# Of everybody, and of nobody: what is reported for its own sake, or needs an option.
NOTED = ("7.1.6 7.13 protocol.known protocol.last protocol.lines handshake.deflate-foreign "
         "handshake.deflate-bits-foreign")


@dataclass(frozen=True)
class Expected:
    failed: str = ""
    noted: str = ""
    cases: str = USUAL


def fits(name, pattern):
    return fnmatch.fnmatchcase(name, pattern) or fnmatch.fnmatchcase(name, pattern + ".*")


def chosen(names, patterns):
    """Those of the names that the words choose, one after the other."""
    found = set()
    for word in patterns.split():
        if word.startswith("!"):
            found = {name for name in found if not fits(name, word[1:])}
        else:
            found |= {name for name in names if fits(name, word)}
    return found


# ---- faults of both sides ------------------------------------------------------------------------

PINGS_BETWEEN = ("5.6 5.7 5.8 5.19 5.20 6.4.1 6.4.2 fragment.ping-each fragment.ping-first utf8.ping-inside "
                 "deflate.ping-inside")
PONGS = f"2 !2.5 !2.7 !2.8 {PINGS_BETWEEN} mask.theirs deflate.mixed flood.pings"
FRAGMENTS = ("5 !5.1 !5.2 6.1.2 6.1.3 6.2 !6.2.1 6.4.1 6.4.2 7.1.5 10 mask.continuation fragment utf8.pieces-* "
             "utf8.binary-fragments utf8.continuation utf8.cut-in-fragments utf8.ping-inside deflate.hello-two "
             "deflate.hello-bytes deflate.ping-inside deflate.bit-continuation deflate.bit-later deflate.bomb-pieces "
             "flood.empty-fragments flood.small-fragments")
NOT_UTF8 = ("6.3 6.4 6.6.1 6.6.3 6.6.4 6.6.6 6.6.8 6.6.10 6.8 6.10 6.11.5 6.12 6.13 6.14 6.15 6.16 6.17 6.18 6.19 "
            "6.20 6.21 utf8.continuation utf8.cut-in-fragments utf8.two-halves utf8.after-sound utf8.early "
            "utf8.bad-at-* deflate.not-text")
BROKEN = ("2.5 3 4 5.1 5.2 5.9 5.1? 7.3.2 7.3.6 7.5 7.9 !5.19 mask.text mask.binary mask.empty mask.ping mask.pong "
          "mask.close mask.continuation mask.second fragment.*-in-* fragment.after-end fragment.ping-fragment-inside")
BINARY = ("1.2 9.2 9.4 9.6 9.8 12.2 12.3 12.5 mask.chop-* mask.theirs length.around-* length.header-* fragment.many "
          "fragment.empty fragment.all-empty utf8.binary utf8.binary-fragments deflate.plain deflate.far-back")
LARGE = "1.1.7 1.1.8 1.2.7 1.2.8 9.1 9.2 9.3 9.4 9.5 9.6 10 length.around-65536 length.header-64"
STREAMS = "deflate.hello* deflate.stored deflate.final deflate.two-blocks deflate.empty* deflate.more-blocks"

BOTH = {
    "mask-unchecked": Expected("mask !mask.zero !mask.chop-* !mask.theirs !mask.fresh"),
    "mask-wrong": Expected("1 2 3 4 5 7.3 7.5 7.7 7.9", cases="1 2 3 4 5 7.3 7.5 7.7 7.9 http"),
    "length-unchecked": Expected(noted="length.16-* length.64-*"),
    "length-long": Expected("1 !1.1.7 !1.1.8 !1.2.7 !1.2.8 5.3 9.7 length.around-* length.header-16",
                            cases="1 2 5.3 9.7 length http"),
    "rsv-unchecked": Expected("3 deflate.bit-*"),
    "opcode-unchecked": Expected("4"),
    **{fault: Expected("1 3.2 3.3 3.4", cases="1 2 3 7.3 7.9")
       for fault in ("rsv-sent", "opcode-sent", "ping-unfinished", "ping-long", "continuation-sent")},
    "utf8-sent": Expected("1.1 3.2 3.3 3.4", cases="1 2 3 7.3 7.9"),
    "close-code-sent": Expected("1 2 !2.5 7.3 !7.3.2 !7.3.6 7.7", cases="1 2 3 7.3 7.7 7.9"),
    "pong-none": Expected(PONGS),
    "pong-other": Expected(PONGS),
    "pong-cut": Expected("2.4 2.6"),
    "pong-reversed": Expected("2.10 2.11 flood.pings"),
    "pong-after-message": Expected(PINGS_BETWEEN),
    "pong-unexpected": Expected("2.7 2.8 2.9 fragment.pong-between flood.pongs"),
    "control-fragmented": Expected("5.1 fragment.ping-fragment-inside"),
    "control-long": Expected("2.5 7.3.6"),
    "interleaved": Expected("5.18 fragment.*-in-*"),
    "continuation-stray": Expected("5.9 5.1? !5.18 !5.19 fragment.after-end"),
    "fragments-apart": Expected(FRAGMENTS),
    "utf8-none": Expected(NOT_UTF8),
    "utf8-late": Expected(noted="6.4 utf8.early"),
    "close-code-any": Expected("7.9 close.1015 close.1"),
    "close-one-byte": Expected("7.3.2"),
    "close-reason-any": Expected("7.5 close.reason-*  !close.reason-bytes"),
    "close-none": Expected("1.1.1 2.1 5.3 7.3.3", cases=FEW),
    "close-late": Expected("1.1.1 2.1 5.3 7.3.3", cases=FEW),
    "close-other": Expected("1 2 !2.5 7.3 !7.3.2 !7.3.6 7.7 !7.7.9", cases="1 2 3 7.3 7.7 7.9"),
    "close-goes-on": Expected("7.1.3 7.1.4 7.1.5 close.data-behind", cases="1 7 close"),
    "tcp-kept": Expected("1.1.1 2.1 5.3 7.3.3", cases=FEW),
    "data-after-close": Expected("1 2 !2.5 7.3 !7.3.2 !7.3.6 7.7", cases="1 2 3 7.3 7.7 7.9"),
    "fail-quiet": Expected(BROKEN, cases="1 2 3 4 5 7.3 7.5 7.9 mask fragment"),
    "large-flipped": Expected(LARGE, cases=USUAL + " 9"),
    "empty-dropped": Expected("1.1.1 1.2.1 6.1.1 6.1.2 9.7.1 9.8.1 fragment.all-empty deflate.empty "
                              "deflate.empty-fixed", cases=USUAL + " 9.7 9.8"),
    "binary-as-text": Expected(BINARY, cases=ALL),
    "deflate-continuation": Expected("deflate.bit-continuation deflate.bit-later"),
    "deflate-empty": Expected(noted="deflate.nothing"),
    "deflate-truncated": Expected(noted="deflate.cut-* deflate.tail"),
    "deflate-bomb": Expected("deflate.bomb deflate.bomb-pieces"),
}

# ---- servers -------------------------------------------------------------------------------------

OFFERS_IN_ORDER = ("window.second-offer window.plain window.hint window.quoted window.all window.server-bits-* "
                   "window.client-bits-*")

ANSWERED = "1 2 3 5 7.3 7.9"  # some that begin with a handshake

SERVERS = BOTH | {
    "deflate-context": Expected("13.2 13.5 13.6 13.7 window.takeover-none window.all", cases="1 12 13 window deflate"),
    "deflate-tail": Expected(f"12 13 {OFFERS_IN_ORDER} window.takeover-none {STREAMS} deflate.takeover deflate.mixed "
                             "deflate.plain deflate.ping-inside deflate.far-back", cases="1 12 13 window deflate"),
    "deflate-window": Expected("13.3 !13.3.1 13.5 !13.5.[123] 13.7 !13.7.[123] window.quoted window.all "
                               "window.server-bits-* !window.server-bits-15", cases="1 12 13 window deflate"),
    "deflate-forgets": Expected("12 !12.2.1 !12.5 13 window.plain window.hint window.quoted window.server-bits-* "
                                "window.client-bits-* deflate.takeover deflate.mixed deflate.far-back",
                                cases="1 12 13 window deflate"),
    "accept-wrong": Expected(ANSWERED, cases=f"{ANSWERED} http"),
    "answer-no-upgrade": Expected(ANSWERED, cases=f"{ANSWERED} http"),
    "answer-no-connection": Expected(ANSWERED, cases=f"{ANSWERED} http"),
    "answer-body": Expected("handshake.answer"),
    "parameters-ignored": Expected("13 !13.1 !13.7 window.takeover-none window.quoted window.all window.server-bits-*",
                                   cases="1 12 13 window deflate"),
    "protocol-foreign": Expected("protocol.foreign"),
    "extension-foreign": Expected("12.1.1 13.1.1 window deflate extension !extension.blanks !extension.quoted-blank "
                                  "!extension.empty-*", "extension.blanks extension.quoted-blank",
                                  USUAL + " 12.1.1 13.1.1"),
    "version-any": Expected("handshake.version-* handshake.second"),
    "key-missing": Expected("handshake.key-missing"),
    "key-any": Expected("handshake.key-empty", "handshake.key-short handshake.key-long handshake.key-digits"),
    "refused-goes-on": Expected("handshake.second http.length-twice http.length-hex http.length-plus "
                                "http.length-minus"),
    "method-any": Expected("handshake.method-post http.method-case"),
    "upgrade-any": Expected("handshake.upgrade-missing handshake.upgrade-other handshake.connection-missing "
                            "handshake.connection-other"),
    "host-missing": Expected("handshake.host-missing"),
    "space-before-colon": Expected("http.space-before-colon"),
    "parameters-any": Expected("window.server-* !window.server-bits-* window.client-* !window.client-bits-* "
                               "window.takeover-twice window.unknown*"),
    "extensions-malformed": Expected("extension.no-* extension.two-words extension.open-quote extension.separator",
                                     "extension.quoted-blank"),
}

# What coho's own server leaves out, by --deflate.
SERVERS_OF_COHO = {
    "shared": "deflate.takeover deflate.mixed",  # no context in either direction
    "own": "",
    "own,window=9": "",
    "off": f"12 13 deflate {OFFERS_IN_ORDER} window.takeover-none",
}

# What servers of others do wrong, and why.
SERVERS_OF_OTHERS = {
    "ws": {
        "handshake.http-1.0": "takes Upgrade of HTTP/1.0, which RFC 9110 7.8 has ignored",
        "handshake.host-missing handshake.host-twice": "does not look at Host, for which RFC 9112 3.2 has 400",
        "handshake.version-zeros": "reads the version as a number, 013 as 13",
        "handshake.tabs": "takes a tab around a value for a part of it",
        "http.encoding-unknown": "does not look at Transfer-Encoding",
        "window.server-sign window.server-zeros window.server-fraction window.client-zeros":
            "reads window bits as numbers, whatever their digits",
    },
    "websockets": {
        "handshake.host-missing handshake.host-twice": "does not look at Host, for which RFC 9112 3.2 has 400",
        "handshake.version-0 handshake.version-14 handshake.version-255":
            "does not tell which versions there are, as RFC 6455 4.4 demands",
        "http.length-twice http.length-hex http.length-plus http.length-minus": "does not look at Content-Length",
        "http.encoding-unknown": "does not look at Transfer-Encoding",
        "window.server-bits-8": "answers 500: its zlib has no window of 8 bits",
        "deflate.final": "stops at a block with BFINAL",
    },
}

# ---- clients -------------------------------------------------------------------------------------

# A client goes through the cases one by one: where each that fails costs a timeout, a few tell enough.
CLIENTS = BOTH | {
    "pong-none": Expected("2.1 2.10 5.6 5.19 fragment.ping-first flood.pings",
                          cases="1.1 2.1 2.5 2.7 2.10 5.3 5.6 5.19 fragment.ping-first flood"),
    "pong-after-message": Expected("5.6 5.8 fragment.ping-first utf8.ping-inside",
                                   cases="2 5.1 5.6 5.8 fragment.ping-first utf8.ping-inside"),
    "empty-dropped": Expected("1.1.1 6.1.2 deflate.empty", cases="1.1 2 6.1.2 6.1.3 deflate.empty deflate.hello"),
    "close-none": Expected("1.1.1 7.3.3", cases="1.1.1 3.1 7.3.2 7.3.3"),
    "close-late": Expected("1.1.1 7.3.3", cases="1.1.1 3.1 7.3.2 7.3.3"),
    "tcp-kept": Expected(noted="close.leave", cases=FEW + " close.leave"),
    "data-after-close": Expected("1 2 !2.5 7.3 !7.3.2 !7.3.6 7.7", "close.leave", "1 2 3 7.3 7.7 7.9 close.leave"),
    "deflate-context": Expected("13.2 13.5 13.6 13.7 window.answer-takeover-none", cases="1 12 13 window deflate"),
    "deflate-tail": Expected(f"12 13 window {STREAMS} deflate.takeover deflate.mixed deflate.plain "
                             "deflate.ping-inside deflate.far-back", cases="1 12 13 window deflate"),
    "deflate-window": Expected("13.3 !13.3.1 13.5 !13.5.[123] window.answer-bits-* !window.answer-bits-15",
                               cases="1 12 13 window deflate"),
    "deflate-forgets": Expected("12 !12.2.1 !12.5 13 window deflate.takeover deflate.mixed deflate.far-back",
                                cases="1 12 13 window deflate"),
    "mask-constant": Expected("mask.fresh"),
    "key-short": Expected("handshake.request"),
    "version-missing": Expected("handshake.request"),
    "speaks-early": Expected("handshake.silent",
                             cases="1 5.3 handshake.silent handshake.request handshake.accept-wrong"),
    "accept-unchecked": Expected("handshake.accept-*"),
    "status-unchecked": Expected("handshake.status-*"),
    "upgrade-unchecked": Expected("handshake.answer-upgrade-* handshake.answer-connection-*"),
    "protocol-unchecked": Expected("handshake.protocol-foreign"),
    "extension-unchecked": Expected("handshake.extension-* handshake.deflate-unknown handshake.deflate-16 "
                                    "handshake.deflate-no-value handshake.deflate-twice"),
    "window-8-none": Expected(noted="window.answer-bits-8", cases="window handshake"),
}

CLIENTS_OF_OTHERS = {
    "ws": {},
    "websockets": {
        "deflate.final": "stops at a block with BFINAL",
    },
}
