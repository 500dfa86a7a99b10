#!/usr/bin/env python3
"""check-limits.py: docs/limits.md names every limit that is an option, and tests that there are."""
import re
import sys

import sources

DOC = "docs/limits.md"
HEADERS = ("core.h", "coho.h", "hub.h", "topics.h", "client.h")
STRUCTURES = ("coho_options", "coho_server_options", "coho_ws_options", "coho_hub_options", "coho_topic_options",
              "coho_topics_options", "coho_client_options")
# Sizes, times and rates; others have nothing to do with limits.
FIELD = re.compile(r"^  (?:uint64_t|uint32_t|size_t|coho_rate) (\w+);", re.MULTILINE)
NO_LIMITS = {"flags", "threads", "unix_mode", "drain_code", "slow"}
FUNCTION = re.compile(r"COHO_API void (coho_set_\w+_limit)\(")


def limits(headers):
    """What the headers let a program set."""
    found = set(FUNCTION.findall(headers))
    for name in STRUCTURES:
        found |= set(FIELD.findall(re.search(rf"typedef struct {name} {{(.*?)\n}} {name};", headers, re.DOTALL)[1]))
    return found - NO_LIMITS


def exists(root, test):
    """Whether this is the name of a test."""
    kind, _, rest = test.partition("/")
    program, _, name = rest.partition(":")
    path = root / "tests" / kind / (program + (".wire" if kind == "wire" else ".c"))
    if not path.is_file():
        return False
    text = path.read_text()
    if kind == "wire":
        return re.search(rf"^case [^:]*: {re.escape(name.strip())}$", text, re.MULTILINE) is not None
    return f"static void {name}(" in text


def main():
    root = sources.ROOT
    headers = "".join((root / "include/coho" / name).read_text() for name in HEADERS)
    rows = [line.strip("|").split("|") for line in (root / DOC).read_text().splitlines() if line.startswith("| ")]
    rows = [row for row in rows if row[-1].strip() != "test"]
    documented = {word for row in rows for word in re.findall(r"^ `(\w+)`", row[0])}
    known = limits(headers)
    faults = [f"{DOC}: {name} is missing" for name in sorted(known - documented)]
    faults += [f"{DOC}: there is no {name}" for name in sorted(documented - known)]
    for row in rows:
        tests = re.findall(r"`([^`]+)`", row[-1])
        faults += [f"{DOC}: no test of{row[0].rstrip()}"] * (not tests)
        faults += [f"{DOC}: there is no test {test}" for test in tests if not exists(root, test)]
    print("\n".join(faults), end="\n" if faults else "")
    return bool(faults)


sys.exit(main())
