#!/usr/bin/env python3
"""check-size.py: no file over 600 lines, no function over 80 (C, counted from { to })."""
import re

import sources

FILE_LINES = 600
FUNCTION_LINES = 80
C_FOLDERS = ["include", "src", "cmd", "tests", "examples", "bench", "fuzz"]
C_SUFFIXES = {".c", ".h", ".cpp"}
OTHER_SUFFIXES = {".py", ".js", ".mjs", ".ts", ".css", ".html", ".sh"}


def functions(lines):
    """(line, length, signature) of each function; the house format puts its } in column 0."""
    start = signature = None
    for number, line in enumerate(lines, 1):
        if re.match(r"[A-Za-z_]", line) and not line.endswith(":"):
            signature = line
        if start is None and line.endswith("{") and "=" not in line and "(" in (signature or ""):
            start = number
        if line.startswith("}"):
            if start is not None and line == "}":
                yield start, number - start + 1, signature
            start = signature = None


def main():
    problems = []
    files = sources.find(C_FOLDERS, C_SUFFIXES)
    files += sources.find(["web", "tests", "tools"], OTHER_SUFFIXES)
    for path in files:
        name = sources.name(path)
        lines = path.read_text(encoding="utf-8").splitlines()
        if len(lines) > FILE_LINES:
            problems.append(f"{name}:{FILE_LINES}: file has {len(lines)} lines, "
                            f"{FILE_LINES} are allowed; it holds two nouns, split it")
        if path.suffix in C_SUFFIXES:
            for start, length, signature in functions(lines):
                if length > FUNCTION_LINES:
                    problems.append(f"{name}:{start}: function has {length} lines, {FUNCTION_LINES} "
                                    f"are allowed; split it: {signature.strip()}")
    sources.report(problems)


main()
