"""A configuration that changes while the daemon runs, or between two of its lives: nothing is reset, nothing is wrong."""
import json
import signal
import time

import pytest

from harness import clients, ringfold
from harness.artefacts import TOP
from harness.orders import App
from harness.process import wait_until
from test_silence import Silent

CHURN_ALERT = TOP / "schemas" / "churn_alert.avsc"
OFFER = TOP / "schemas" / "offer.avsc"
READ_AGAIN = "running with the configuration that was read again"
NOT_TAKEN = "the configuration is not taken"


@pytest.fixture
def pinged(app, kafka, tmp_path):
    one = Silent(app, kafka, tmp_path / app, 3600)
    one.configure(features={"pings": {"count": "ping"}}, rules={"many": {"when": "pings == 2", "emit": "alert"}})
    return one


def reload(instance, said, times=1):
    instance.signal(signal.SIGHUP)
    wait_until(lambda: len(instance.said(said)) >= times, 30, lambda: f"'{said}' is in the log\n{instance.tail()}")


def alerts(one):
    return [message.value for message in clients.read_all(one.kafka, one.alerts, json.loads)]


def wait_alerts(one, count):
    wait_until(lambda: len(alerts(one)) >= count, 30, lambda: f"{count} alerts; there are {alerts(one)}")
    return alerts(one)


def customer(one, name):
    done = ringfold.command("customer", "-c", one.config, name, "--json", env=one.env)
    return json.loads(done.stdout)["features"]


def ping(one, instances, count, names=("C00", "C01", "C02")):
    for _ in range(count):
        one.ping(names)
    one.wait_folded(instances)


def test_rules_change_from_one_transaction_to_the_next_and_each_alert_names_its_version(pinged, instances):
    instances.append(pinged.instance().start())
    ping(pinged, instances, 2, ["C00"])
    first = wait_alerts(pinged, 1)

    pinged.configure(rules={"many": {"when": "pings == 4", "emit": "alert"}})
    reload(instances[0], READ_AGAIN)
    ping(pinged, instances, 2, ["C00"])
    both = wait_alerts(pinged, 2)

    assert [alert["customer"] for alert in both] == ["C00", "C00"]
    assert both[0] == first[0]
    assert both[0]["rule_version"] != both[1]["rule_version"]
    assert customer(pinged, "C00")["pings"] == 4


def test_a_file_with_errors_is_told_of_and_the_old_rules_go_on(pinged, instances):
    instances.append(pinged.instance().start())
    ping(pinged, instances, 1, ["C00"])
    good = pinged.config.read_text(encoding="utf-8")

    pinged.config.write_text(good.replace("pings == 2", "pigns == 2 &&").replace("emit: alert", "emit: alarm"),
                             encoding="utf-8")
    reload(instances[0], f"{NOT_TAKEN}: it has errors; the old one goes on")
    ping(pinged, instances, 1, ["C00"])
    wait_alerts(pinged, 1)

    told = instances[0].said("the configuration has an error")
    assert len(told) >= 2 and all(one["line"] > 0 and one["column"] > 0 for one in told)
    pinged.config.write_text(good, encoding="utf-8")
    reload(instances[0], READ_AGAIN)


@pytest.mark.parametrize("setting, settings", [
    ("workers", {"workers": 2}), ("http", {"http": {"listen": "127.0.0.1:0"}}),
    ("state.dir", {"state": {"dir": "/nowhere", "memory": "64MiB"}}), ("kafka", {"kafka": {
        "bootstrap.servers": "localhost:1", "session.timeout.ms": 6000}})])
def test_what_needs_a_restart_is_named_and_not_taken(pinged, instances, setting, settings):
    instances.append(pinged.instance().start())
    ping(pinged, instances, 1, ["C00"])
    pinged.configure(**settings)

    reload(instances[0], f"{NOT_TAKEN}: this setting needs a restart; the old one goes on")
    assert instances[0].said(f"{NOT_TAKEN}: this setting needs a restart; the old one goes on")[0][
        "setting"] == setting

    clients.produce(pinged.kafka, pinged.pings, [(b"C00", json.dumps(
        {"customer_id": "C00", "at": "2026-01-01T00:00:00Z"}).encode())])
    wait_alerts(pinged, 1)


def test_a_rule_that_waits_finds_customers_who_were_silent_before_it_came(pinged, instances):
    instances.append(pinged.instance().start())
    ping(pinged, instances, 1)
    time.sleep(4)

    pinged.configure(rules={"quiet": {"when": 'now - customer.first_seen > duration("2s")', "emit": "alert"}})
    reload(instances[0], READ_AGAIN)
    found = wait_alerts(pinged, 3)
    time.sleep(2)

    assert sorted(alert["customer"] for alert in alerts(pinged)) == ["C00", "C01", "C02"]
    assert all(alert["source"]["topic"] == "timer" for alert in found)


@pytest.mark.parametrize("how", ["reload", "restart"])
def test_features_come_go_and_are_redefined_and_the_rest_is_as_if_nothing_had_happened(pinged, instances, how):
    pinged.configure(features={"pings": {"count": "ping"}, "gone": {"count": "ping"}, "other": {"count": "ping"}},
                     rules={"many": {"when": "pings == 5", "emit": "alert"},
                            "early": {"when": "gone == 3", "emit": "alert"}})
    instances.append(pinged.instance().start())
    ping(pinged, instances, 3)
    assert len(wait_alerts(pinged, 3)) == 3

    pinged.configure(features={"pings": {"count": "ping"}, "other": {"count": "ping", "window": "3650d"},
                               "new": {"first": "event.time", "on": "ping"}},
                     rules={"many": {"when": "pings == 5", "emit": "alert"},
                            "late": {"when": "other == 2", "emit": "alert"}})
    if how == "reload":
        reload(instances[0], READ_AGAIN)
    else:
        assert instances[0].stop() == 0
        instances[0].start()
    ping(pinged, instances, 3)
    wait_alerts(pinged, 9)
    assert instances[0].stop() == 0

    rules = sorted((alert["rule"], alert["customer"]) for alert in alerts(pinged))
    names = ["C00", "C01", "C02"]
    assert rules == sorted((rule, name) for rule in ("many", "early", "late") for name in names)
    for name in names:
        known = customer(pinged, name)
        assert known["pings"] == 6, "a feature that stays goes on"
        assert known["other"] == 3, "one that is redefined begins anew"
        assert known["new"] is not None
        assert "gone" not in known


def test_who_reloads_while_the_registry_hangs_can_still_be_stopped(app, kafka, fake_registry, tmp_path, instances):
    """What it said of the schemas is on disk; a question that is under way is given up."""
    one = App(app, kafka, fake_registry, tmp_path / app,
              outputs={"alert": {"topic": f"{app}.alerts", "format": "avro", "schema": str(CHURN_ALERT)},
                       "offer": {"topic": f"{app}.offers", "format": "avro", "schema": str(OFFER)}})
    one.create_topics(partitions=1)
    instances.append(one.instance().start())
    one.wait_idle(instances)
    fake_registry.behaviour = "hang"
    asked = sum(fake_registry.requests.values())

    instances[0].signal(signal.SIGHUP)
    wait_until(lambda: sum(fake_registry.requests.values()) > asked, 20, "the registry is asked")
    began = time.monotonic()
    assert instances[0].stop() == 0, instances[0].tail()

    assert time.monotonic() - began < 15, instances[0].tail()
    assert sum(fake_registry.requests.values()) == asked + 1
