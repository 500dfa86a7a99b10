#!/usr/bin/env python3
"""embed.py DIR OUT.c: writes every file below DIR into OUT.c as the table of cmd/assets.h."""
import hashlib
import pathlib
import sys

TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".ico": "image/x-icon",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".map": "application/json",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".webmanifest": "application/manifest+json",
    ".woff2": "font/woff2",
}

HEAD = """\
/* Written by tools/embed.py: the pages, each file included by the assembler as it is. */
#include "assets.h"

"""

FILE = """\
extern const unsigned char coho__asset_{index}[];
__asm__(".pushsection .rodata\\n"
        ".globl coho__asset_{index}\\n"
        ".hidden coho__asset_{index}\\n"
        "coho__asset_{index}:\\n"
        ".incbin {file}\\n"
        ".byte 0\\n"
        ".popsection");

"""


def quoted(text):
    """A C string literal; it is also the form that the assembler reads."""
    return '"' + str(text).replace("\\", "\\\\").replace('"', '\\"') + '"'


def row(index, path, root):
    content = path.read_bytes()
    etag = quoted(hashlib.sha256(content).hexdigest()[:16])
    kind = TYPES.get(path.suffix)
    if kind is None:
        sys.exit(f"{path}: no media type for {path.suffix!r}; add it to TYPES in tools/embed.py")
    fields = [quoted("/" + path.relative_to(root).as_posix()), quoted(kind), quoted(etag),
              f"coho__asset_{index}", str(len(content))]
    return "    {" + ", ".join(fields) + "},\n"


def main():
    root, out = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    files = [path for path in root.rglob("*") if path.is_file()]
    files.sort(key=lambda path: path.relative_to(root).as_posix().encode())
    if not files:
        sys.exit(f"{root}: nothing to embed; did the page build write there?")
    text = HEAD
    for index, path in enumerate(files):
        text += FILE.format(index=index, file=quoted(path.resolve()).replace('"', '\\"'))
    text += "const coho_asset coho__assets[] = {\n"
    text += "".join(row(index, path, root) for index, path in enumerate(files))
    text += "};\nconst size_t coho__assets_count = sizeof coho__assets / sizeof coho__assets[0];\n"
    out.write_text(text, encoding="utf-8")


main()
