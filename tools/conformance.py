#!/usr/bin/env python3
"""conformance.py [--check | --print]: docs/conformance.md, made of the requirements and their tests.

The requirements are docs/rfc6455-ids.txt and docs/rfc7692-ids.txt. A requirement is covered by a case of tests/wire, by a C
function test_XX_NN_... of tests/unit or tests/e2e (test_XX_NN_YY_MM_... covers two), or it stands in
tests/conformance-exceptions with the reason. Without an option the file is written, --print prints it,
--check tells what is wrong with it. All three fail when a requirement is neither covered nor excepted,
when an exception is not needed, when an id is unknown, or when a requirement of both parties is tested
for one of them only.
"""
import re
import sys

import sources

LISTS = [sources.ROOT / "docs/rfc6455-ids.txt", sources.ROOT / "docs/rfc7692-ids.txt"]
EXCEPTIONS = sources.ROOT / "tests/conformance-exceptions"
PAGE = sources.ROOT / "docs/conformance.md"
ID = r"[A-Z]{1,3}-\d\d"
FUNCTION = re.compile(r"\btest_((?:[A-Z]{1,3}_\d\d_)+)\w*\s*\(")
ROLES = {"server": {"S"}, "client": {"C"}, "both": {"S", "C"}}

HEAD = """\
# Conformance

Which requirement of RFC 6455, of what it stands on, and of RFC 7692 is tested where. This page is made
by `tools/conformance.py` from the lists of requirements, [one](rfc6455-ids.txt) and
[the other](rfc7692-ids.txt), the names of the tests, and
[the exceptions](../tests/conformance-exceptions); `tools/generated` brings it up to date.

Party: C client, S server, E both, X intermediary. A file of `tests/wire` is followed by its number of
cases for the requirement and the roles that they test; a case with a table of values counts once.
"""


class Test:
    """Where an id is tested: name, number of tests, roles."""

    def __init__(self):
        self.count = 0
        self.roles = set()


def read_requirements(problems, listed):
    """[(heading, [(id, section, party, level, text)])]; listed: the places of the ids"""
    sections = []
    for path in LISTS:
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            if line.startswith("## "):
                sections.append((line[3:], []))
            elif line and not line.startswith("#"):
                row = [part.strip() for part in line.split("|")]
                place = f"{sources.name(path)}:{number}"
                if len(row) != 5 or not re.fullmatch(ID, row[0]) or row[0] in listed:
                    problems.append(f"{place}: not a new `id | section | party | level | "
                                    f"requirement`; mend the line")
                    continue
                listed[row[0]] = place
                sections[-1][1].append(row)
    return sections


def read_exceptions(problems):
    """{id: (line, reason)}"""
    exceptions = {}
    for number, line in enumerate(EXCEPTIONS.read_text(encoding="utf-8").splitlines(), 1):
        if not line or line.startswith("#"):
            continue
        match = re.fullmatch(rf"({ID}): (\S.*)", line)
        if match and match[1] not in exceptions:
            exceptions[match[1]] = (number, match[2])
        else:
            problems.append(f"{sources.name(EXCEPTIONS)}:{number}: not a new `ID: reason`; mend the line")
    return exceptions


def note(tests, requirement, place, roles):
    test = tests.setdefault(requirement, {}).setdefault(place, Test())
    test.count += 1
    test.roles |= roles


def read_wire(tests, places):
    for path in sources.find(["tests/wire"], {".wire"}):
        lines = path.read_text(encoding="utf-8").splitlines()
        ids, number = [], 0
        for at, line in enumerate(lines, 1):
            if line.startswith("case "):
                ids, number = re.findall(ID, line.partition(":")[0]), at
                continue
            role = re.match(r"\s*(?:open )?(server|client|both)\b", line)
            if role:
                for requirement in ids:
                    note(tests, requirement, sources.name(path), ROLES[role[1]])
                    places.setdefault(requirement, f"{sources.name(path)}:{number}")
                ids = []


def read_functions(tests, places):
    for path in sources.find(["tests/unit", "tests/e2e"], {".c"}):
        text = path.read_text(encoding="utf-8")
        defined = {match[0]: match for match in FUNCTION.finditer(text)}
        for match in defined.values():
            for requirement in re.findall(r"([A-Z]{1,3})_(\d\d)_", match[1]):
                requirement = "-".join(requirement)
                note(tests, requirement, sources.name(path), {"S", "C"})
                line = text.count("\n", 0, match.start()) + 1
                places.setdefault(requirement, f"{sources.name(path)}:{line}")


def check(sections, listed, tests, places, exceptions, problems):
    rows = {row[0]: row for _, rows in sections for row in rows}
    for requirement in sorted(set(tests) - set(rows)):
        problems.append(f"{places[requirement]}: {requirement} is in no list of "
                        f"requirements; correct the id")
    for requirement, (number, _) in exceptions.items():
        place = f"{sources.name(EXCEPTIONS)}:{number}"
        if requirement not in rows:
            problems.append(f"{place}: {requirement} is no requirement; correct the id")
        elif requirement in tests:
            problems.append(f"{place}: {requirement} is tested at {places[requirement]}; "
                            f"remove the exception")
    for requirement, row in rows.items():
        if requirement in exceptions:
            continue
        if requirement not in tests:
            problems.append(f"{listed[requirement]}: {requirement} ({row[4]}) has no test; write one "
                            f"that carries the id, or say why not in {sources.name(EXCEPTIONS)}")
            continue
        roles = set().union(*(test.roles for test in tests[requirement].values()))
        if row[2] == "E" and roles != {"S", "C"}:
            problems.append(f"{places[requirement]}: {requirement} binds both parties and is tested "
                            f"for one of them; test the other too")


def describe(places):
    parts = []
    for place in sorted(places):
        test = places[place]
        name = f"[{place.removeprefix('tests/')}](../{place})"
        roles = "" if not place.endswith(".wire") else " " + "".join(sorted(test.roles))
        parts.append(f"{name} {test.count}{roles}")
    return ", ".join(parts)


def page(sections, tests, exceptions):
    rows = [row for _, some in sections for row in some]
    tested = sum(row[0] in tests for row in rows)
    excepted = sum(row[0] in exceptions for row in rows)
    out = [HEAD, f"{len(rows)} requirements: {tested} tested, {excepted} excepted.", ""]
    for heading, some in sections:
        out += [f"## {heading}", "", "| id | section | party | level | requirement | tests |",
                "|---|---|---|---|---|---|"]
        for row in some:
            if row[0] in tests:
                cover = describe(tests[row[0]])
            elif row[0] in exceptions:
                cover = "none: " + exceptions[row[0]][1]
            else:
                cover = "**none**"
            out.append("| " + " | ".join([*row, cover]) + " |")
        out.append("")
    return "\n".join(out)


def main():
    problems, listed, tests, places = [], {}, {}, {}
    sections = read_requirements(problems, listed)
    exceptions = read_exceptions(problems)
    read_wire(tests, places)
    read_functions(tests, places)
    check(sections, listed, tests, places, exceptions, problems)
    text = page(sections, tests, exceptions)
    option = sys.argv[1] if len(sys.argv) > 1 else ""
    if option == "--print":
        sys.stdout.write(text)
        for problem in problems:
            print(problem, file=sys.stderr)
        sys.exit(1 if problems else 0)
    if option == "--check":
        if not PAGE.exists() or PAGE.read_text(encoding="utf-8") != text:
            problems.append(f"{sources.name(PAGE)}:1: is not up to date; run tools/conformance.py")
    else:
        PAGE.write_text(text, encoding="utf-8")
    sources.report(problems)


main()
