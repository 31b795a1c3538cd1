#!/usr/bin/env python3
"""`ringfold test`: the sample rules pass their tests; what fails is told; what it shows is what `replay` does.

usage: test_rules.py RINGFOLD SOURCE_DIR
"""
import csv
import json
import os
import pty
import shutil
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree as xml
from glob import glob

RINGFOLD, TOP = (os.path.abspath(path) for path in sys.argv[1:3])
TELCO = os.path.join(TOP, "seeds", "telco")
CONFIG = os.path.join(TELCO, "ringfold.yaml")
SOURCES = {"calls": "started_at", "purchases": "paid_at", "complaints": "opened_at"}

HEAD = f"""config: {CONFIG}
defaults:
  calls: {{ duration_s: 60 }}
  complaints: {{ case_id: case-1, topic: NETWORK, status: OPENED }}
tests:
"""
ALERT = """    when:
      - { source: complaints }
      - { source: calls, at: +1d, times: 3, every: 1h, fields: { termination: DROPPED } }
"""


def ringfold(*arguments, **options):
    environment = {key: value for key, value in os.environ.items() if key != "NO_COLOR"}
    return subprocess.run([RINGFOLD, *arguments], capture_output=True, text=True, timeout=120, check=False,
                          env={**environment, **options.pop("env", {})}, **options)


def events():
    """(source, event) of all samples, in order of time."""
    found = []
    for source, time in SOURCES.items():
        with open(os.path.join(TELCO, f"{source}.ndjson"), encoding="utf-8") as file:
            found += [(event[time], source, event) for event in map(json.loads, file)]
    return [(source, event) for _, source, event in sorted(found, key=lambda row: row[0])]


class Folder(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="ringfold-rules-")
        self.addCleanup(shutil.rmtree, self.folder)

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, text):
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write(text)
        return self.path(name)

    def run_tests(self, tests, *options, **more):
        return ringfold("test", *options, self.write("tests.yaml", HEAD + tests), **more)

    def line_of(self, text):
        with open(self.path("tests.yaml"), encoding="utf-8") as file:
            return next(number for number, line in enumerate(file, 1) if text in line)


class Modes(Folder):
    def expect(self, mode, expectation):
        with open(CONFIG, encoding="utf-8") as file:
            text = file.read().replace("../../schemas", os.path.join(TOP, "schemas"))
        rule = "  service-failure:\n"
        self.assertIn(rule, text)
        config = self.write("rules.yaml", text.replace(rule, f"{rule}    mode: {mode}\n"))
        tests = HEAD.replace(CONFIG, config) + f"  one:\n{ALERT}    expect: {expectation}\n"
        return ringfold("test", self.write("tests.yaml", tests))

    def test_a_rule_in_shadow_is_heard_and_one_that_is_off_is_not(self):
        alert = "{ contains: [ { rule: service-failure, severity: high } ] }"

        self.assertEqual(self.expect("live", alert).returncode, 0)
        self.assertEqual(self.expect("shadow", alert).returncode, 0)
        off = self.expect("off", alert)
        self.assertEqual(off.returncode, 1)
        self.assertIn("service-failure: is off", off.stdout)
        self.assertEqual(self.expect("off", "nothing").returncode, 0)


class Samples(unittest.TestCase):
    def test_the_sample_rules_pass_their_tests(self):
        files = sorted(glob(os.path.join(TELCO, "tests", "*.yaml")))
        self.assertGreaterEqual(len(files), 3)

        done = ringfold("test", *files)

        self.assertEqual((done.returncode, done.stderr), (0, ""), done.stdout)
        self.assertIn(f"in {len(files)} files", done.stdout)
        self.assertNotIn("FAIL", done.stdout)

    def test_each_sample_rule_is_tested(self):
        done = ringfold("check", "--offline", "-c", CONFIG)
        rules = done.stdout.split(" rules:")[1].split("\n")[0].split(",")
        texts = []
        for path in glob(os.path.join(TELCO, "tests", "*.yaml")):
            with open(path, encoding="utf-8") as file:
                texts.append(file.read())
        for rule in (part.split()[0] for part in rules):
            with self.subTest(rule=rule):
                self.assertTrue(any(f"rule: {rule}" in text for text in texts))


class SameAsReplay(Folder):
    def test_a_test_of_a_customers_events_shows_what_replay_shows(self):
        with open(os.path.join(TELCO, "truth.csv"), encoding="utf-8") as file:
            stories = {row["customer"]: row["story"] for row in csv.DictReader(file)}
        chosen = [c for c, story in stories.items() if story != "steady"] + [c for c in stories if stories[c] == "steady"][:3]
        alerts = 0
        tests = []
        for customer in chosen:
            own = [(source, event) for source, event in events() if event["customer_id"] == customer]
            derived, features = self.replay(own)
            alerts += len(derived)
            tests.append({"name": customer, "when": [{"source": source, "fields": event} for source, event in own],
                          "expect": {"derived": [self.expected(row) for row in derived] or "nothing",
                                     "features": {"customer": customer, **features}}})
        text = "".join(f"  {test['name']}:\n    when: {json.dumps(test['when'])}\n    expect: {json.dumps(test['expect'])}\n"
                       for test in tests)

        done = ringfold("test", self.write("same.yaml", f"config: {CONFIG}\ntests:\n{text}"))

        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertGreaterEqual(alerts, 10)

    def replay(self, own):
        for source in SOURCES:
            self.write(f"{source}.ndjson", "".join(json.dumps(event) + "\n" for name, event in own if name == source))
        table = self.path("customers.ndjson")
        done = ringfold("replay", "-q", "-c", CONFIG, "--customers", table,
                        *(f"{source}={self.path(source)}.ndjson" for source in SOURCES))
        self.assertEqual(done.returncode, 0, done.stderr)
        with open(table, encoding="utf-8") as file:
            return [json.loads(line) for line in done.stdout.splitlines()], json.loads(file.readline())["features"]

    def expected(self, row):
        wanted = {key: row[key] for key in ("rule", "customer", "status", "severity", "because")}
        wanted["at"] = row["occurred_at"]
        wanted["reasons"] = {reason["name"]: reason["value"] for reason in row["reasons"]}
        if "value" in row:
            wanted["value"] = row["value"]
        return wanted


class Failures(Folder):
    def test_what_differs_is_told_with_its_place(self):
        done = self.run_tests("  it alerts:\n" + ALERT + "    expect: [ { rule: service-failure, severity: critical,"
                              " because: { matches: '^5 dropped' }, reasons: { dropped_7d: 4 } } ]\n")

        self.assertEqual(done.returncode, 1)
        self.assertIn(f"tests.yaml:{self.line_of('expect:')}: no such event was emitted", done.stdout)
        for line in ("- severity: critical", "+ severity: high", "- because, matching: ^5 dropped",
                     "+ because, matching: complained, and 3 dropped calls in 7 days", "- reasons.dropped_7d: 4",
                     "+ reasons.dropped_7d: 3", "complaints_14d = 1"):
            self.assertIn(line, done.stdout)
        self.assertIn("1 test in 1 file: 0 passed, 1 failed", done.stdout)

    def test_silence_is_explained_by_what_the_rule_reads(self):
        done = self.run_tests("  it alerts:\n    when: { source: calls, fields: { termination: DROPPED } }\n"
                              "    expect: [ { rule: service-failure } ]\n")

        self.assertEqual(done.returncode, 1)
        self.assertIn("nothing was emitted", done.stdout)
        self.assertIn("dropped_7d = 1, complaints_14d = 0", done.stdout)

    def test_an_event_too_many_an_order_a_feature_and_a_dead_letter_fail(self):
        both = ALERT + ALERT.replace("    when:\n", "").replace("complaints", "complaints, customer: bert").replace(
            "calls,", "calls, customer: bert,")
        for tests, told in (
                (ALERT + "    expect: nothing\n", "1 event was emitted that is not expected"),
                (both + "    expect: [ { customer: bert }, { customer: customer-1 } ]\n", "in another order"),
                (ALERT + "    expect: { features: { call_rate: 2.98 } }\n", "+ 2.98766"),
                (ALERT + "    expect: { features: { last_topic: null } }\n", '+ "NETWORK"'),
                (ALERT + "    expect: { features: { customer: cora, dropped_7d: 0 } }\n", "nothing is known of customer cora"),
                (ALERT + "    expect: { contains: [ { rule: win-back } ] }\n", "RAISED service-failure, high, of customer-1"),
                ("    when: { source: calls, fields: { customer_id: '' } }\n    expect: nothing\n",
                 "became a dead letter: record: the customer's id is empty"),
                (ALERT + "    expect: { dead_letters: { class: late } }\n", "there was no such dead letter")):
            with self.subTest(told=told):
                done = self.run_tests("  one:\n" + tests)
                self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
                self.assertIn(told, done.stdout)

    def test_what_is_near_enough_passes(self):
        for tests in ("{ features: { call_rate: { value: 2.99, tolerance: 0.01 }, largest_payment: null } }",
                      "{ contains: [ { rule: service-failure, because: { matches: '3 dropped.*days$' } } ] }",
                      "[ { at: 2026-01-02T02:00:00Z } ]", "[ {} ]"):
            with self.subTest(expect=tests):
                done = self.run_tests(f"  one:\n{ALERT}    expect: {tests}\n")
                self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_cases_and_counts_by_value_may_be_expected(self):
        with open(CONFIG, encoding="utf-8") as file:
            config = file.read()
        self.write("ringfold.yaml", config.replace("../../schemas", f"{TOP}/schemas").replace(
            "features:\n", "features:\n  ends: { count_by: event.termination, on: call }\n"))
        head = HEAD.replace(CONFIG, "ringfold.yaml")
        for expected, told in (
                ("{ open_complaints: [ { id: case-1, reopened: 0 } ], ends: { DROPPED: 3 } }", None),
                ("{ open_complaints: [ { id: case-2 } ] }", '- [{"id": case-2}]'),
                ("{ open_complaints: [] }", "- []"),
                ("{ ends: { DROPPED: 3, BUSY: 1 } }", '+ {"DROPPED": 3}'),
                ("{ ends: { DROPPED: 2 } }", '+ {"DROPPED": 3}'),
                ("{ ends: {} }", '+ {"DROPPED": 3}')):
            with self.subTest(expected=expected):
                done = ringfold("test", self.write("tests.yaml", f"{head}  one:\n{ALERT}    expect: {{ features: {expected} }}\n"))
                self.assertEqual(done.returncode, 0 if told is None else 1, done.stdout + done.stderr)
                self.assertIn(told or "", done.stdout)
        for expected, told in (
                ("{ open_complaints: 1 }", "feature 'open_complaints' is a list, written as [ ... ]"),
                ("{ open_complaints: [ 1 ] }", "feature 'open_complaints' is made of other values"),
                ("{ open_complaints: [ { case: case-1 } ] }", "feature 'open_complaints' is made of"),
                ("{ ends: 3 }", "feature 'ends' is a mapping, written as { ... }"),
                ("{ ends: { DROPPED: many } }", "feature 'ends' is made of other values"),
                ("{ dropped_7d: { a: 1 } }", "feature 'dropped_7d' is no mapping")):
            with self.subTest(expected=expected):
                done = ringfold("test", self.write("tests.yaml", f"{head}  one:\n{ALERT}    expect: {{ features: {expected} }}\n"))
                self.assertEqual(done.returncode, 2, done.stdout + done.stderr)
                self.assertIn(told, done.stderr)

    def test_how_a_rule_stands_may_be_expected(self):
        silent = ALERT + "      - { source: calls, at: +1h, fields: { termination: DROPPED } }\n"
        for held in ("{ service-failure: cooldown, win-back: condition }",
                     "[ { service-failure: cooldown }, { customer: customer-1, complaining-again: condition } ]"):
            with self.subTest(held=held):
                done = self.run_tests(f"  one:\n{silent}    expect: {{ held: {held} }}\n")
                self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        done = self.run_tests(f"  one:\n{silent}    expect: {{ held: {{ service-failure: ready }} }}\n")
        self.assertEqual(done.returncode, 1)
        self.assertIn("rule 'service-failure' stands otherwise", done.stdout)
        self.assertRegex(done.stdout, r"- ready\n +\+ cooldown\n")
        self.assertIn("held back by its cooldown until 2026-01-16T02:00:00Z", done.stdout)

    def test_episodes_are_counted(self):
        twice = ALERT.replace("when", "given") + ALERT.replace("complaints }", "complaints, at: +15d }")
        self.assertEqual(self.run_tests(f"  one:\n{twice}    expect: {{ contains: [ {{ rule: service-failure, episode: 2, status: RAISED }} ] }}\n").returncode, 0)
        done = self.run_tests(f"  one:\n{twice}    expect: {{ contains: [ {{ rule: service-failure, episode: 1 }} ] }}\n")
        self.assertRegex(done.stdout, r"- episode: 1\n +\+ episode: 2\n")

    def test_what_given_emits_is_not_looked_at(self):
        done = self.run_tests("  one:\n" + ALERT.replace("when", "given") + "    expect: nothing\n")
        self.assertEqual(done.returncode, 0, done.stdout)

    def test_a_dead_letter_may_be_what_is_expected(self):
        done = self.run_tests("  one:\n    when: { source: calls, fields: { customer_id: '' } }\n"
                              "    expect: { derived: nothing, dead_letters: { class: record, message: is empty } }\n")
        self.assertEqual(done.returncode, 0, done.stdout)


class Rules(Folder):
    """All that a rule can be: episodes, `for`, patterns."""
    CONFIG = f"""app: rules
sources:
  calls: {{ topic: calls, format: json, kind: call, schema: {TOP}/schemas/call.avsc, customer: event.customer_id, time: event.started_at }}
  complaints:
    {{ topic: complaints, format: json, kind: complaint, schema: {TOP}/schemas/complaint.avsc, customer: event.customer_id, time: event.opened_at }}
features:
  dropped_7d: {{ count: call, where: 'event.termination == "DROPPED"', window: 7d }}
  complaints: {{ count: complaint }}
rules:
  bad-line: {{ when: dropped_7d >= 2, clear_when: dropped_7d == 0, emit: alert }}
  patient: {{ when: complaints > 0, for: 3d, emit: alert }}
  gone-quiet:
    pattern:
      - {{ kind: complaint, where: 'event.status == "RESOLVED"' }}
      - {{ not: call, for: 14d }}
    emit: alert
outputs: {{ alert: {{ topic: alerts }} }}
"""

    def run_rules(self, tests, *options):
        self.write("ringfold.yaml", self.CONFIG)
        head = ("config: ringfold.yaml\ndefaults: { calls: { duration_s: 60, termination: DROPPED }, "
                "complaints: { case_id: c, status: OPENED } }\ntests:\n")
        return ringfold("test", *options, self.write("tests.yaml", head + tests))

    def test_an_alert_is_raised_and_cleared_by_time(self):
        done = self.run_rules("""  one:
    steps:
      - when: { source: calls, times: 2, every: 1h }
        expect:
          derived: [ { rule: bad-line, status: RAISED, episode: 1 } ]
          held: { bad-line: raised }
      - when: { source: calls, at: +8d }
        expect:
          derived: [ { rule: bad-line, status: CLEARED, episode: 1 } ]
          held: { bad-line: condition }
""")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_a_condition_has_to_hold_for_a_while(self):
        done = self.run_rules("""  one:
    when: { source: complaints }
    steps:
      - expect: { derived: nothing, held: { patient: for } }
      - when: { source: calls, at: +4d, fields: { termination: NORMAL } }
        expect:
          derived: [ { rule: patient, at: 2026-01-04 } ]
          held: { patient: told }
""")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_silence_completes_a_pattern_and_a_call_breaks_it(self):
        done = self.run_rules("""  silence:
    when: { source: complaints, fields: { status: RESOLVED } }
    steps:
      - expect: { held: { gone-quiet: pattern } }
      - when: { source: calls, at: +15d }
        expect: { contains: [ { rule: gone-quiet, matched: [ complaint ], at: 2026-01-15 } ] }
  a call:
    when:
      - { source: complaints, fields: { status: RESOLVED } }
      - { source: calls, at: +13d }
      - { source: calls, at: +13d }
    expect: [ { rule: patient } ]
""")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_time_alone_fires_clears_and_completes_with_nothing_arriving(self):
        done = self.run_rules("""  silence:
    when: { source: complaints, fields: { status: RESOLVED } }
    steps:
      - { advance: 2d, expect: { derived: nothing, held: { patient: for } } }
      - { advance: 2d, expect: [ { rule: patient, at: 2026-01-04 } ] }
      - { advance_to: 2026-01-14, expect: nothing }
      - { advance: 2d, expect: [ { rule: gone-quiet, at: 2026-01-15, matched: [ complaint ] } ] }
      - { advance: 100d, expect: nothing }
  an alert is over:
    given: { source: calls, times: 2 }
    steps:
      - { advance: 6d, expect: { derived: nothing, held: { bad-line: raised } } }
      - { advance: 2d, expect: { derived: [ { rule: bad-line, status: CLEARED } ], features: { dropped_7d: 0 } } }
""")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_a_partial_match_is_explained(self):
        done = self.run_rules("  one:\n    when: { source: complaints, fields: { status: RESOLVED } }\n"
                              "    expect: [ { rule: gone-quiet, matched: [ complaint, call ] } ]\n")
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("gone-quiet: waits for its pattern", done.stdout)
        self.assertIn("1 of 1: complaint at 2026-01-01T00:00:00Z; fires at 2026-01-15T00:00:00Z, unless call", done.stdout)

    def test_kinds_of_a_match_are_kinds(self):
        done = self.run_rules("  one:\n    when: { source: complaints }\n    expect: [ { matched: [ calls ] } ]\n")
        self.assertEqual(done.returncode, 2)
        self.assertIn("did you mean 'call'?", done.stderr)


class Explain(Folder):
    def explain(self, customer, *more):
        inputs = [f"{source}={TELCO}/{source}.ndjson" for source in SOURCES]
        return ringfold("replay", "-q", "-c", CONFIG, "--explain", customer, *more, *inputs)

    def test_replay_says_how_far_the_rules_of_a_customer_are(self):
        out = self.path("events.ndjson")
        done = self.explain("C0023", "--out", out)

        row = json.loads(done.stdout)
        self.assertEqual(row["customer"], "C0023")
        rule = row["explain"]["rules"]["service-failure"]
        self.assertEqual((rule["standing"], rule["fired"]), ("condition", 1))
        self.assertEqual([(part["text"], part["holds"], part["gap"]) for part in rule["when"]["all"]],
                         [("complaints_14d > 0", False, 0), ("dropped_7d >= 3", False, 3)])
        with open(out, encoding="utf-8") as file:
            alerts = [json.loads(line) for line in file]
        self.assertTrue(any(alert["customer"] == "C0023" and alert["occurred_at"] == rule["last_fired"] for alert in alerts))

    def test_every_rule_that_fired_is_explained_as_fired(self):
        inputs = [f"{source}={TELCO}/{source}.ndjson" for source in SOURCES]
        alerts = [json.loads(line) for line in ringfold("replay", "-q", "-c", CONFIG, *inputs).stdout.splitlines()]
        for customer in sorted({alert["customer"] for alert in alerts}):
            rules = json.loads(self.explain(customer).stdout)["explain"]["rules"]
            self.assertEqual({name: rule["fired"] for name, rule in rules.items() if rule["fired"]},
                             {name: sum(a["customer"] == customer and a["rule"] == name for a in alerts)
                              for name in {a["rule"] for a in alerts if a["customer"] == customer}})

    def test_an_unknown_customer_is_a_failure(self):
        done = self.explain("nobody")
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertIn("nothing is known of customer nobody", done.stderr)


class Plan(Folder):
    def plan(self, *changes, options=()):
        with open(CONFIG, encoding="utf-8") as file:
            text = file.read().replace("../../schemas", os.path.join(TOP, "schemas"))
        old = self.write("old.yaml", text)
        for before, after in changes:
            self.assertIn(before, text)
            text = text.replace(before, after)
        return ringfold("plan", "-c", self.write("new.yaml", text), "--against", old, *options)

    CHANGES = (("dropped_7d >= 3", "dropped_7d >= 4"), ("complaints_14d:  { count: complaint, where: 'event.status == \"OPENED\"', window: 14d",
                "complaints_14d:  { count: complaint, window: 21d"), ("  largest_payment: { max: event.amount, on: purchase }\n", ""),
               ("  last_topic:", "  talk: { sum: event.duration_s, on: call }\n  last_topic:"), ("  win-back:", "  win-them-back:"),
               ("topic: telco.offers", "topic: telco.bonuses"))

    def test_it_says_what_becomes_of_each_part(self):
        done = self.plan(*self.CHANGES)

        self.assertEqual((done.returncode, done.stderr), (0, ""))
        for line in ("  redefined complaints_14d: where, window 14d -> 21d; starts empty, and is whole after 21d",
                     "  drop      largest_payment: its state goes with each customer's next write",
                     "  new       talk: starts empty, and knows what comes from then on",
                     "  changed   service-failure: when; its cooldowns and open alerts go on",
                     "  new       win-them-back",
                     "  removed   win-back: its cooldowns are forgotten, and alerts that are open stay so until it comes back "
                     "(mode: off clears them first)",
                     "  changed   offer: topic telco.offers -> telco.bonuses"):
            self.assertIn(line + "\n", done.stdout)
        self.assertRegex(done.stdout, r"\n  keep +calls_7d, dropped_7d, ")

    def test_json_says_the_same(self):
        row = json.loads(self.plan(*self.CHANGES, options=["--json"]).stdout)

        features = {part["name"]: part for part in row["features"]}
        self.assertEqual(features["complaints_14d"], {"name": "complaints_14d", "change": "redefined", "state": True,
                                                      "whole_after": "21d", "details": ["where", "window 14d -> 21d"]})
        self.assertEqual({name: part["change"] for name, part in features.items() if part["change"] != "keep"},
                         {"complaints_14d": "redefined", "talk": "new", "largest_payment": "drop"})
        self.assertEqual({part["name"]: part["change"] for part in row["rules"] if part["change"] != "unchanged"},
                         {"service-failure": "changed", "win-them-back": "new", "win-back": "removed"})
        self.assertIn("unchanged", {part["change"] for part in row["rules"] if part["name"] == "complaining-again"})
        self.assertTrue(row["same_app"])

    def test_another_app_keeps_nothing_and_is_told_so(self):
        self.assertIn("the app is another", self.plan(("app: telco-retention", "app: telco-next")).stdout)

    def test_what_is_wrong_is_told_with_its_place(self):
        done = self.plan(("half_life: 7d", "half_live: 7d"))
        self.assertEqual((done.returncode, done.stdout), (2, ""))
        self.assertIn("new.yaml:", done.stderr)
        self.assertEqual(ringfold("plan", "--against", CONFIG).returncode, 2)
        self.assertEqual(ringfold("plan", "-c", CONFIG, "--against", self.path("nowhere.yaml")).returncode, 2)


class Reports(Folder):
    TESTS = (f'  "<one> & \\"two\\" \\x07":\n{ALERT}    expect: nothing\n'
             f"  fine:\n{ALERT}    expect: [ {{ rule: service-failure }} ]\n")

    def test_junit_is_well_formed_whatever_the_names_are(self):
        report = self.path("report.xml")
        done = self.run_tests(self.TESTS, "--junit", report)

        self.assertEqual(done.returncode, 1)
        root = xml.parse(report).getroot()
        suite = root.find("testsuite")
        self.assertEqual((root.tag, suite.get("tests"), suite.get("failures")), ("testsuites", "2", "1"))
        bad, good = suite.findall("testcase")
        self.assertEqual(bad.get("name"), '<one> & "two" \ufffd')
        self.assertIn("1 event was emitted", bad.find("failure").get("message"))
        self.assertIsNone(good.find("failure"))

    def test_a_report_that_cannot_be_written_is_a_failure(self):
        done = self.run_tests(f"  fine:\n{ALERT}    expect: {{ contains: [ {{}} ] }}\n", "--junit", self.path("no/report.xml"))
        self.assertEqual(done.returncode, 1)
        self.assertIn("no/report.xml: No such file or directory", done.stderr)

    def test_json_is_an_object_a_test_and_nothing_else(self):
        done = self.run_tests(self.TESTS, "--json")

        rows = [json.loads(line) for line in done.stdout.splitlines()]
        self.assertEqual([row["result"] for row in rows], ["failed", "passed"])
        self.assertEqual(rows[0]["failures"][0]["line"], self.line_of("expect: nothing"))

    def test_a_name_chooses_tests_and_quiet_shows_failures_only(self):
        self.assertNotIn("one", self.run_tests(self.TESTS, "-k", "fine").stdout)
        self.assertEqual(self.run_tests(self.TESTS, "-k", "fine", "-q").stdout, "1 test in 1 file: 1 passed, 0 failed\n")
        done = self.run_tests(self.TESTS, "-k", "nobody")
        self.assertEqual(done.returncode, 2)
        self.assertIn("'nobody'", done.stderr)

    def test_colours_are_for_terminals_without_no_color(self):
        self.assertNotIn("\033", self.run_tests(self.TESTS).stdout)
        self.assertIn("\033[", self.on_a_terminal({}))
        self.assertNotIn("\033[3", self.on_a_terminal({"NO_COLOR": "1"}))

    def on_a_terminal(self, more):
        ours, theirs = pty.openpty()
        environment = {key: value for key, value in os.environ.items() if key != "NO_COLOR"}
        with subprocess.Popen([RINGFOLD, "test", self.path("tests.yaml")], stdout=theirs, stderr=subprocess.DEVNULL,
                              env={**environment, **more}) as process:
            os.close(theirs)
            text = b""
            try:
                while chunk := os.read(ours, 65536):
                    text += chunk
            except OSError:  # the other end is closed
                pass
            process.wait(60)
        os.close(ours)
        return text.decode()


class Mistakes(Folder):
    """Each is exit 2, with the place and what to do, and no test is run."""
    CALL = "{{ source: calls, {} }}"

    def check(self, tests, column, *told):
        done = self.run_tests("  one:\n" + tests)
        self.assertEqual(done.returncode, 2, done.stdout + done.stderr)
        self.assertEqual(done.stdout, "")
        marked = next(line for line in tests.splitlines() if column in line)
        place = f"tests.yaml:{self.line_of(marked)}:{marked.index(column) + 1}: "
        self.assertIn(place, done.stderr)
        for text in told:
            self.assertIn(text, done.stderr.split(place, 1)[1])

    def test_a_field_that_does_not_fit_its_schema(self):
        for fields, column, told in (
                ("terminaton: DROPPED", "terminaton", ("there is no field 'terminaton'", "did you mean 'termination'?")),
                ("termination: DROPED", "DROPED", ("no symbol of ringfold.telco.Termination", "did you mean 'DROPPED'?")),
                ("duration_s: long", "long", ("is not a number",)),
                ("duration_s: [1]", "[1]", ("a list is not a number",)),
                ("duration_s: null", "null", ("is not a number",)),
                ("duration_s: '12'", "12", ("without quotes",)),
                ("called: { a: 1 }", "{ a", ("a mapping is not string",)),
                ("started_at: yesterday", "yesterday", ())):
            with self.subTest(fields=fields):
                self.check(f"    when: {{ source: calls, fields: {{ {fields} }} }}\n    expect: nothing\n", column, *told)

    def test_an_event_that_cannot_be(self):
        for event, column, told in (
                ("{ source: call }", "call }", ("there is no source 'call'", "did you mean 'calls'?")),
                ("{ kind: complaints }", "complaints", ("there is no kind", "did you mean 'complaint'?")),
                ("{ at: +1d }", "{", ("of which source",)),
                ("{ source: purchases }", "{ source", ("field 'amount' is missing", "`defaults`")),
                ("{ source: calls, at: tomorrow }", "tomorrow", ("is no time", "+3d")),
                ("{ source: calls, time: +1d }", "time", ("there is no word 'time'",)),
                ("{ source: calls, times: 0 }", "0", ("from 1 to 10000",)),
                ("{ source: calls, every: 1h }", "1h", ("goes with 'times'",)),
                ("{ source: calls, at: +1d, fields: { started_at: 2026-05-01T00:00:00Z } }", "+1d",
                 ("of 2026-05-01T00:00:00Z", "leave out `at`")),
                ("{ source: calls, customer: anna, fields: { customer_id: bert } }", "anna", ("customer bert's",)),
                ("yes", "yes", ("an event is a mapping, not a text",))):
            with self.subTest(event=event):
                self.check(f"    when: {event}\n    expect: nothing\n", column, *told)

    def test_an_expectation_that_cannot_be(self):
        for expect, column, told in (
                ("[ { rule: service-failur } ]", "service-failur", ("there is no rule", "did you mean 'service-failure'?")),
                ("[ { severity: hihg } ]", "hihg", ("did you mean 'high'?",)),
                ("[ { status: GONE } ]", "GONE", ("RAISED UPDATED CLEARED",)),
                ("[ { output: offers } ]", "offers", ("did you mean 'offer'?",)),
                ("[ { because: { matches: '(' } } ]", "(", ("the pattern is no good",)),
                ("[ { reasons: { dropped: 1 } } ]", "dropped:", ("there is no feature",)),
                ("[ { reasons: { customer.events: many } } ]", "many", ("'customer.events' is a whole number",)),
                ("{ features: { customer.events: 1 } }", "customer.events:", ("there is no feature",)),
                ("[ { reasons: { dropped_7d: many } } ]", "many", ("'dropped_7d' is a whole number",)),
                ("[]", "[]", ("not an empty one", "or nothing")),
                ("something", "something", ("a list of derived events is expected",)),
                ("{ features: { dropped_7d: 1.5 } }", "1.5", ("is a whole number",)),
                ("{ features: { call_rate: { value: 1 } } }", "{ value", ("has both",)),
                ("{ derived: nothing, contains: [ {} ] }", "[ {} ]", ("both 'derived' and 'contains'",)),
                ("{ held: { service-failure: cooling } }", "cooling", ("there is no cause", "condition")),
                ("{ held: { service-failur: cooldown } }", "service-failur", ("there is no rule",)),
                ("[ { episode: 0 } ]", "0", ("a number from 1",)),
                ("{ derivd: nothing }", "derivd", ("did you mean 'derived'?",))):
            with self.subTest(expect=expect):
                self.check(f"    when: {{ source: calls }}\n    expect: {expect}\n", column, *told)

    def test_a_test_that_cannot_fail_or_goes_back_in_time(self):
        self.check("    when: { source: calls }\n    expects: nothing\n", "expects", "did you mean 'expect'?")
        self.check("    advance: 14\n    expect: nothing\n", "14", "no length of time")
        self.check("    advance_to: 2025-01-01\n    expect: nothing\n", "2025", "already stands at 2026-01-01T00:00:00Z")
        done = self.run_tests("  one:\n    when: { source: calls }\n")
        self.assertEqual(done.returncode, 2)
        self.assertIn("test 'one' expects nothing that could fail", done.stderr)

    def test_a_file_that_is_none(self):
        for text, told in (("", "is a mapping, not nothing"), ("tests: {}\n", "'config' is missing"),
                           (f"config: {CONFIG}\n", "'tests' has to be a mapping"), ("config: nowhere.yaml\n", "nowhere.yaml"),
                           (f"config: {CONFIG}\ndefaults: {{ call: {{}} }}\ntests: {{}}\n", "did you mean 'calls'?"),
                           ("config: [\n", ":")):
            with self.subTest(text=text):
                done = ringfold("test", self.write("tests.yaml", text))
                self.assertEqual((done.returncode, done.stdout), (2, ""))
                self.assertIn(told, done.stderr)
        self.assertEqual(ringfold("test").returncode, 2)
        self.assertEqual(ringfold("test", self.path("nowhere.yaml")).returncode, 2)

    def test_a_configuration_with_a_mistake_is_told_as_check_tells_it(self):
        self.write("ringfold.yaml", "app: 1 2\n")
        done = ringfold("test", self.write("tests.yaml", "config: ringfold.yaml\ntests: {}\n"))
        self.assertEqual(done.returncode, 2)
        self.assertIn("ringfold.yaml:1:6: ", done.stderr)


class Formats(Folder):
    """Sources whose messages are Avro, whose customer is the key, whose time is a number or the message's."""
    SCHEMA = {"type": "record", "name": "Seen", "fields": [
        {"name": "who", "type": {"type": "record", "name": "Who", "fields": [{"name": "id", "type": "long"}]}},
        {"name": "at", "type": "long"}, {"name": "tags", "type": {"type": "array", "items": "string"}},
        {"name": "note", "type": ["null", "string", "double"]}, {"name": "unused", "type": "string"}]}
    CONFIG = """app: formats
sources:
  seconds: {{ topic: a, format: avro-raw, schema: seen.avsc, customer: string(event.who.id), time: timestamp(event.at) }}
  millis:
    topic: b
    format: avro-object
    schema: seen.avsc
    customer: string(event.who.id)
    time: 'timestamp(0) + duration(string(event.at) + "ms")'
  keyed: {{ topic: c, format: json, schema: seen.avsc }}
features:
  seconds: {{ count: seconds }}
  millis: {{ last: event.time, on: millis }}
  keyed: {{ last: event.time, on: keyed }}
  tags: {{ sum: event.tags.size(), on: seconds }}
  note: {{ last: 'string(event.?note.orValue(""))', on: seconds }}
rules: {{}}
""".replace("{{", "{").replace("}}", "}")

    def test_events_are_made_for_each(self):
        self.write("seen.avsc", json.dumps(self.SCHEMA))
        self.write("ringfold.yaml", self.CONFIG)
        done = ringfold("test", self.write("tests.yaml", """config: ringfold.yaml
customer: "42"
tests:
  one:
    when:
      - { source: seconds, at: 2026-02-01T00:00:01Z, fields: { tags: [a, b], note: 2.5 } }
      - { source: millis, at: +1s }
      - { source: keyed, at: +250ms }
    expect:
      features:
        seconds: 1
        tags: 2
        note: "2.5"
        millis: 2026-02-01T00:00:02Z
        keyed: 2026-02-01T00:00:02.250Z
"""))
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
