"""The project's own files, for the checks in this folder."""
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
SKIPPED = {".git", "build", "node_modules", "dist", "__pycache__"}


def find(folders, suffixes=None):
    """Files below the folders of ROOT, sorted; all of them, or those with one of the suffixes."""
    found = []
    for folder in folders:
        for path in (ROOT / folder).rglob("*"):
            parts = path.relative_to(ROOT).parts
            if path.is_file() and not SKIPPED.intersection(parts):
                if suffixes is None or path.suffix in suffixes:
                    found.append(path)
    return sorted(set(found))


def name(path):
    return path.relative_to(ROOT).as_posix()


def report(problems):
    """Prints `file:line: what is wrong; what to do` rows and ends the program."""
    for problem in problems:
        print(problem)
    sys.exit(1 if problems else 0)
