#!/usr/bin/env python3
"""count-tests.py JUNIT: counts the tests inside the test programs that ctest ran.

cmocka says how many passed and failed. A program that ended badly without a failed test (a crash, a
time limit, a sanitizer's report) counts as one failure.
"""
import re
import sys
import xml.etree.ElementTree


def cmocka(word, output):
    return sum(int(count) for count in re.findall(rf"\[  {word}  \] (\d+) test", output))


def main():
    passed = failed = 0
    for case in xml.etree.ElementTree.parse(sys.argv[1]).iter("testcase"):
        output = case.findtext("system-out") or ""
        good = case.get("status") == "run"
        bad_inside = cmocka("FAILED", output)
        passed += cmocka("PASSED", output)
        failed += bad_inside if good or bad_inside else 1
    print(f"{passed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


main()
