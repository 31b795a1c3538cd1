"""The command line on the samples: replay, demo, check, topics."""
import csv
import json
import re
import shutil
import time

import pytest
import requests

from harness import ringfold
from harness.artefacts import TOP
from harness.orders import App
from harness.process import Process, wait_until

TELCO = TOP / "seeds" / "telco"
INPUTS = [f"{name}={TELCO / name}.ndjson" for name in ("calls", "purchases", "complaints")]
RULE_OF_STORY = {"let down": "service-failure", "complaining": "complaining-again", "fading": "win-back"}
UNHEARD = {"unanswered", "gone-quiet"}  # of whoever complained and got no answer


@pytest.fixture(scope="module")
def stories():
    with open(TELCO / "truth.csv", encoding="utf-8") as file:
        return {row["customer"]: row["story"] for row in csv.DictReader(file)}


def test_replay_of_the_sample_finds_those_who_leave_and_nobody_else(stories):
    alerts = ringfold.rows(ringfold.command("replay", "-c", TELCO / "ringfold.yaml", *INPUTS).stdout)

    found = sorted((alert["customer"], alert["rule"]) for alert in alerts)
    for customer, rule in found:
        story = stories[customer]
        assert rule == RULE_OF_STORY.get(story) or (rule in UNHEARD and story in ("let down", "complaining"))
    sure = {(customer, RULE_OF_STORY[story]) for customer, story in stories.items()
            if story in ("let down", "complaining")}
    assert sure <= set(found)
    assert sum(rule == "win-back" for _, rule in found) == 4
    assert len(found) == len(set(found)) == 24


def test_replay_gives_the_same_bytes_every_time(tmp_path):
    def replay(name):
        table = tmp_path / name
        done = ringfold.command("replay", "-c", TELCO / "ringfold.yaml", "--customers", table, *INPUTS)
        return done.stdout, table.read_bytes()

    assert replay("first") == replay("second")


def test_demo_once_ends_with_a_summary_and_its_alerts(stories):
    done = ringfold.command("demo", "--once", seconds=180)

    for customer, story in stories.items():
        if story in ("let down", "complaining"):
            assert customer in done.stdout
    assert "kcat" in done.stdout + done.stderr


def test_demo_goes_on_and_its_page_says_that_all_is_well(tmp_path):
    """Its broker answers less than a real one: not, for instance, which groups there are."""
    demo = Process([ringfold.binary(), "demo"], tmp_path / "log").start()
    try:
        (url,) = wait_until(lambda: re.findall(r"http://[\d.:]+(?=/)", demo.output())[:1], 60, demo.output)
        wait_until(lambda: requests.get(f"{url}/readyz", timeout=5).status_code == 200, 60, "it is ready")
        end = time.monotonic() + 18  # so long nobody has to answer to be called away
        while time.monotonic() < end:
            assert requests.get(f"{url}/readyz", timeout=5).json()["state"] == "ready"
            time.sleep(1)
    finally:
        demo.kill()


def test_the_samples_are_without_fault():
    for name in ("telco", "cdnow"):
        ringfold.command("check", "-c", TOP / "seeds" / name / "ringfold.yaml")


def test_check_finds_several_errors_in_one_go_each_with_its_place(tmp_path):
    shutil.copytree(TOP / "schemas", tmp_path / "schemas")
    text = (TELCO / "ringfold.yaml").read_text(encoding="utf-8").replace("../../schemas", "schemas")
    text = text.replace("event.termination ==", "event.terminaton ==").replace("severity: critical", "severity: fatal")
    text = text.replace("half_life: 7d", "half_live: 7d")
    (tmp_path / "bad.yaml").write_text(text, encoding="utf-8")

    done = ringfold.command("check", "-c", tmp_path / "bad.yaml", status=2)

    lines = text.splitlines()
    for wrong, right in (("terminaton", "termination"), ("fatal", None), ("half_live", "half_life")):
        number = next(i for i, line in enumerate(lines, 1) if wrong in line)
        assert f"bad.yaml:{number}:" in done.stderr
        if right is not None:
            assert right in done.stderr.split(f"bad.yaml:{number}:", 1)[1]


def test_wrong_usage_is_exit_2_and_help_has_an_example():
    assert ringfold.command("nonsense", status=2).stderr
    assert ringfold.command("run", status=2).stderr
    for name in ("run", "check", "replay", "topics", "demo", "customer"):
        assert f"ringfold {name}" in ringfold.command(name, "--help").stdout


def test_topics_create_makes_what_run_needs_and_check_agrees(app, kafka, registry, tmp_path):
    orders = App(app, kafka, registry, tmp_path)
    kafka.create_topics(*orders.sources, partitions=3)
    assert ringfold.command("topics", "check", "-c", orders.config, env=orders.env, status=None).returncode != 0

    ringfold.command("topics", "create", "-c", orders.config, env=orders.env)

    ringfold.command("topics", "check", "-c", orders.config, env=orders.env)
    assert kafka.topic_config(orders.changelog)["cleanup.policy"] == "compact"
    assert kafka.topic_config(orders.tasks)["cleanup.policy"] == "compact"
    for topic in (orders.changelog, orders.tasks, orders.dead_letters, orders.alerts):
        assert kafka.partition_count(topic) == 3
    ringfold.command("topics", "create", "-c", orders.config, env=orders.env)


def test_a_topic_that_holds_what_each_rule_says_now_is_compacted(app, kafka, registry, tmp_path):
    orders = App(app, kafka, registry, tmp_path, outputs={
        "alert": {"topic": f"{app}.alerts", "format": "json", "key": "rule"},
        "offer": {"topic": f"{app}.offers", "format": "json"}})

    ringfold.command("topics", "create", "-c", orders.config, env=orders.env)

    assert kafka.topic_config(orders.alerts)["cleanup.policy"] == "compact"
    assert kafka.topic_config(orders.offers)["cleanup.policy"] == "delete"
    kafka.configure_topic(orders.alerts, {"cleanup.policy": "delete"})
    done = ringfold.command("topics", "check", "-c", orders.config, env=orders.env)  # a warning
    assert f"{orders.alerts}: cleanup.policy is 'delete'" in done.stdout + done.stderr


def test_topics_create_gives_new_sources_four_partitions(app, kafka, registry, tmp_path):
    orders = App(app, kafka, registry, tmp_path)

    ringfold.command("topics", "create", "-c", orders.config, env=orders.env)

    for topic in (*orders.sources, orders.changelog):
        assert kafka.partition_count(topic) == 4


def test_an_alert_in_json_has_its_reasons():
    done = ringfold.command("replay", "-c", TELCO / "ringfold.yaml", *INPUTS)
    alert = next(row for row in ringfold.rows(done.stdout) if row["rule"] == "service-failure")

    assert [reason["name"] for reason in alert["reasons"]] == ["complaints_14d", "dropped_7d"]
    assert alert["severity"] == "high"
    assert alert["because"].startswith("complained, and ")
    assert json.dumps(alert["source"])
