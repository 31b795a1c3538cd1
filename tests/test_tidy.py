#!/usr/bin/env python3
"""tidy.py bites: each breach of the house's rules, planted alone in a copy of src/ or of its rooms, is
found and named, and nothing else is.

usage: test_tidy.py SRC CC AR
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

SRC, CC, AR = sys.argv[1:4]
TIDY = os.path.join(os.path.dirname(os.path.abspath(__file__)), "tidy.py")

LONG_FUNCTION = "void rf_planted(void)\n{\n" + "    ;\n" * 71 + "}\n"
ALLOWED_FUNCTION = "void rf_planted(void)\n{\n" + "    ;\n" * 70 + "}\n"

# (where, what is planted, what tidy.py must say of it)
SOURCES = [
    ("core/engine/planted.c", "#include <librdkafka/rdkafka.h>\n", r":1: core/engine is pure: <librdkafka/rdkafka\.h>"),
    ("core/task/planted.h", "#pragma once\n#include <time.h>\n", r":2: core/task is pure: <time\.h>"),
    ("core/base/planted.c", "#include <xxhash.h>\n", r":1: <xxhash\.h> is for core/base/hash\.c alone"),
    ("core/engine/planted.c", '#include "edge/store/rocks.h"\n', r":1: core/engine may not look into edge/store"),
    ("core/expr/planted.c", '#include "core/task/task.h"\n', r":1: core/expr may not look into core/task"),
    ("core/base/planted.c", '#include "cli/command.h"\n', r":1: core/base may not look into cli"),
    ("edge/store/planted.c", '#include "edge/stream/worker.h"\n', r":1: edge/store may not look into edge/stream"),
    ("edge/store/planted.c", "#include <pthread.h>\n", r":1: edge/store may not use <pthread\.h>"),
    ("edge/sys/planted.c", "#include <rocksdb/c.h>\n", r":1: edge/sys may not use <rocksdb/c\.h>"),
    ("core/base/planted.c", LONG_FUNCTION, r":2: function of 71 lines, 70 is the limit"),
    ("cli/planted.c", LONG_FUNCTION, r":2: function of 71 lines"),
    ("cli/planted.c", "\n" * 800, r":801: longer than 800 lines"),
    ("core/planted/planted.c", "", r"core/planted:0: a room that tidy\.py does not know"),
    ("edge/planted/planted.c", "", r"edge/planted:0: a room that tidy\.py does not know"),
    ("edge/stream/planted.c", "void f(void)\n{\n    rd_kafka_consumer_group_metadata_new (group);\n}\n",
     r":3: rd_kafka_consumer_group_metadata_new is banned"),
    ("cli/planted.c", "    strcpy(to, from);\n", r":1: strcpy is banned"),
    ("edge/formats/planted.c", "    x = strtod(text, NULL);\n", r":1: strtod is banned"),
]

# Compiled: (room, code, what tidy.py must say of the archive)
SYMBOLS = [
    ("core/engine", "long time(long *);\nlong rf_planted(void);\nlong rf_planted(void) { return time(0); }\n",
     r"core/engine is pure: it calls time$"),
    ("core/base", "double exp(double);\ndouble rf_planted(double);\ndouble rf_planted(double x) { return exp(x); }\n",
     r"core/base is pure: it calls exp$"),
    ("core/task", "int rand(void);\nint rf_planted(void);\nint rf_planted(void) { return rand(); }\n",
     r"core/task is pure: it calls rand$"),
    ("core/codec", "void planted(void);\nvoid planted(void) {}\n", r"planted is exported without rf_$"),
    ("edge/sys", "int planted;\n", r"planted is exported without rf_$"),
]

# What looks like a breach and is none.
FINE = [
    ("core/base/planted.c", ALLOWED_FUNCTION),
    ("edge/sys/planted.c", "#include <pthread.h>\n#include <time.h>\n"),
    ("edge/stream/planted.c", '#include <librdkafka/rdkafka.h>\n#include "core/task/task.h"\n'),
    ("cli/planted.c", '#include "edge/sys/log.h"\n    my_strcpy_s(to);\n'),
]


class Tidy(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="rf-tidy-")
        self.addCleanup(shutil.rmtree, self.folder)
        self.src = os.path.join(self.folder, "src")
        for folder in ("core", "edge", "cli"):
            os.makedirs(os.path.join(self.src, folder))

    def plant(self, where, text):
        path = os.path.join(self.src, where)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def compile(self, text):
        source = os.path.join(self.folder, "planted.c")
        with open(source, "w", encoding="utf-8") as file:
            file.write(text)
        compiled = os.path.join(self.folder, "planted.o")
        archive = os.path.join(self.folder, "libplanted.a")
        if os.path.exists(archive):
            os.remove(archive)
        subprocess.run([CC, "-std=c17", "-O0", "-fno-builtin", "-c", source, "-o", compiled], check=True)
        subprocess.run([AR, "rcs", archive, compiled], check=True)
        return archive

    def tidy(self, *archives):
        run = subprocess.run([sys.executable, TIDY, self.src, *archives], capture_output=True, text=True)
        self.assertEqual(run.stderr, "")
        self.assertEqual(run.returncode, 1 if run.stdout else 0)
        return run.stdout.splitlines()

    def test_a_breach_is_found_among_all_the_sources_as_they_are(self):
        shutil.copytree(SRC, self.src, dirs_exist_ok=True)
        self.assertEqual(self.tidy(), [])
        where, text, said = SOURCES[0]
        self.plant(where, text)
        complaints = self.tidy()
        self.assertEqual(len(complaints), 1, complaints)
        self.assertRegex(complaints[0], said)

    def test_each_planted_source_is_found_and_nothing_else(self):
        for where, text, said in SOURCES:
            with self.subTest(where=where, said=said):
                path = self.plant(where, text)
                complaints = self.tidy()
                self.assertEqual(len(complaints), 1, complaints)
                self.assertRegex(complaints[0], said)
                self.assertIn("planted", complaints[0])
                os.remove(path)
                if not os.listdir(os.path.dirname(path)):
                    os.rmdir(os.path.dirname(path))

    def test_each_planted_symbol_is_found_and_nothing_else(self):
        for room, code, said in SYMBOLS:
            with self.subTest(room=room, said=said):
                complaints = self.tidy(f"{room}={self.compile(code)}")
                self.assertEqual(len(complaints), 1, complaints)
                self.assertRegex(complaints[0], said)
                self.assertIn("planted.o", complaints[0])

    def test_an_edge_room_may_ask_for_the_time(self):
        code = "long time(long *);\nlong rf_planted(void);\nlong rf_planted(void) { return time(0); }\n"
        self.assertEqual(self.tidy(f"edge/sys={self.compile(code)}"), [])

    def test_what_is_allowed_is_not_complained_about(self):
        for where, text in FINE:
            with self.subTest(where=where):
                path = self.plant(where, text)
                self.assertEqual(self.tidy(), [])
                os.remove(path)

    def test_every_room_of_the_build_is_known_to_tidy(self):
        with open(TIDY, encoding="utf-8") as file:
            known = set(re.findall(r'^    "((?:core|edge)/\w+)":', file.read(), re.M))
        with open(os.path.join(SRC, "CMakeLists.txt"), encoding="utf-8") as file:
            built = set(re.findall(r"(?:core|edge)/\w+", re.search(r"set\(ROOMS(.*?)\)", file.read(), re.S)[1]))
        self.assertEqual(known, built)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
