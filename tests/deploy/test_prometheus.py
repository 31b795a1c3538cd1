"""The alert rules: each fires on what it is for (promtool test rules), and says where to read on."""
import re

import pytest
import yaml

from conftest import DEPLOY, TOP, reachable, run
from harness import artefacts

RULES = DEPLOY / "prometheus" / "ringfold.rules.yml"
TESTS = TOP / "tests" / "deploy" / "prometheus" / "ringfold.rules.test.yml"


@pytest.fixture(scope="module")
def promtool():
    return reachable(artefacts.prometheus, "promtool")


def alerts():
    groups = yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"]
    return [rule for group in groups for rule in group["rules"] if "alert" in rule]


def test_the_rules_are_rules(promtool):
    run(promtool, "check", "rules", RULES)


def test_each_alert_fires_on_what_it_is_for_and_on_nothing_that_looks_like_it(promtool, tmp_path):
    copy = tmp_path / "rules.test.yml"
    copy.write_text(TESTS.read_text(encoding="utf-8").replace("[RULES]", f"[{RULES}]"), encoding="utf-8")

    run(promtool, "test", "rules", copy)


def test_no_alert_is_without_a_test():
    tests = yaml.safe_load(TESTS.read_text(encoding="utf-8").replace("[RULES]", "[]"))["tests"]
    fired = {one["alertname"] for test in tests for one in test["alert_rule_test"] if one["exp_alerts"]}

    assert fired == {rule["alert"] for rule in alerts()}


def test_each_alert_says_how_urgent_it_is_and_what_to_do():
    headings = re.findall(r"^## (\S+)$", (DEPLOY / "RUNBOOK.md").read_text(encoding="utf-8"), re.MULTILINE)
    for rule in alerts():
        assert rule["labels"]["severity"] in ("page", "ticket"), rule["alert"]
        assert rule["annotations"]["summary"], rule["alert"]
        assert rule["annotations"]["runbook_url"] == f"file:///usr/share/ringfold/RUNBOOK.md#{rule['alert'].lower()}"
        assert rule["alert"] in headings, f"no section in RUNBOOK.md: {rule['alert']}"
    assert sorted(headings) == sorted(rule["alert"] for rule in alerts())


def test_the_sample_of_a_scrape_configuration_is_one(promtool, tmp_path):
    text = (DEPLOY / "prometheus" / "prometheus.yml").read_text(encoding="utf-8")
    copy = tmp_path / "prometheus.yml"
    copy.write_text(text.replace("/usr/share/ringfold/prometheus/ringfold.rules.yml", str(RULES)), encoding="utf-8")

    run(promtool, "check", "config", copy)


def test_every_metric_that_a_rule_reads_is_one_that_ringfold_has():
    source = (TOP / "src" / "edge" / "ops" / "metrics.c").read_text(encoding="utf-8")
    read = set(re.findall(r"\b(?:ringfold|process)_[a-z0-9_]+\b", " ".join(rule["expr"] for rule in alerts())))
    groups = yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"]
    read |= set(re.findall(r"\b(?:ringfold|process)_[a-z0-9_]+\b",
                           " ".join(rule["expr"] for group in groups for rule in group["rules"])))

    missing = {name for name in read if name.removeprefix("ringfold_") not in source}

    assert not missing, missing
