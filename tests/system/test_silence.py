"""Silence is an event: with no traffic at all an absence fires within two seconds of its time, exactly once, whatever is
killed when."""
import datetime
import json
import time

import pytest

from harness import clients, ringfold
from harness.orders import PING, rfc3339
from harness.process import wait_until

ALERT_SECONDS_MAX = 2.0
CUSTOMERS = [f"C{number:02d}" for number in range(12)]


class Silent:
    """An application whose only rule waits for nothing to happen."""

    def __init__(self, name, kafka, directory, silence_s, /, partitions=2, **settings):
        self.name, self.kafka, self.silence_s = name, kafka, silence_s
        self.pings, self.alerts = f"{name}.pings", f"{name}.alerts"
        directory.mkdir(parents=True, exist_ok=True)
        (directory / "ping.avsc").write_text(PING, encoding="utf-8")
        self.env = {"STATE_DIR": str(directory / "state"), "INSTANCE": "a", "HTTP_LISTEN": "off"}
        self.directory = directory
        self.settings = {
            "app": name,
            "kafka": {"bootstrap.servers": kafka.bootstrap, "session.timeout.ms": 6000,
                      "heartbeat.interval.ms": 1000},
            "state": {"dir": "${STATE_DIR}", "memory": "64MiB", "flush_interval": "300ms"},
            "instance": "${INSTANCE}",
            "http": {"listen": "${HTTP_LISTEN}"},
            "sources": {"pings": {"topic": self.pings, "format": "json", "schema": "ping.avsc", "kind": "ping",
                                  "time": "event.at"}},
            "features": {"last_ping": {"last": "event.time", "on": "ping"}},
            "rules": {"quiet": {
                "when": f'last_ping != null && now - last_ping > duration("{silence_s}s")', "emit": "alert"}},
            "outputs": {"alert": {"topic": self.alerts, "format": "json"}},
        }
        self.configure(**settings)
        kafka.create_topics(self.pings, partitions=partitions)
        ringfold.command("topics", "create", "-c", self.config, env=self.env)

    def configure(self, **settings):
        """Writes the file, with these instead of what it said, now and later."""
        self.settings.update(settings)
        self.config = ringfold.write_config(self.directory / "ringfold.yaml", self.settings)

    def instance(self, env=None):
        return ringfold.Instance(self.config, self.directory, env or {}, "a", ())

    def ping(self, customers=CUSTOMERS, at_ms=None):
        """When they were, in milliseconds."""
        at_ms = at_ms or int(time.time() * 1000)
        clients.produce(self.kafka, self.pings, [
            (name.encode(), json.dumps({"customer_id": name, "at": rfc3339(at_ms)}).encode()) for name in customers])
        return at_ms

    def wait_folded(self, instances):
        ringfold.wait_idle(self.kafka, self.name, [self.pings], instances)

    def due_ms(self, at_ms):
        return at_ms + self.silence_s * 1000 + 1

    def told(self):
        """customer → alerts, as a read_committed consumer sees them now."""
        found = {}
        for message in clients.read_all(self.kafka, self.alerts, json.loads):
            found.setdefault(message.value["customer"], []).append(message.value)
        return found

    def wait_told(self, at_ms, customers=CUSTOMERS, seconds=60):
        """Until all have an alert. Returns how long after its time the last was seen."""
        wait_until(lambda: self.told().keys() >= set(customers), seconds, "alerts are there", every=0.1)
        return time.time() - self.due_ms(at_ms) / 1000

    def assert_once(self, at_ms, customers=CUSTOMERS):
        told = self.told()
        assert told.keys() == set(customers)
        for name, alerts in told.items():
            assert len(alerts) == 1, f"{name}: {alerts}"
            assert alerts[0]["source"]["topic"] == "timer"
            assert milliseconds(alerts[0]["occurred_at"]) == self.due_ms(at_ms), name


def milliseconds(text):
    return round(datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp() * 1000)


@pytest.fixture
def silent(app, kafka, tmp_path):
    return lambda silence_s, **settings: Silent(app, kafka, tmp_path / app, silence_s, **settings)


def test_an_absence_is_noticed_within_two_seconds_with_no_traffic_at_all(silent, instances):
    one = silent(6)
    instances.append(one.instance().start())

    at_ms = one.ping()
    late_s = one.wait_told(at_ms)
    time.sleep(3)

    assert late_s < ALERT_SECONDS_MAX, f"{late_s:.2f} s late"
    print(f"told {late_s:.2f} s after its time")
    one.assert_once(at_ms)
    done = ringfold.command("customer", "-c", one.config, "--explain", "--json", *CUSTOMERS, env=one.env)
    for row in ringfold.rows(done.stdout):  # the clock of its partition has gone on: to that it is explained
        assert milliseconds(row["explain"]["now"]) >= one.due_ms(at_ms), row


def test_an_absence_is_noticed_in_time_though_the_process_was_killed_meanwhile(silent, instances):
    one = silent(12)
    instances.append(one.instance().start())
    at_ms = one.ping()
    one.wait_folded(instances)

    instances[0].kill()
    instances[0].start()
    late_s = one.wait_told(at_ms)
    time.sleep(2)

    assert late_s < ALERT_SECONDS_MAX, f"{late_s:.2f} s late"
    print(f"told {late_s:.2f} s after its time")
    one.assert_once(at_ms)


@pytest.mark.parametrize("failpoint", ["after_produce_outbox", "before_send_offsets", "before_commit", "after_commit"])
def test_who_dies_while_a_timer_fires_has_told_it_once_in_the_end(silent, instances, failpoint):
    one = silent(5)
    instances.append(one.instance().start())
    at_ms = one.ping()
    one.wait_folded(instances)
    assert instances[0].stop() == 0

    armed = one.instance({"RINGFOLD_FAILPOINT": f"{failpoint}:kill:1"})
    instances.append(armed.start())
    armed.child.wait(60)
    assert armed.status not in (None, 0), "it was to die as the timer fires"
    instances.append(one.instance().start())
    one.wait_told(at_ms)
    time.sleep(3)

    one.assert_once(at_ms)


def test_where_silence_is_not_to_be_noticed_only_events_move_time(silent, instances):
    one = silent(3, partitions=1, idle="none")
    instances.append(one.instance().start())
    at_ms = one.ping(["C00"])
    one.wait_folded(instances)
    time.sleep(6)
    assert one.told() == {}

    one.ping(["C01"], at_ms + 10_000)
    one.wait_told(at_ms, ["C00"])

    one.assert_once(at_ms, ["C00"])
