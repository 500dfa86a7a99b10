#!/usr/bin/env python3
"""check-layers.py: a folder includes only the folders that ARCHITECTURE.md allows it."""
import re

import sources

MAY_INCLUDE = {
    "base": set(),
    "proto": {"base"},
    "io": {"base"},
    "http": {"base", "proto", "io"},
    "ws": {"base", "proto", "io", "http"},
    "hub": {"base", "io", "ws"},
    "topics": {"base", "proto", "io", "http", "ws", "hub"},
    "bridge": {"base", "proto", "io", "ws"},
}
PLATFORM = re.compile(r"(sys/socket|sys/epoll|netinet/.*|arpa/.*|poll|pthread)\.h")
INCLUDE = re.compile(r'\s*#\s*include\s*[<"]([^>"]+)[>"]')


def includes(path):
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        match = INCLUDE.match(line)
        if match:
            yield number, match[1]


def source_problem(layer, header):
    """What is wrong with this include in src/LAYER, or None."""
    folder, slash, _ = header.partition("/")
    if layer in ("base", "proto"):
        if PLATFORM.fullmatch(header):
            return f"{header} belongs to the platform, which src/{layer} does not know; move the call to src/io"
        if header == "coho/coho.h":
            return f"src/{layer} lies below the loop; include the coho/ header of the engine instead"
    if folder in MAY_INCLUDE and slash and folder != layer and folder not in MAY_INCLUDE[layer]:
        allowed = ", ".join(sorted(MAY_INCLUDE[layer])) or "no other layer"
        return f"src/{layer} may not include {header}, only {allowed}; pass what is needed as an argument"
    return None


def public_problem(header):
    """What is wrong with this include in include/coho, or None."""
    if "/" in header and not header.startswith("coho/"):
        return f"a public header includes only the C library's and coho/ headers, not {header}"
    return None


def file_problems(path):
    """(line, what is wrong) of each include that is not allowed."""
    top, layer = path.relative_to(sources.ROOT).parts[:2]
    if top == "src" and layer not in MAY_INCLUDE:
        yield 1, f"src/{layer} is no layer; add it to ARCHITECTURE.md and here, or move the file"
        return
    for line, header in includes(path):
        problem = source_problem(layer, header) if top == "src" else public_problem(header)
        if problem:
            yield line, problem


def main():
    sources.report([f"{sources.name(path)}:{line}: {problem}"
                    for path in sources.find(["src", "include"], {".c", ".h"})
                    for line, problem in file_problems(path)])


main()
