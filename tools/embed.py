#!/usr/bin/env python3
"""embed.py DIR OUT.c: writes every file below DIR into OUT.c as the table of cmd/assets.h, with a compressed
form, in the folder OUT.c.gz, of those that become smaller by it."""
import gzip
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


def compress(path, root, folder):
    """The file that holds it compressed; None: that saves nothing worth a second form."""
    content = path.read_bytes()
    packed = gzip.compress(content, 9, mtime=0)
    if len(packed) > len(content) * 9 // 10:
        return None
    out = folder / (path.relative_to(root).as_posix() + ".gz")
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_bytes(packed)
    return out


def row(index, path, root, packed):
    content = path.read_bytes()
    etag = quoted(hashlib.sha256(content).hexdigest()[:16])
    kind = TYPES.get(path.suffix)
    if kind is None:
        sys.exit(f"{path}: no media type for {path.suffix!r}; add it to TYPES in tools/embed.py")
    fields = [quoted("/" + path.relative_to(root).as_posix()), quoted(kind), quoted(etag),
              f"coho__asset_{index}", str(len(content))]
    fields += [f"coho__asset_{index}_gz", str(packed.stat().st_size)] if packed else ["NULL", "0"]
    return "    {" + ", ".join(fields) + "},\n"


def include(index, path):
    return FILE.format(index=index, file=quoted(path.resolve()).replace('"', '\\"'))


def main():
    root, out = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    files = [path for path in root.rglob("*") if path.is_file()]
    files.sort(key=lambda path: path.relative_to(root).as_posix().encode())
    if not files:
        sys.exit(f"{root}: nothing to embed; did the page build write there?")
    folder = out.with_name(out.name + ".gz")
    packed = [compress(path, root, folder) for path in files]
    text = HEAD
    for index, path in enumerate(files):
        text += include(str(index), path)
        text += include(f"{index}_gz", packed[index]) if packed[index] else ""
    text += "const coho_asset coho__assets[] = {\n"
    text += "".join(row(index, path, root, packed[index]) for index, path in enumerate(files))
    text += "};\nconst size_t coho__assets_count = sizeof coho__assets / sizeof coho__assets[0];\n"
    out.write_text(text, encoding="utf-8")


main()
