"""The log: one line an event, JSON off a terminal, librdkafka's routed in, rate-limited, and nobody's data in it."""
import json
import re
import time

import pytest

from harness import clients
from harness.artefacts import TOP
from harness.orders import START_MS, App, rfc3339
from harness.process import wait_until

CUSTOMER = "+49-170-5550199"
PAYLOAD = "ladybird-payload"
LEVELS = {"debug", "info", "warning", "error"}


@pytest.fixture
def talkative(app, kafka, tmp_path, instances):
    """An application whose every complaint would have a customer or a payload to name, with everything logged."""
    made = App(app, kafka, None, tmp_path / app,
               kafka={"bootstrap.servers": kafka.bootstrap, "session.timeout.ms": 6000, "heartbeat.interval.ms": 1000,
                      "debug": "broker,topic,cgrp,eos"},
               log={"level": "debug"}, limits={"record_bytes": "4KiB"},
               sources={"pings": {"topic": f"{app}.pings", "format": "json", "schema": "ping.avsc", "kind": "ping",
                                  "time": "event.at"},
                        "erasures": {"topic": f"{app}.erasures", "format": "json", "kind": "erase",
                                     "schema": str(TOP / "schemas" / "erasure.avsc"), "time": "event.requested_at"}},
               features={"pings": {"count": "ping"}, "who": {"last": "event.customer_id", "on": "ping"}},
               # fails with the customer's own text in its message
               rules={"broken": {"when": "who != null && {'a': true}[who]", "emit": "alert"}},
               outputs={"alert": {"topic": f"{app}.alerts", "format": "json"}})
    made.sources = [made.pings, f"{app}.erasures"]
    made.create_topics(partitions=1)
    instances.append(made.instance().start())
    return made, instances[0]


def ping(**fields):
    return json.dumps({"customer_id": CUSTOMER, "at": rfc3339(START_MS), **fields}).encode()


def lines(daemon):
    return [json.loads(line) for line in daemon.output().splitlines()]


def test_nobodys_id_and_no_payload_is_in_the_log_whatever_goes_wrong(talkative, kafka):
    one, daemon = talkative
    key = CUSTOMER.encode()
    clients.produce(kafka, one.pings, [
        (key, ping()), (key, PAYLOAD.encode()), (key, ping(at=PAYLOAD)), (key, None),
        (key, ping(customer_id=PAYLOAD * 1000)),  # its record is too large
        (key, ping(at="2999-01-01T00:00:00Z"))])
    clients.produce(kafka, one.sources[1], [(key, json.dumps({
        "request_id": PAYLOAD, "customer_id": CUSTOMER, "requested_at": rfc3339(START_MS), "reason": None}).encode())])
    one.wait_idle([daemon])
    wait_until(lambda: daemon.said("a rule could not be evaluated, and did not fire"), 10, "the rule's failure is told")
    assert daemon.stop() == 0

    text = daemon.output()
    assert clients.read_all(kafka, one.dead_letters)
    assert "no such key" in text
    for hidden in (CUSTOMER, "5550199", PAYLOAD):
        assert hidden not in text, [line for line in text.splitlines() if hidden in line][:3]


def test_every_line_is_an_event_with_time_level_and_message_and_librdkafkas_are_among_them(talkative):
    _, daemon = talkative
    wait_until(lambda: daemon.said("task ready"), 30, "it runs")
    assert daemon.stop() == 0

    for entry in lines(daemon):
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", entry["ts"])
        assert entry["level"] in LEVELS and entry["msg"]
    routed = [entry for entry in lines(daemon) if entry["msg"].startswith("kafka: ")]
    assert routed and all(entry["client"] and entry["facility"] for entry in routed)


def test_what_repeats_is_counted_instead_of_written(talkative, kafka):
    one, daemon = talkative
    said = "a rule could not be evaluated, and did not fire"

    sender = clients.Sender(kafka)
    for _ in range(100):  # a failure at a time, more of them than one place may write in its time
        sender.send(one.pings, [(CUSTOMER.encode(), ping())])
        time.sleep(0.1)
    one.wait_idle([daemon])
    assert daemon.stop() == 0

    entries = daemon.said(said)
    counted = [entry for entry in entries if "repeated" in entry]
    assert counted and sum(entry["repeated"] for entry in counted) >= 5
    assert len(entries) - len(counted) <= 10 * (1 + len(counted))
