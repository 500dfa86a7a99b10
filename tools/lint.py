#!/usr/bin/env python3
"""lint.py BUILD: clang-tidy over every source that BUILD/compile_commands.json names.

A source that passed is not looked at again until it, a header it includes (the system's too), its
command, .clang-tidy or clang-tidy itself changes: build/lint holds one empty file per passed state.
"""
import concurrent.futures
import functools
import hashlib
import json
import os
import pathlib
import shlex
import subprocess
import sys

import sources

CACHE = sources.ROOT / "build/lint"
# The analyzer looks at a function until it knows so many states: a quarter of the usual number takes
# less than half of the time, and gcc's analyzer (tools/analyze) looks at the same code.
DEPTH = [f"--extra-arg={word}" for word in ("-Xclang", "-analyzer-config", "-Xclang", "max-nodes=56250")]


def run(command, folder):
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


@functools.cache
def digest(path):
    return hashlib.sha256(pathlib.Path(path).read_bytes()).hexdigest()


@functools.cache
def tool_state():
    return run(["clang-tidy", "--version"], ".").stdout + digest(sources.ROOT / ".clang-tidy")


def state(entry):
    """A name for everything that the verdict depends on; None if the source does not preprocess."""
    command = shlex.split(entry["command"])
    listing = run([*command[:command.index("-o")], "-M", entry["file"]], entry["directory"])
    if listing.returncode:
        return None
    headers = listing.stdout.replace("\\\n", " ").split()[1:]
    facts = [tool_state(), entry["command"], *DEPTH]
    for header in headers:
        path = os.path.join(entry["directory"], header)
        facts.append(f"{path} {digest(path)}")
    return hashlib.sha256("\n".join(facts).encode()).hexdigest()


def lint(entry, build):
    """None, or what clang-tidy said."""
    key = state(entry)
    if key and (CACHE / key).exists():
        return None
    done = run(["clang-tidy", "--quiet", *DEPTH, "-p", build, entry["file"]], sources.ROOT)
    if done.returncode:
        return done.stdout + done.stderr
    if key:
        (CACHE / key).touch()
    return None


def main():
    build = pathlib.Path(sys.argv[1]).resolve()
    CACHE.mkdir(parents=True, exist_ok=True)
    entries = json.loads((build / "compile_commands.json").read_text(encoding="utf-8"))
    entries = [entry for entry in entries if build not in pathlib.Path(entry["file"]).parents]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        results = list(pool.map(lambda entry: lint(entry, build), entries))
    failures = [result for result in results if result]
    print("\n".join(failures))
    print(f"{len(results) - len(failures)} passed, {len(failures)} failed")
    sys.exit(1 if failures else 0)


main()
