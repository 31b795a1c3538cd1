#!/usr/bin/env python3
"""What `ringfold eval` promises a shell: output, messages, exit status.

usage: eval_cli.py RINGFOLD
"""
import json
import os
import subprocess
import sys
import unittest

RINGFOLD = sys.argv.pop()


def run(*arguments, lines=""):
    env = dict(os.environ, TZ="Asia/Tokyo")
    return subprocess.run([RINGFOLD, "eval", *arguments], input=lines, capture_output=True, text=True, env=env)


class Eval(unittest.TestCase):
    def test_a_value_is_printed_as_a_literal_and_the_status_is_0(self):
        for expr, value in [("1u + 1u", "2u"), ("b'\\xff'", 'b"\\xff"'), ("[1, 2]", "[1, 2]"), ("{'a': 1}", '{"a": 1}'),
                            ("timestamp(0)", 'timestamp("1970-01-01T00:00:00Z")')]:
            done = run(expr)
            self.assertEqual((done.returncode, done.stdout, done.stderr), (0, value + "\n", ""))

    def test_variables_are_expressions_and_dyn(self):
        done = run("--var", "x=1 + 1", "--var", "a.b=[2.0]", "x in a.b")
        self.assertEqual((done.returncode, done.stdout), (0, "true\n"), done.stderr)

    def test_a_failing_evaluation_is_status_1(self):
        done = run("1 / 0")
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertIn("division by zero", done.stderr)

    def test_what_does_not_compile_is_status_2_and_shows_where(self):
        done = run("[1].fitler(x, x > 0)")
        self.assertEqual((done.returncode, done.stdout), (2, ""))
        self.assertIn("      ^\n", done.stderr)
        self.assertEqual(run("1 +").returncode, 2)
        self.assertEqual(run("nowhere").returncode, 2)
        self.assertEqual(run("1 + 'a'").returncode, 2)
        self.assertEqual(run("--var", "x=(", "x").returncode, 2)

    def test_wrong_usage_is_status_2(self):
        for arguments in ([], ["1", "2"], ["--batch", "1"], ["--var", "x", "1"], ["--nonsense"]):
            self.assertEqual(run(*arguments).returncode, 2, arguments)

    def test_a_batch_answers_line_by_line(self):
        lines = [{"expr": "x + 1", "vars": {"x": "41"}}, {"expr": "1 +"}, {"expr": "nowhere"}, {"expr": "1 / 0"},
                 {"expr": "x", "vars": {"x": "'\\u00e9\\n'"}}, {"expr": 7}, {"expr": "'a\u0000b'.size()"}]
        done = run("--batch", lines="".join(json.dumps(line) + "\n" for line in lines) + "no json\n")
        answers = [json.loads(line) for line in done.stdout.splitlines()]
        self.assertEqual(done.returncode, 0)
        self.assertEqual([a.get("value", a.get("at")) for a in answers],
                         ["42", "parse", "check", "eval", '"\u00e9\\n"', "parse", "3", "parse"])

    def test_the_zone_of_the_process_is_not_asked(self):
        self.assertEqual(run("timestamp(0).getHours()").stdout, "0\n")
        self.assertEqual(run("timestamp(0).getHours('Europe/Berlin')").stdout, "1\n")


unittest.main(argv=sys.argv[:1])
