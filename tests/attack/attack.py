"""attack.py: the list of attacks, and what they assert with."""
import os
import pathlib
import shlex
import subprocess
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
COHO = pathlib.Path(os.environ.get("COHO", ROOT / "build/release/coho")).resolve()
PATIENCE = 20  # seconds for anything that has to happen

ATTACKS = []
_folder = tempfile.TemporaryDirectory(prefix="coho-attack-")
FOLDER = pathlib.Path(_folder.name)  # for files of this run


class Skip(Exception):
    """The machine does not let this be tried; the text says why."""


def attack(number, text):
    """Puts the function into the list, under its group, which is its file."""
    def add(function):
        ATTACKS.append((f"{function.__module__} {number}: {text}", function))
        return function
    return add


def same(got, wanted, about=""):
    if got != wanted:
        raise AssertionError(f"{about}{': ' if about else ''}{str(got)[:300]!r} is not {str(wanted)[:300]!r}")


def true(condition, text):
    if not condition:
        raise AssertionError(text)


def until(condition, text, patience=PATIENCE, every=0.01):
    """Looks again and again; the value that is true."""
    end = time.monotonic() + patience
    while not (value := condition()):
        if time.monotonic() > end:
            raise AssertionError(f"not within {patience} s: {text}")
        time.sleep(every)
    return value


def build(name):
    """A C program of this folder, with the library beside the program under test and what that was linked with."""
    program = FOLDER / name
    if program.exists():
        return program
    words = subprocess.run(["pkg-config", "--static", "--libs", "coho"], check=True, capture_output=True, text=True,
                           env=os.environ | {"PKG_CONFIG_PATH": str(COHO.parent)}, timeout=60).stdout
    others = [word for word in shlex.split(words) if not word.startswith("-L") and word != "-lcoho"]
    subprocess.run([os.environ.get("CC", "cc"), "-std=c11", "-O2", "-I", ROOT / "include", "-o", program,
                    HERE / f"{name}.c", COHO.with_name("libcoho.a"), *others], check=True, timeout=300)
    return program
