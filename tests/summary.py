#!/usr/bin/env python3
"""Adds up what the test programs wrote: JUnit files, and notes.tsv of tests/run.sh.

usage: summary.py DIRECTORY

Prints what failed and what was skipped, by name, and "N passed, N failed, N skipped" as the last line. Exit
status 1 when a test failed, when none ran, or, with CI=true, when one was skipped.
"""
import collections
import os
import pathlib
import sys
import xml.etree.ElementTree as xml


def results_of_junit(path):
    prefix = path.stem.removeprefix("ctest-")
    for case in xml.parse(path).getroot().iter("testcase"):
        name = f"{prefix}: {case.get('name')}"
        for outcome, tags in (("failed", ("failure", "error")), ("skipped", ("skipped",))):
            found = next((element for tag in tags for element in case.iter(tag)), None)
            if found is not None:
                yield outcome, name, (found.get("message") or "").split("\n")[0]
                break
        else:
            yield "passed", name, ""


def results_of(directory):
    for path in sorted(directory.glob("*.xml")):
        yield from results_of_junit(path)
    notes = directory / "notes.tsv"
    if notes.exists():
        for line in notes.read_text(encoding="utf-8").splitlines():
            yield tuple(line.split("\t"))


def main():
    counts = collections.Counter()
    for outcome, name, reason in results_of(pathlib.Path(sys.argv[1])):
        counts[outcome] += 1
        if outcome != "passed":
            print(f"{outcome}: {name}" + (f" ({reason})" if reason else ""))
    skips_fail = os.environ.get("CI") == "true"
    if counts["skipped"] and skips_fail:
        print("CI=true: a skipped test is a failure")
    print(f"{counts['passed']} passed, {counts['failed']} failed, {counts['skipped']} skipped")
    return 1 if counts["failed"] or not counts["passed"] or (counts["skipped"] and skips_fail) else 0


sys.exit(main())
