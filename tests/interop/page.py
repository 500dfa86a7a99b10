"""docs/interop.md, made of what a run found."""
import re

import cases
import matrix
from peers import ROOT
from process import package_version
from proxies import NAMES as PROXIES

PAGE = ROOT / "docs/interop.md"
NUMBERS = re.compile(r"\d+(\.\d+)+")  # versions change without us

HEAD = """\
# Interop

Which other WebSocket programs coho was tried with, in which role, over ws and wss, with and without
compression, and what came out. `tests/interop/run` tries it, with libcoho at the other end, and fails
when this page tells something else than it found, versions aside; `tests/interop/run --write` writes
the page.

## Results

The role is that of the peer; coho has the other one. A cell holds the number of cases that passed, no
case failed. In the columns without deflate coho has compression turned off, in the others it offers
and accepts it. Certificates are verified, also by the proxies, which speak the same scheme on both
sides; coho as a client behind a proxy speaks wss to it and the proxy ws to coho.
"""


def table(heads, rows):
    return ["| " + " | ".join(heads) + " |", "|---" * len(heads) + "|",
            *("| " + " | ".join(row) + " |" for row in rows), ""]


def by_row(cells):
    """Lists of the cells of a row, in the order of the columns."""
    found = {}
    for cell in cells:
        found.setdefault(cell.row, []).append(cell)
    return found.values()


def result(cell):
    lacks = cell.row.peer.lacks(cell.row.role, cell.column)
    text = f"{len(cell.passed)} passed"
    if cell.column.deflate and "deflate" in lacks:
        return f"{text}, not compressed"
    if cell.column.deflate and "compress" in lacks:
        return f"{text}, compressed by coho only"
    return text


def results(cells):
    rows = []
    for some in by_row(cells):
        row = some[0].row
        proxy = f"{row.proxy} {package_version(row.proxy)}" if row.proxy else ""
        source = f" ({row.peer.source})" if row.peer.source else ""
        rows.append([row.peer.name + source, some[0].version, row.role, proxy, *map(result, some)])
    return table(["peer", "version", "role", "through", *(column.name for column in matrix.COLUMNS)], rows)


def when(lack):
    return ", ".join(filter(None, [f"as {lack.role}" if lack.role else "", lack.scheme,
                                   "with deflate" if lack.deflate else ""])) or "always"


def lacking(cells):
    """What peers cannot do, and the cases that were left out for it."""
    rows = {}
    for cell in cells:
        if cell.row.proxy:
            continue
        for lack in cell.row.peer.cannot:
            if lack.fits(cell.row.role, cell.column):
                names = rows.setdefault((cell.row.peer.name, lack.why, when(lack)), {})
                names |= {name: None for name, why in cell.cannot.items() if why == lack.why}
    return table(["peer", "when", "what it does", "cases left out"],
                 [[name, how, why, ", ".join(names) or "none"] for (name, why, how), names in rows.items()])


def agreements(cells):
    modes = {"/shared": "no context", "/own": "a context, 12 bits", "/small": "a context, 9 bits"}
    rows = []
    for cell in cells:
        if cell.row.proxy or cell.column != matrix.Column("ws", True):
            continue
        for path, mode in modes.items():
            if path in cell.agreed:
                offer, agreed = cell.agreed[path]
                rows.append([cell.row.peer.name, cell.row.role, mode, short(offer), short(agreed)])
    return table(["peer", "role", "coho wants", "offered by the client", "agreed on"], rows)


def short(terms):
    return f"`{terms}`" if terms else "nothing"


def glossary():
    found = {}
    for one in cases.CASES:
        name = one.function.__name__.replace("_", " ")
        givers = [f"{name} by {other}" for other in ("coho", "the peer")] if one.giver else [name]
        found[", ".join(givers)] = " ".join(one.function.__doc__.split())
    return table(["case", "what happens"], found.items())


def make(cells):
    out = [HEAD, *results(cells)]
    out += ["## What the peers cannot do", "",
            "Cases are left out for that, or expect it.", "", *lacking(cells)]
    out += ["## What was agreed on", "",
            "Of permessage-deflate, as it went over the wire. A peer that answers nothing has declined.", "",
            *agreements(cells)]
    out += ["## The cases", "", "Each is a connection of its own, which ends with a clean close where "
            "nothing else is said.", "", *glossary()]
    return "\n".join(out).rstrip("\n") + "\n"


def judge(cells, write):
    """Writes the page, or tells whether it is current."""
    text = make(cells)
    old = PAGE.read_text(encoding="utf-8") if PAGE.exists() else ""
    if write and text != old:
        PAGE.write_text(text, encoding="utf-8")
        print(f"wrote {PAGE.relative_to(ROOT)}")
    good = write or NUMBERS.sub("N", text) == NUMBERS.sub("N", old)
    if not good:
        print(f"FAIL {PAGE.relative_to(ROOT)} is not what was found; run tests/interop/run --write")
    return good
