"""What comes out where there is no registry: single-object Avro, JSON, CloudEvents headers; and at least once."""
import io
import json
import time

import fastavro
import pytest

from harness import clients, ringfold
from harness.artefacts import TOP
from harness.orders import START_MS, App, rfc3339
from harness.process import wait_until
from test_silence import Silent

ALERT = json.loads((TOP / "schemas" / "churn_alert.avsc").read_text(encoding="utf-8"))
PINGS = 7


@pytest.fixture
def pinged(app, kafka, tmp_path, instances):
    """run(outputs) folds seven pings of one customer, an alert for each from the third on, and returns the messages."""
    def run(output, **settings):
        one = App(app, kafka, None, tmp_path / app,
                  sources={"pings": {"topic": f"{app}.pings", "format": "json", "schema": "ping.avsc", "kind": "ping",
                                     "time": "event.at"}},
                  features={"pings": {"count": "ping"}},
                  rules={"often": {"when": "pings >= 3", "emit": "alert", "severity": "low",
                                   "because": '"ping " + string(pings)'}},
                  outputs={"alert": {"topic": f"{app}.alerts", **output}}, **settings)
        one.sources = [one.pings]
        one.create_topics(partitions=2)
        clients.produce(kafka, one.pings, [
            (b"C1", json.dumps({"customer_id": "C1", "at": rfc3339(START_MS + 1000 * number)}).encode())
            for number in range(PINGS)])
        instances.append(one.instance().start())
        one.wait_idle(instances)
        assert instances[0].stop() == 0, instances[0].tail()
        assert one.customers() == {"C1": {"pings": PINGS}}
        return clients.read_all(kafka, one.alerts)

    return run


def test_without_a_registry_avro_is_in_single_object_encoding(pinged):
    messages = pinged({"format": "avro-object", "schema": str(TOP / "schemas" / "churn_alert.avsc")})
    schema = fastavro.parse_schema(ALERT)
    fingerprint = bytes.fromhex(fastavro.schema.fingerprint(fastavro.schema.to_parsing_canonical_form(schema),
                                                            "CRC-64-AVRO"))

    assert len(messages) == PINGS - 2
    for count, message in enumerate(messages, 3):
        assert message.value[:2] == b"\xc3\x01"
        assert message.value[2:10] == fingerprint
        alert = fastavro.schemaless_reader(io.BytesIO(message.value[10:]), schema)
        assert alert["because"] == f"ping {count}"
        assert alert["reasons"] == [{"name": "pings", "value": str(count)}]
        assert alert["severity"] == "low"


def test_json_has_every_attribute_and_cloudevents_headers(pinged, app):
    messages = pinged({"format": "json"})

    assert len(messages) == PINGS - 2
    for count, message in enumerate(messages, 3):
        alert = json.loads(message.value)
        headers = {name: value.decode() for name, value in message.headers.items()}
        assert message.key == b"C1" and alert["customer"] == "C1" and headers["ce_subject"] == "C1"
        assert (alert["app"], alert["rule"], alert["status"]) == (app, "often", "RAISED")
        assert alert["because"] == f"ping {count}"
        assert headers["ce_id"] == alert["id"]
        assert headers["ce_specversion"] == "1.0"
        assert headers["content-type"] == "application/json"
        assert alert["source"]["topic"] == f"{app}.pings"
    assert len({json.loads(message.value)["id"] for message in messages}) == len(messages)


def test_at_least_once_delivers_everything(pinged):
    messages = pinged({"format": "json"}, delivery="at_least_once")

    assert {json.loads(message.value)["because"] for message in messages} == {f"ping {n}" for n in range(3, PINGS + 1)}


def test_at_least_once_tells_before_it_remembers_that_it_told(app, kafka, tmp_path, instances):
    """Killed while the output's topic is away: the changelog has to know nothing yet of what could not be told."""
    one = Silent(app, kafka, tmp_path / app, 3600)
    one.configure(delivery="at_least_once", features={"pings": {"count": "ping"}},
                  rules={"first": {"when": "pings == 1", "emit": "alert"}})
    instances.append(one.instance({"RINGFOLD_FAILPOINT": "after_produce_outbox:sleep=1"}).start())
    one.ping(["C1"])
    one.wait_folded(instances)
    assert one.told().keys() == {"C1"}

    kafka.delete_topic(one.alerts)
    before = instances[0].output().count("after_produce_outbox")
    one.ping(["C2"])
    wait_until(lambda: instances[0].output().count("after_produce_outbox") > before, 60, instances[0].tail)
    time.sleep(2)  # time enough to write the changelog, for one that would
    instances[0].kill()
    kafka.create_topics(one.alerts, partitions=2)
    instances.append(one.instance().start())
    one.wait_folded(instances[1:])

    assert one.told().keys() == {"C2"}


def test_at_least_once_takes_nothing_for_late_that_it_has_to_fold_again(app, kafka, tmp_path, instances):
    """Killed between the two: the customers are in the changelog before the task's state knows what time they have reached."""
    one = Silent(app, kafka, tmp_path / app, 3600, partitions=1)
    one.configure(delivery="at_least_once", lateness="90s", features={"pings": {"count": "ping"}},
                  rules={"first": {"when": "pings == 1", "emit": "alert"}})
    instances.append(one.instance({"RINGFOLD_FAILPOINT": "before_state:kill:2"}).start())
    begin = one.ping(["C1"])
    one.wait_folded(instances)

    clients.produce(kafka, one.pings, [
        (name.encode(), json.dumps({"customer_id": name, "at": rfc3339(begin + after)}).encode())
        for name, after in (("C2", 60_000), ("C3", 200_000))])
    instances[0].child.wait(60)

    assert {message.key for message in clients.read_all(kafka, f"{app}-changelog")} == {b"C1", b"C2", b"C3"}
    assert [message.key for message in clients.read_all(kafka, f"{app}-tasks")].count(b"state") == 1
    instances[0] = one.instance().start()
    one.wait_folded(instances)
    done = ringfold.command("customer", "-c", one.config, "--all", "--json", env=one.env)
    assert ringfold.customers(done.stdout).keys() == {"C1", "C2", "C3"}
