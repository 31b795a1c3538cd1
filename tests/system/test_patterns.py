"""Patterns mean what the same patterns mean to Apache Flink CEP: generated cases, out of order, through both.

Flink runs them in one job on a cluster of its own (patterns/FlinkPatterns.java). ringfold runs each as a configuration
with one rule and a file a kind, through `replay`: the reader of the configuration, conditions, the task's watermark,
the engine and its timers, the customer's record from transaction to transaction, and the events told as `matched`.
"""
import calendar
import json
import os
import subprocess
import time

import pytest

from conftest import reachable
from harness import artefacts, ringfold
from patterns.cases import KINDS, Take, generate

COUNT = 240
SEED = os.environ.get("RINGFOLD_PATTERN_SEED", "1")
START_MS = 1_767_225_600_000  # 2026-01-01
UNTIL = "2026-01-01T01:00:00Z"  # longer than any case
SCHEMA = {"type": "record", "name": "Event", "fields": [
    {"name": "customer", "type": "string"},
    {"name": "at", "type": {"type": "long", "logicalType": "timestamp-millis"}},
    {"name": "level", "type": "int"}]}


def of_flink(cases, directory):
    """Lines "case customer time numbers" of every match."""
    path, found = directory / "cases", directory / "matches"
    path.write_text("".join(case.text() for case in cases), encoding="utf-8")
    done = subprocess.run([artefacts.java(), "-cp", reachable(artefacts.flink_classpath), "FlinkPatterns", path, found],
                          capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr[-4000:]
    return found.read_text(encoding="utf-8").splitlines()


def step_of(step):
    made = {"kind" if isinstance(step, Take) else "not": step.kind}
    if step.level >= 0:
        made["where"] = f"event.level == {step.level}"
    if isinstance(step, Take):
        made |= {"times": step.times} if step.times > 1 else {}
        made |= {"within": f"{step.within}ms"} if step.within else {}
    elif step.silence:
        made["for"] = f"{step.silence}ms"
    return made


def config_of(case):
    rule = {"pattern": [step_of(step) for step in case.steps], "skip": case.skip, "emit": "found"}
    if case.within:
        rule["within"] = f"{case.within}ms"
    source = {"format": "json", "schema": "event.avsc", "customer": "event.customer", "time": "event.at"}
    return {
        "app": "patterns",
        "lateness": f"{case.lateness}ms" if case.lateness else "0s",
        "late": "drop",
        "sources": {kind: {"topic": kind, "kind": kind, **source} for kind in KINDS},
        "rules": {"found": rule},
        "outputs": {"found": {"topic": "found"}},
    }


def write_events(case, directory):
    """A file a kind. Returns the events' numbers by file and line."""
    lines = {kind: [] for kind in KINDS}
    numbers = {}
    for event in case.events:
        lines[event.kind].append({"customer": event.customer, "at": START_MS + event.time, "level": event.level})
        numbers[event.kind, len(lines[event.kind])] = event.number
    for kind, rows in lines.items():
        (directory / f"{kind}.ndjson").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return numbers


def milliseconds(text):
    """Of an RFC 3339 text after the start; exact, which a float of seconds is not."""
    seconds, _, fraction = text.rstrip("Z").partition(".")
    whole = calendar.timegm(time.strptime(seconds, "%Y-%m-%dT%H:%M:%S"))
    return whole * 1000 + int((fraction + "000")[:3]) - START_MS


def of_ringfold(case, directory):
    numbers = write_events(case, directory)
    config = ringfold.write_config(directory / "ringfold.yaml", config_of(case))
    done = ringfold.command("replay", "-q", "-c", config, "--until", UNTIL,
                            *[f"{kind}={directory / kind}.ndjson" for kind in KINDS])
    alerts = ringfold.rows(done.stdout)
    assert len({alert["id"] for alert in alerts}) == len(alerts), f"{case.name}: an id twice"
    for alert in alerts:
        matched = [numbers[event["topic"].rsplit("/", 1)[-1].removesuffix(".ndjson"), event["offset"]]
                   for event in alert["matched"]]
        yield (f"{case.name} {alert['customer']} {milliseconds(alert['occurred_at'])} "
               f"{','.join(map(str, matched))}")


@pytest.fixture(scope="module")
def cases():
    return list(generate(COUNT, SEED))


@pytest.fixture(scope="module")
def flink(cases, tmp_path_factory):
    return of_flink(cases, tmp_path_factory.mktemp("flink"))


def test_the_cases_cover_the_language(cases, flink):
    def having(what):
        return sum(1 for case in cases if what(case))

    assert len({line.split()[0] for line in flink}) >= COUNT // 3, "many cases have a match"
    assert having(lambda case: isinstance(case.steps[-1], Take)) > 25
    assert having(lambda case: not isinstance(case.steps[-1], Take) and case.steps[-1].silence) > 25
    assert having(lambda case: not isinstance(case.steps[-1], Take) and not case.steps[-1].silence) > 8
    assert having(lambda case: any(not isinstance(step, Take) for step in case.steps[:-1])) > 25
    assert having(lambda case: any(isinstance(step, Take) and step.times > 1 for step in case.steps)) > 25
    assert having(lambda case: any(isinstance(step, Take) and step.within for step in case.steps)) > 25
    assert having(lambda case: case.within) > 25
    assert having(lambda case: case.skip == "none") > 60
    assert having(lambda case: case.lateness) > 100


def test_patterns_match_what_flink_matches(cases, flink, tmp_path):
    (tmp_path / "event.avsc").write_text(json.dumps(SCHEMA), encoding="utf-8")
    of_case = {case.name: [] for case in cases}
    for line in flink:
        of_case[line.split()[0]].append(line)

    differing = []
    for case in cases:
        found = sorted(of_ringfold(case, tmp_path))
        if found != sorted(of_case[case.name]):
            differing.append(f"{case.text()}flink:    {sorted(of_case[case.name])}\nringfold: {found}")

    assert len(cases) >= 200
    assert not differing, f"{len(differing)} of {len(cases)} cases differ; the first:\n{differing[0]}"
    print(f"{len(cases)} cases, {len(flink)} matches")
