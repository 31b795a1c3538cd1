#!/usr/bin/env python3
"""The manual pages hold: their examples work as they stand, every command, option and setting is in them.

usage: test_manual.py RINGFOLD RINGFOLD.1 RINGFOLD.YAML.5

An example is a literal display with a comment before it that says what is done with it:

    .\\" file NAME   it is written
    .\\" part        its sections replace those of ringfold.yaml, without rules unless it has some, and are checked
    .\\" session     its lines after "$ " are run, and what they print compared (white space and hashes apart)
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

RINGFOLD, PAGE_1, PAGE_5 = (os.path.abspath(path) for path in sys.argv[1:4])
DISPLAY = re.compile(r'^\.\\" (file|part|session) ?(\S*)\n\.Bd -literal.*\n((?:.*\n)*?)\.Ed\n', re.MULTILINE)


def read(path):
    with open(path, encoding="utf-8") as page:
        return page.read()


def literal(text):
    """What a reader sees of a literal display, and types."""
    return re.sub(r"\\(?:e|&|-)", lambda match: {"e": "\\", "&": "", "-": "-"}[match[0][1]], text)


def examples(path):
    return [(what, name, literal(text)) for what, name, text in DISPLAY.findall(read(path))]


def plain(text):
    """Without what may differ: lines are broken for the page, versions and ids are hashes of more than the example."""
    return re.sub(r'"[0-9a-f]{16}([0-9a-f]{16})?"', '"HASH"', re.sub(r"\s", "", text))


def sections(text):
    """The top-level settings of a configuration, each with its text."""
    parts = re.split(r"^(\w+):", text, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2]))


def steps(session):
    """(command, output): a command goes on while a quote is open."""
    found = []
    for line in session.splitlines(keepends=True):
        if line.startswith("$ "):
            found.append([line[2:], ""])
        elif found[-1][0].count("'") % 2 == 1:
            found[-1][0] += line
        else:
            found[-1][1] += line
    return found


def run(command, folder):
    environment = {**os.environ, "PATH": os.path.dirname(RINGFOLD) + os.pathsep + os.environ["PATH"], "LC_ALL": "C.UTF-8"}
    done = subprocess.run(["sh", "-c", command], cwd=folder, env=environment, text=True, timeout=60, check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return done.returncode, done.stdout


class Examples(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="ringfold-manual-")
        self.addCleanup(shutil.rmtree, self.folder)

    def write(self, name, text):
        with open(os.path.join(self.folder, name), "w", encoding="utf-8") as file:
            file.write(text)

    def check_session(self, session):
        for command, wanted in steps(session):
            with self.subTest(command=command):
                _, printed = run(command, self.folder)
                self.assertEqual(plain(printed), plain(wanted), printed)

    def check_part(self, text, whole):
        part = sections(text)
        merged = {**whole, "rules": " {}\n", **part}
        self.write("part.yaml", "".join(name + ":" + merged[name] for name in merged))
        status, printed = run("ringfold check -c part.yaml", self.folder)
        self.assertEqual(status, 0, printed)
        self.assertNotIn("warning", printed)

    def test_every_example_works_as_it_stands(self):
        for page in PAGE_1, PAGE_5:
            found = examples(page)
            self.assertEqual(len(found), len(re.findall(r'^\.\\" (?:file|part|session)\b', read(page), re.MULTILINE)))
            whole = {}
            for what, name, text in found:
                if what == "file":
                    self.write(name, text)
                    whole = sections(text) if name == "ringfold.yaml" else whole
                elif what == "session":
                    self.check_session(text)
                else:
                    with self.subTest(part=text):
                        self.check_part(text, whole)

    def test_the_whole_configuration_has_no_fault(self):
        for what, name, text in examples(PAGE_5):
            if what == "file":
                self.write(name, text)
        status, printed = run("ringfold check -c ringfold.yaml", self.folder)
        self.assertEqual(status, 0, printed)
        self.assertNotIn("warning", printed)


class Commands(unittest.TestCase):
    def setUp(self):
        self.page = read(PAGE_1)
        described = self.page.split(".Sh DESCRIPTION\n")[1].split(".Sh ")[0]
        parts = re.split(r"^\.Ss (\S+)\n", described, flags=re.MULTILINE)
        self.sections = dict(zip(parts[1::2], parts[2::2]))

    def test_every_command_has_its_section(self):
        _, printed = run("ringfold --help", "/")
        commands = re.findall(r"^  (\w+) +\S", printed, re.MULTILINE)
        self.assertEqual(list(self.sections), commands)

    def test_a_section_has_the_options_of_its_command_and_no_other(self):
        for command, section in self.sections.items():
            with self.subTest(command=command):
                _, printed = run(f"ringfold {command} --help", "/")
                options = set(re.findall(r"--([a-z][a-z-]+)", printed.split("xample")[0]))
                named = [name for line in re.findall(r"^\.It Fl (.*)", section, re.MULTILINE)
                         for name in re.findall(r"(?:^| )-([a-z-]+)", line)]
                self.assertEqual(sorted(named), sorted(options))


class Settings(unittest.TestCase):
    def test_the_settings_are_in_the_page(self):
        page = read(PAGE_5)
        _, printed = run("ringfold check --manual", "/")
        self.assertIn(".It Cm sources.*.topic", printed)
        self.assertTrue(printed.strip() in page, "the page has another list than 'check --manual' prints")

    def test_every_function_of_its_own_is_named_and_exists(self):
        for name in re.findall(r"\bFn ([\w.]+)", read(PAGE_5)):
            with self.subTest(function=name):
                _, printed = run(f"ringfold eval '{name}()'", "/")
                self.assertNotIn("there is no function", printed)


@unittest.skipUnless(shutil.which("mandoc"), "mandoc is not installed")
class Markup(unittest.TestCase):
    def test_mandoc_has_nothing_to_complain_of(self):
        for page in PAGE_1, PAGE_5:
            _, printed = run(f"mandoc -T lint -W warning '{page}'", "/")
            self.assertEqual(printed, "")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
