#!/usr/bin/env python3
"""check-headers.py: every header compiles alone; the public ones in every C and C++ a user may have."""
import concurrent.futures
import os
import subprocess
import sys

import sources

WARNINGS = ["-Wall", "-Wextra", "-Wpedantic", "-Wshadow", "-Wconversion", "-Wsign-conversion",
            "-Wcast-qual", "-Wundef", "-Wredundant-decls", "-Werror"]
C_WARNINGS = WARNINGS + ["-Wc++-compat", "-Wstrict-prototypes", "-Wpadded"]
CXX_WARNINGS = WARNINGS + ["-Wold-style-cast", "-Wzero-as-null-pointer-constant"]
COMPILERS = {"c": ["gcc", "clang"], "c++": ["g++", "clang++"]}


def jobs():
    for path in sources.find(["src", "cmd"], {".h"}):
        yield path, ["gcc", "-std=c11", "-D_POSIX_C_SOURCE=200809L", "-Isrc", "-Icmd", "-x", "c", *WARNINGS]
    for path in sources.find(["include"], {".h"}):
        for compiler in COMPILERS["c"]:
            for standard in ("c99", "c11", "c17"):
                yield path, [compiler, f"-std={standard}", "-x", "c", *C_WARNINGS]
        for compiler in COMPILERS["c++"]:
            for standard in ("c++11", "c++14", "c++17", "c++20"):
                yield path, [compiler, f"-std={standard}", "-x", "c++", *CXX_WARNINGS]


def compile_alone(job):
    """None, or what the compiler said."""
    path, command = job
    done = subprocess.run([*command, "-Iinclude", "-fsyntax-only", "-"], cwd=sources.ROOT, text=True,
                          input=f'#include "{path}"\nextern int only_a_declaration;\n',
                          capture_output=True, check=False)
    return f"{' '.join(command)} {sources.name(path)}\n{done.stderr}" if done.returncode else None


def main():
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        results = list(pool.map(compile_alone, jobs()))
    failures = [result for result in results if result]
    if failures:
        print("\n".join(failures))
        print("make each header include what it uses, and cast what it converts")
    print(f"{len(results) - len(failures)} passed, {len(failures)} failed")
    sys.exit(1 if failures else 0)


main()
