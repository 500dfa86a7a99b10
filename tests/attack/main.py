"""Runs the attacks: `ok`, `FAILED` or `skip` and their line for each, then how many."""
import importlib
import signal
import subprocess
import sys
import traceback

from attack import ATTACKS, Skip
from victim import FIGURES, stop_all

GROUPS = ("handshake", "slow", "tls", "frames", "floods", "compression", "files", "client", "descriptors", "proxies", "half_open",
          "topics", "topics_slow", "topics_full", "topics_http", "topics_auth")


def outcome(function):
    """(word, why)"""
    try:
        function()
    except Skip as reason:
        return "skip", str(reason)
    except AssertionError as error:
        return "FAILED", str(error)
    except (OSError, ValueError, KeyError, TypeError, IndexError, EOFError, subprocess.SubprocessError):
        return "FAILED", traceback.format_exc(limit=-3)
    return "ok", ""


def show(line, word, why):
    print(f"{word:7}{line}" + (f"\n       {why}" if why else ""), flush=True)


def give_up(signo, _):
    raise SystemExit(128 + signo)


def main():
    signal.signal(signal.SIGTERM, give_up)
    words = [word for word in sys.argv[1:] if word != "--figures"]
    figures = "--figures" in sys.argv
    for group in GROUPS:
        importlib.import_module(group)
    if words == ["--list"]:
        print("\n".join(line for line, _ in ATTACKS))
        return
    picked = [(line, function) for line, function in ATTACKS if not words or any(word in line for word in words)]
    counts = {"ok": 0, "FAILED": 0, "skip": 0}
    try:
        for at, (line, function) in enumerate(picked):
            word, why = outcome(function)
            show(line, word, why)
            while figures and FIGURES:
                print(f"       {FIGURES.pop(0)}")
            counts[word] += 1
            if at + 1 < len(picked) and picked[at + 1][1].__module__ == function.__module__:
                continue
            word, why = outcome(stop_all)  # the servers of a group end well
            if word != "ok":
                show(f"{function.__module__}: its servers end well", word, why)
                counts["FAILED"] += 1
    finally:
        outcome(stop_all)
    print(f"{counts['ok']} passed, {counts['FAILED']} failed" + (f", {counts['skip']} skipped" if counts["skip"] else ""))
    sys.exit(1 if counts["FAILED"] or not picked else 0)


main()
