#!/usr/bin/env python3
"""Every block of C in a document is a file of examples/, to the letter, so that it compiles."""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent


def main():
    examples = {path.read_text(encoding="utf-8") for path in (ROOT / "examples").glob("*.c")}
    status = 0
    for document in sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]):
        text = document.read_text(encoding="utf-8")
        for block in re.finditer(r"^```c\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
            if block.group(1) in examples:
                continue
            line = text.count("\n", 0, block.start()) + 1
            print(f"{document.relative_to(ROOT)}:{line}: is no file of examples/; copy one, or write one there")
            status = 1
    return status


sys.exit(main())
