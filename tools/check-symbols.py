#!/usr/bin/env python3
"""check-symbols.py BUILD: what the core calls, and what the shared libraries export.

The core may call only what tools/core-symbols.txt lists. Exported names start with coho_.
"""
import pathlib
import re
import subprocess
import sys

import sources


def nm(*arguments):
    return subprocess.run(["nm", *arguments], check=True, capture_output=True, text=True).stdout


def core_problems(archive):
    listed = (sources.ROOT / "tools/core-symbols.txt").read_text(encoding="utf-8").splitlines()
    allowed = re.compile("|".join(line for line in listed if line and line[0] != "#"))
    defined = set(re.findall(r"^\w+ [A-Z] (\S+)$", nm("--defined-only", archive), re.MULTILINE))
    used = re.findall(r":(\S+)\.o: +[Uw] (\S+)$", nm("-A", "-u", archive), re.MULTILINE)
    paths = {path.name: sources.name(path) for path in sources.find(["src/base", "src/proto"])}
    for source, symbol in used:
        if symbol not in defined and not allowed.fullmatch(symbol):
            yield f"{paths.get(source, source)}:1: the core calls {symbol}; do without it, or move this out of the core"


def export_problems(library):
    for line in nm("-D", "--defined-only", library).splitlines():
        _, kind, symbol = line.split()
        if kind != "A" and not re.match(r"coho_[^_]", symbol):
            yield f"src/coho.map:1: {library.name} exports {symbol}; make it static or name it coho__"


def main():
    build = pathlib.Path(sys.argv[1])
    problems = list(core_problems(build / "libcoho-core.a"))
    for name in ("libcoho.so", "libcoho-core.so"):
        problems += export_problems(build / name)
    sources.report(problems)


main()
