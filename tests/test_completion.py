#!/usr/bin/env python3
"""Every command's help has an example and names its options as they are; bash, zsh and fish complete just those.

usage: test_completion.py RINGFOLD
"""
import os
import pty
import re
import select
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

RINGFOLD = os.path.abspath(sys.argv[1])
ENVIRONMENT = {**os.environ, "PATH": os.path.dirname(RINGFOLD) + os.pathsep + os.environ["PATH"], "LC_ALL": "C.UTF-8", "TERM": "vt100"}
ZSH_SECONDS_MAX = 60
PROMPT = r".*\?2004h"  # the line editor has the terminal: before that ^D would be the terminal's own


def run(*command, folder="/"):
    return subprocess.run(command, capture_output=True, text=True, env=ENVIRONMENT, timeout=60, check=False, cwd=folder)


def commands():
    return re.findall(r"^  (\w+) +\S", run(RINGFOLD, "--help").stdout, re.MULTILINE)


def help_of(command):
    return run(RINGFOLD, command, "--help").stdout


def options(command):
    """{option: takes an argument}, by its long name where it has one."""
    found = {}
    for letter, name, argument in re.findall(r"^ {2,}(?:-(\w))?(?:, )?(?:--([a-z][a-z-]*))?(?: ([A-Z][A-Z=]*))?  +\S",
                                             help_of(command), re.MULTILINE):
        if name or letter:
            found["--" + name if name else "-" + letter] = bool(argument)
    return found


def words(command):
    choice = re.match(r"usage: ringfold \w+ ([a-z]+(?:\|[a-z]+)+)", help_of(command))
    return choice[1].split("|") if choice else []


class Help(unittest.TestCase):
    def test_every_command_has_a_usage_and_an_example(self):
        self.assertGreater(len(commands()), 10)
        for command in commands():
            with self.subTest(command=command):
                text = help_of(command)
                self.assertTrue(text.startswith(f"usage: ringfold {command}"))
                self.assertRegex(text.lower(), r"\nexample:?\s")
                self.assertIn("ringfold " + command, re.split(r"(?i)\nexample", text)[1])

    def test_getopt_knows_the_options_of_the_help_and_which_take_an_argument(self):
        for command in commands():
            for option, takes in options(command).items():
                with self.subTest(command=command, option=option):
                    if takes:
                        done = run(RINGFOLD, command, option)
                        self.assertIn("requires an argument", done.stderr)
                    else:
                        done = run(RINGFOLD, command, option, "--no-such-option")
                        self.assertIn("unrecognized option '--no-such-option'", done.stderr)
                    self.assertEqual(done.returncode, 2)


class Shell:
    """What a shell offers for a line; a subclass for each."""

    def setUp(self):
        if shutil.which(self.shell) is None:
            self.skipTest(f"{self.shell} is not installed")
        self.folder = tempfile.mkdtemp(prefix="ringfold-completion-")
        self.addCleanup(shutil.rmtree, self.folder)
        self.script = self.write_file("script", run(RINGFOLD, "completion", self.shell).stdout)
        self.write_file("alone.yaml", "")
        self.begin()

    def write_file(self, name, text):
        path = os.path.join(self.folder, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def begin(self):
        """For what has to be started."""

    def test_commands(self):
        self.assertLessEqual(set(commands()), self.offered("ringfold "))
        self.assertEqual(self.offered("ringfold che"), {"check"})

    def test_options_and_words_of_every_command(self):
        for command in commands():
            with self.subTest(command=command):
                offered = {word for word in self.offered(f"ringfold {command} --") if word.startswith("--")}
                wanted = {option for option in options(command) if option.startswith("--")}
                self.assertEqual(offered - {"--help"}, wanted)
                if words(command):
                    self.assertEqual(self.offered(f"ringfold {command} "), set(words(command)))

    def test_a_file_where_a_file_is_wanted(self):
        self.assertEqual(self.offered("ringfold check -c alo"), {"alone.yaml"})


class Bash(Shell, unittest.TestCase):
    shell = "bash"

    def offered(self, line):
        parts = line.split(" ")
        quoted = " ".join(f"'{part}'" for part in parts)
        done = run("bash", "--norc", "-c", f"source {self.script}; COMP_WORDS=({quoted}); COMP_CWORD={len(parts) - 1}; "
                   '_ringfold; printf "%s\\n" "${COMPREPLY[@]}"', folder=self.folder)
        self.assertEqual(done.stderr, "")
        return {word for word in done.stdout.split("\n") if word}


class Fish(Shell, unittest.TestCase):
    shell = "fish"

    def offered(self, line):
        done = run("fish", "--no-config", "-c", f"source {self.script}; complete -C '{line}'", folder=self.folder)
        self.assertEqual(done.stderr, "")
        return {word.split("\t")[0] for word in done.stdout.split("\n") if word}


class Zsh(Shell, unittest.TestCase):
    """A terminal with zsh at its other end, which is asked to list what it would offer."""

    shell = "zsh"
    # compadd is what completion functions offer words with; this one also writes them down, each behind @@.
    setup = """\
PS1='> '
autoload -Uz compinit
compinit -u -D
source {script}
setopt no_auto_menu
compadd() {{
    local -a found
    builtin compadd -O found "$@" 2>/dev/null
    print -rl -- ${{found/#/@@}}
    builtin compadd "$@"
}}
"""

    def begin(self):
        setup = self.write_file("setup", self.setup.format(script=self.script))
        self.child, self.terminal = pty.fork()
        if self.child == 0:
            os.execvpe("zsh", ["zsh", "-f", "-i"], ENVIRONMENT)
        self.addCleanup(self.end)
        self.write(f"cd {self.folder}; source {setup}; stty cols 500; echo re''ady\n")
        self.read_until("ready" + PROMPT)

    def end(self):
        os.close(self.terminal)
        os.waitpid(self.child, 0)

    def write(self, text):
        os.write(self.terminal, text.encode())

    def read_until(self, mark):
        seen, end = "", time.monotonic() + ZSH_SECONDS_MAX
        while not re.search(mark, seen, re.DOTALL):
            if time.monotonic() > end:
                raise TimeoutError(f"zsh: no {mark!r} in {seen!r}")
            if select.select([self.terminal], [], [], 0.2)[0]:
                seen += os.read(self.terminal, 65536).decode("utf-8", "replace")
        return seen

    def offered(self, line):
        self.write(line + "\x04")  # ^D lists, unless something is typed meanwhile
        seen = self.read_until("@@")
        self.write("\x15echo do''ne\n")  # ^U forgets the line
        seen += self.read_until("done" + PROMPT)
        return set(re.findall(r"@@(\S+)", seen))


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
