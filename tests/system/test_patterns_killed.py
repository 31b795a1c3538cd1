"""Patterns are exactly once: an instance that is killed over and over tells what an undisturbed replay of the same events
tells, each match once, those that silence completes included."""
import heapq
import itertools
import json
import random

import pytest

from harness import again, clients, ringfold
from harness.orders import START_MS, rfc3339
from harness.process import wait_until
from test_silence import CUSTOMERS as SILENT, Silent, milliseconds

PARTITIONS = 4
CUSTOMERS = 48
EVENTS_MIN = 4000
CHUNK = 40
LATENESS_S = 20
SILENCE_S = 4
KILLS = 5
# Each with how often the process passes it before it dies there.
FAILPOINTS = {"after_restore": 3, "after_produce_outbox": 12, "before_produce": 6, "after_send_offsets": 9,
              "before_commit": 7, "after_commit": 5, "before_store_write": 4}
SLOW = "before_commit:sleep=40"  # so that there is a middle of the stream to be killed in
STEP = json.dumps({
    "type": "record", "name": "Step", "fields": [
        {"name": "customer_id", "type": "string"},
        {"name": "at", "type": {"type": "long", "logicalType": "timestamp-millis"}},
        {"name": "what", "type": "string"},
        {"name": "number", "type": "long"}]})


def step(what, **more):
    return {"kind": "step", "where": f'event.what == "{what}"', **more}


def silence(what, seconds):
    return {"not": "step", "where": f'event.what == "{what}"', "for": f"{seconds}s"}


RULES = {
    "sequence": {"pattern": [step("complaint"), step("call", times=2), step("order", within="60s")], "within": "300s",
                 "emit": "alert", "because": '"after " + string(steps) + " steps"'},
    "gone-quiet": {"pattern": [step("complaint"), silence("call", 90)], "emit": "alert", "severity": "high"},
    "every-pair": {"pattern": [step("order"), step("call", within="50s")], "skip": "none", "when": "steps > 3",
                   "emit": "alert"},
    "busy": {"pattern": [step("call", times=3)], "within": "200s", "emit": "alert",
             "clear_when": 'last_call != null && now - last_call > duration("120s")'},
}


def endless(seed):
    """(customer, event): a second apart, most within `lateness` of their time, one in seven too late to be taken: who
    forgets what time it was takes some."""
    rng = random.Random(seed)
    waiting = []
    for number in itertools.count():
        delay = rng.choice([0, 0, 0, rng.random() * LATENESS_S, rng.random() * 4 * LATENESS_S])
        heapq.heappush(waiting, (number + delay, number))
        while waiting and waiting[0][0] <= number:
            at = heapq.heappop(waiting)[1]
            customer = f"C{rng.randrange(CUSTOMERS):02d}"
            yield customer, {"customer_id": customer, "at": rfc3339(START_MS + 1000 * at), "number": at,
                             "what": rng.choice(["complaint", "call", "call", "order", "visit"])}


class Watched:
    """An application whose rules are patterns, and what it told."""

    def __init__(self, name, kafka, directory):
        self.name, self.kafka, self.directory = name, kafka, directory
        self.steps, self.alerts = f"{name}.steps", f"{name}.alerts"
        self.events, self.fed, self.sender = endless(1), 0, clients.Sender(kafka)
        self.env = {"STATE_DIR": str(directory / "state-a"), "INSTANCE": "a", "HTTP_LISTEN": "off"}
        directory.mkdir(parents=True, exist_ok=True)
        (directory / "step.avsc").write_text(STEP, encoding="utf-8")
        self.config = ringfold.write_config(directory / "ringfold.yaml", {
            "app": name,
            "kafka": {"bootstrap.servers": kafka.bootstrap, "session.timeout.ms": 6000,
                      "heartbeat.interval.ms": 1000},
            "state": {"dir": "${STATE_DIR}", "memory": "64MiB", "flush_interval": "100ms"},
            "commit": {"interval": "50ms", "max_events": 20},
            "workers": 2,
            "instance": "${INSTANCE}",
            "http": {"listen": "${HTTP_LISTEN}"},
            "lateness": f"{LATENESS_S}s", "late": "drop", "idle": "none",
            "sources": {"steps": {"topic": self.steps, "format": "json", "schema": "step.avsc", "kind": "step",
                                  "customer": "event.customer_id", "time": "event.at"}},
            "features": {"steps": {"count": "step"},
                         "last_call": {"last": "event.time", "on": "step", "where": 'event.what == "call"'}},
            "rules": RULES,
            "outputs": {"alert": {"topic": self.alerts, "format": "json"}},
        })
        kafka.create_topics(self.steps, partitions=PARTITIONS)
        ringfold.command("topics", "create", "-c", self.config, env=self.env)

    def feed(self, count=CHUNK):
        self.sender.send(self.steps, [(customer.encode(), json.dumps(event).encode())
                                      for customer, event in itertools.islice(self.events, count)])
        self.fed += count

    def end(self):
        """Behind all there is, in each partition an event so late that nothing is left to wait for. Its time."""
        at = rfc3339(START_MS + 1000 * self.fed + 24 * 3600 * 1000)
        self.sender.send(self.steps, [
            (b"end", json.dumps({"customer_id": f"end-{partition}", "at": at, "number": 0, "what": "end"}).encode(),
             {"partition": partition}) for partition in range(PARTITIONS)])
        return at

    def instance(self, failpoints):
        return ringfold.Instance(self.config, self.directory, {"RINGFOLD_FAILPOINT": failpoints}, "a")

    def folded(self):
        return sum(self.kafka.committed_offsets(self.name, self.steps).values())


@pytest.fixture
def watched(app, kafka, tmp_path):
    return Watched(app, kafka, tmp_path / app)


def kill_in_the_middle(one, instances):
    """With something committed, and more under way."""
    instance = one.instance(SLOW).start()
    instances.append(instance)
    before = one.folded()  # it answers when what the dead left open is aborted

    def goes_on():
        one.feed()
        return one.folded() > before

    wait_until(goes_on, 60, lambda: f"more than {before} folded\n{instance.tail()}")
    one.feed()
    assert instance.running, instance.tail()
    instance.kill()


def die_at(one, failpoint, instances):
    instance = one.instance(f"{SLOW},{failpoint}:kill:{FAILPOINTS[failpoint]}").start()
    instances.append(instance)

    def is_dead():
        one.feed()
        return not instance.running

    wait_until(is_dead, 60, lambda: f"it dies at {failpoint}\n{instance.tail()}")
    assert instance.status == -9, instance.tail()


def test_patterns_are_told_once_however_often_their_instance_is_killed(watched, kafka, instances):
    for _ in range(KILLS):
        kill_in_the_middle(watched, instances)
    for failpoint in FAILPOINTS:
        die_at(watched, failpoint, instances)
    watched.feed(max(CHUNK, EVENTS_MIN - watched.fed))
    end = watched.end()
    last = watched.instance("").start()
    instances.append(last)

    expected = again.fold(watched.config, watched.env, watched.directory / "again", watched.steps,
                          again.lines(kafka, watched.steps), end)
    count = {rule: sum(event["rule"] == rule for event in expected.events) for rule in RULES}
    assert min(count.values()) >= 40, count
    assert any(event["status"] == "CLEARED" for event in expected.events)
    assert all(event["source"]["topic"] == "timer" for event in expected.events if event["rule"] == "gone-quiet")
    ringfold.wait_idle(kafka, watched.name, [watched.steps], [last])
    wait_until(lambda: len(again.told(kafka, watched.alerts)) >= len(expected.events), 30,
               lambda: f"{len(expected.events)} are told; {len(again.told(kafka, watched.alerts))} are", every=0.3)
    assert last.stop() == 0, last.tail()

    told = again.told(kafka, watched.alerts)
    assert len({event["id"] for event in told}) == len(told), "an id twice"
    again.assert_same(told, expected.events, "what is told")
    done = ringfold.command("customer", "-c", watched.config, "--all", "--at", end, "--json", env=watched.env)
    assert again.known(done.stdout) == expected.customers

    # What the dead had told is in no committed transaction, and was told again word for word.
    ever = again.told(kafka, watched.alerts, "read_uncommitted")
    once = {event["id"]: event for event in told}
    assert len(ever) > len(told), "nobody was killed with something told and not committed"
    assert all(event == once.get(event["id"]) for event in ever)
    print(f"{KILLS} kills, {len(FAILPOINTS)} deaths at failpoints; {watched.fed} events; {len(told)} alerts {count}, "
          f"{len(ever) - len(told)} aborted and told again")


def test_a_silence_that_ends_a_pattern_is_told_once_though_all_who_tell_it_die(app, kafka, tmp_path, instances):
    """With no traffic at all: by the wall clock, killed before its time, and twice as it is told."""
    one = Silent(app, kafka, tmp_path / app, SILENCE_S)
    one.configure(features={}, rules={"quiet": {"pattern": [
        {"kind": "ping"}, {"not": "ping", "for": f"{SILENCE_S}s"}], "emit": "alert"}})
    instances.append(one.instance().start())
    at_ms = one.ping()
    one.wait_folded(instances)
    instances[0].kill()
    for failpoint in ("before_commit", "after_commit"):
        armed = one.instance({"RINGFOLD_FAILPOINT": f"{failpoint}:kill:1"})
        instances.append(armed.start())
        armed.child.wait(60)
        assert armed.status == -9, f"it was to die as the silence ends\n{armed.tail()}"
    instances.append(one.instance().start())
    later_ms = one.ping(["later"])
    one.wait_told(later_ms, [*SILENT, "later"])  # by then whatever was to be told again has been

    told = one.told()
    assert told.keys() == {*SILENT, "later"}
    for name, alerts in told.items():
        (alert,) = alerts
        (matched,) = alert["matched"]
        began = later_ms if name == "later" else at_ms
        assert milliseconds(matched["occurred_at"]) == began
        assert milliseconds(alert["occurred_at"]) == began + 1000 * SILENCE_S
        assert alert["source"]["topic"] == "timer"
