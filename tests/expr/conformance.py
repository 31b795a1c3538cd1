#!/usr/bin/env python3
"""CEL's conformance cases through `ringfold eval --batch`; prints what passed and failed, by file.

usage: conformance.py RINGFOLD [CASES]

CASES: a file with a case a line: {"tier", "file", "section", "name", "expr", "vars"?, and "want" or "error"}.
Default: $RINGFOLD_CEL_CASES, else shared/cel/cases.jsonl beside the source folder. Exit status 77 where it is not there.
"""
import collections
import json
import os
import subprocess
import sys

import celliteral

# Cases that cannot pass, and why. They are counted as such, and the run fails if one of them does pass.
IMPOSSIBLE = {
    "parse/bytes_literals/triple_single_quoted_unescaped_punctuation":
        "the value wanted has a backslash before the question mark; the literal has none (its twin among the"
        " string literals wants none)",
    "parse/bytes_literals/triple_double_quoted_unescaped_punctuation":
        "the value wanted has a backslash before the question mark; the literal has none (its twin among the"
        " string literals wants none)",
}


def cases_path():
    if len(sys.argv) > 2:
        return sys.argv[2]
    source = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    return os.environ.get("RINGFOLD_CEL_CASES") or os.path.join(source, "..", "shared", "cel", "cases.jsonl")


def verdict(case, answer):
    """None, or what is wrong."""
    if case.get("error"):
        return None if "error" in answer else f"got {answer['value']}, wanted an error"
    if "error" in answer:
        return f"error at {answer['at']}: {answer['error']}, wanted {case['want']}"
    if celliteral.parse(answer["value"]) != celliteral.parse(case["want"]):
        return f"got {answer['value']}, wanted {case['want']}"
    return None


def main():
    path = cases_path()
    if not os.path.exists(path):
        print(f"skipped: there is no {path}")
        return 77
    with open(path, encoding="utf-8") as file:
        cases = [json.loads(line) for line in file]
    lines = "".join(json.dumps({"expr": c["expr"], "vars": c.get("vars") or {}}) + "\n" for c in cases)
    done = subprocess.run([sys.argv[1], "eval", "--batch"], input=lines, capture_output=True, text=True, timeout=120)
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    if done.returncode != 0 or len(answers) != len(cases):
        print(f"{len(answers)} answers to {len(cases)} cases, exit status {done.returncode}\n{done.stderr}")
        return 1
    passed, failed, impossible = collections.Counter(), collections.Counter(), 0
    for case, answer in zip(cases, answers):
        name = f"{case['file']}/{case['section']}/{case['name']}"
        wrong = verdict(case, answer)
        if name in IMPOSSIBLE:
            impossible += 1
            print(f"impossible: {name}: {IMPOSSIBLE[name]}")
            if wrong:
                continue
            wrong = "listed as impossible, and passes"
        (failed if wrong else passed)[case["tier"], case["file"]] += 1
        if wrong:
            print(f"{name}: {case['expr'][:200]}\n    {wrong}")
    for tier, file in sorted(passed.keys() | failed.keys()):
        print(f"{tier:4} {file:16} passed {passed[tier, file]:4} failed {failed[tier, file]:4}")
    print(f"{'all':21} passed {passed.total():4} failed {failed.total():4} impossible {impossible:4}")
    return 1 if failed else 0


sys.exit(main())
