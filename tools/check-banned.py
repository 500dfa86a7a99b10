#!/usr/bin/env python3
"""check-banned.py: C functions that cannot be used safely, and words that do not belong in the tree."""
import re

import sources

FUNCTIONS = {
    "strcpy": "copy with memcpy and a known length",
    "strncpy": "copy with memcpy and a known length",
    "strcat": "append to a struct that knows its capacity",
    "sprintf": "use snprintf and check what it returns",
    "vsprintf": "use vsnprintf and check what it returns",
    "gets": "use fgets or getline",
    "strtok": "walk the string with a view",
    "alloca": "use a fixed array or the heap",
    "atoi": "use a parser that reports overflow",
    "atol": "use a parser that reports overflow",
    "rand": "use base/random.h",
    "srand": "use base/random.h",
    "setjmp": "return an error",
    "longjmp": "return an error",
    "assert": "use the macros of base/check.h, which stay in release builds",
}
CALL = re.compile(r"(?<![\w.>])(" + "|".join(FUNCTIONS) + r")\s*\(")
# Comments, string literals and character constants, none of which can call anything.
SILENT = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.DOTALL)
WORDS = {
    r"\b(TODO|FIXME|XXX)\b": "open an issue and name it, or do it now",
    r"(?<![\w.])/(work|home|root)/\w": "this path exists on one machine only; make it relative",
    r'"resolved": "http': "a lock file names no registry; run npm with omit-lockfile-registry-resolved",
}
TEXT = {".c", ".h", ".cpp", ".py", ".sh", ".js", ".mjs", ".ts", ".css", ".html", ".json", ".md",
        ".cmake", ".txt", ".in", ".wire", ""}


def blank(match):
    """The same number of lines, without the text."""
    return "\n" * match[0].count("\n") or " "


def matches(pattern, text):
    for match in re.finditer(pattern, text):
        yield text.count("\n", 0, match.start()) + 1, match


def main():
    problems = []
    for path in sources.find(["src", "cmd"], {".c", ".h"}):
        code = SILENT.sub(blank, path.read_text(encoding="utf-8"))
        for line, match in matches(CALL, code):
            problems.append(f"{sources.name(path)}:{line}: {match[1]} is banned; {FUNCTIONS[match[1]]}")
    for path in sources.find(["."]):
        if path.suffix not in TEXT or sources.name(path) == "tools/check-banned.py":
            continue
        text = path.read_text(encoding="utf-8", errors="replace")
        for pattern, advice in WORDS.items():
            for line, match in matches(pattern, text):
                problems.append(f"{sources.name(path)}:{line}: {match[0]!r} is banned; {advice}")
    sources.report(problems)


main()
