#!/usr/bin/env python3
"""Compares `ringfold eval --batch` with what cel-go made of the same expressions.

usage: differential.py RINGFOLD ANSWERS

ANSWERS is what the program in differential/ printed. Prints every difference that is not explained below.
"""
import collections
import json
import math
import re
import subprocess
import sys

import celliteral

# Where the two may differ, and why: a function of the line and our answer.
EXPLAINED = {
    "the order of a map's keys is random in cel-go":
        lambda line, answer: line.get("unstable", False),
    "only bool, int, uint and string are keys of a map, as the specification has it":
        lambda line, answer: "cannot be the key of a map" in error(answer) or "unsupported key type" in error(answer),
    "a duration has no sign to turn: the specification has no such operator, cel-go has":
        lambda line, answer: "'-' does not take duration" in error(answer) or error(answer).endswith(": -_"),
    "has() of a value that cannot have fields is an error here, false in cel-go":
        lambda line, answer: "has(" in line["expr"] and "fields" in error(answer),
    "an index of a value that has no keys is an error here also where an optional is around it, none in cel-go":
        lambda line, answer: "optional" in line.get("want", "") and re.search(
            r"'\[\??\]' does not take|_\[_\]$|differ in type", error(answer)),
    "as text, the seconds of a duration are exact here and whole numbers have no exponent; in cel-go they are rounded and have":
        lambda line, answer: "string(" in line["expr"] and alike(line.get("want"), answer.get("value")),
    "the zero of timestamps is the epoch, as in protobuf; the first second of year 1 in cel-go":
        lambda line, answer: "ofNonZeroValue(" in line["expr"] and "timestamp" in line["expr"],
    "an index beyond an int is no item here, an error in cel-go":
        lambda line, answer: "unsupported index value" in line.get("error", ""),
    "text is UTF-8 here: bytes that are not cannot be formatted; cel-go makes a string of them":
        lambda line, answer: "not UTF-8" in error(answer),
    "an exponent has as many digits as it needs here, two at least in cel-go":
        lambda line, answer: spelled(line.get("want", "")) == spelled(answer.get("value", "")),
    "getMilliseconds() of a duration is the part below a second, as the specification has it; the whole in cel-go":
        lambda line, answer: re.search(r"(\bp|duration.*)\.getMilliseconds\(\)", line["expr"]),
    "a list with NaN in it has no order here":
        lambda line, answer: "sort" in line["expr"] and "no order" in error(answer),
    "arguments of math.greatest and math.least are looked at in cel-go even where they are never reached":
        lambda line, answer: "simple literal arguments must be numeric" in line.get("error", ""),
    "cel-go knows its overloads by internal names, too":
        lambda line, answer: "there is no function 'lists_" in error(answer),
    "cel-go panics":
        lambda line, answer: "panic" in line.get("error", "") or "runtime error" in line.get("error", ""),
    "or() takes an optional here, anything in cel-go":
        lambda line, answer: ".or(" in line["expr"] and (".or(" in error(answer) or error(answer).endswith(": or")),
    "a call of no or of two arguments that no overload takes fails in cel-go even where it is never reached":
        lambda line, answer: re.search(r"no such overload: [\w.]+\((lhs, rhs)?\)$", line.get("error", "")),
    "what sortBy is called on is looked at in cel-go even where it is never reached":
        lambda line, answer: "sortBy can only be applied to" in line.get("error", ""),
    "a sign may stand before a '!' here, which is then for the types to judge":
        lambda line, answer: re.search(r"-!|!-", line["expr"]) and "Syntax error" in line.get("error", ""),
    "a fault that the types show is one before anything runs: cel-go's checker finds it too, and was not asked":
        lambda line, answer: answer.get("at") == "check" and "check" in line,
    "what may be null has to be guarded here":
        lambda line, answer: "may be null here" in error(answer),
    "a variable of a macro is a plain name here, cel-go allows a dot before it":
        lambda line, answer: "a variable's name is expected" in error(answer),
}


def error(answer):
    return answer.get("error", "")


def spelled(literal):
    """The literal's value as text, exponents without leading zeros."""
    return literal and re.sub(r"e([+-])0+", r"e\1", str(celliteral.parse(literal)))


NUMBER = re.compile(r"\d+(?:\.\d+)?(?:e[+-]?\d+)?")


def alike(one, other):
    """The same but for how numbers in it are spelled, and for their last digits."""
    if not one or not other:
        return False
    texts = [str(celliteral.parse(literal)) for literal in (one, other)]
    numbers = [[float(found) for found in NUMBER.findall(text)] for text in texts]
    return (NUMBER.sub("#", texts[0]) == NUMBER.sub("#", texts[1])
            and all(math.isclose(*pair, rel_tol=1e-12) for pair in zip(*numbers)))


def explained(line, answer):
    for why, test in EXPLAINED.items():
        if test(line, answer):
            return why
    return None


def same(line, answer):
    if "error" in line or "error" in answer:
        return "error" in line and "error" in answer
    return celliteral.parse(line["want"]) == celliteral.parse(answer["value"])


def main():
    with open(sys.argv[2], encoding="utf-8") as file:
        lines = [json.loads(line) for line in file]
    asked = "".join(json.dumps({"expr": line["expr"], "vars": line["vars"]}) + "\n" for line in lines)
    done = subprocess.run([sys.argv[1], "eval", "--batch"], input=asked, capture_output=True, text=True)
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    if done.returncode != 0 or len(answers) != len(lines):
        print(f"{len(answers)} answers to {len(lines)} expressions, exit status {done.returncode}\n{done.stderr}")
        return 1
    counts = collections.Counter()
    for line, answer in zip(lines, answers):
        if not line.get("unstable") and same(line, answer):
            counts["the same error" if "error" in line else "the same value"] += 1
            continue
        why = explained(line, answer)
        counts[why or "unexplained"] += 1
        if why is None:
            print(f"{line['expr']!r}\n    cel-go:   {line.get('want', line.get('error'))!r}\n    ringfold: {answer}")
    for what, count in counts.most_common():
        print(f"{count:8} {what}")
    return 1 if counts["unexplained"] else 0


sys.exit(main())
