"""`ringfold erase`: the customer is forgotten everywhere that is ringfold's, to the last byte."""
import json
import pathlib
import signal

import pytest
import yaml

from harness import clients, ringfold
from harness.artefacts import TOP
from harness.orders import START_MS, App, rfc3339
from harness.process import Process, wait_until

FORGOTTEN = "CUSTOMER-TO-FORGET-7731"
ERASURE = TOP / "schemas" / "erasure.avsc"
# What a changelog has so that a test need not wait for hours. A tombstone goes at the pass after the one that met it.
AT_ONCE = {"segment.ms": "1000", "min.cleanable.dirty.ratio": "0.001", "delete.retention.ms": "0",
           "max.compaction.lag.ms": "1000", "min.compaction.lag.ms": "0"}


def ping(customer, number=0):
    return json.dumps({"customer_id": customer, "at": rfc3339(START_MS + 1000 * number)}).encode()


def make_app(app, kafka, directory, registry=None, **erasures):
    one = App(app, kafka, registry, directory / app,
              sources={"pings": {"topic": f"{app}.pings", "format": "json", "schema": "ping.avsc", "kind": "ping",
                                 "time": "event.at"},
                       **({"erasures": {"topic": f"{app}.erasures", "kind": "erase", **erasures}} if erasures else {})},
              features={"pings": {"count": "ping"}, "last": {"last": "event.customer_id", "on": "ping"}},
              rules={"often": {"when": "pings >= 1000", "emit": "alert"}},
              outputs={"alert": {"topic": f"{app}.alerts", "format": "json"}})
    one.sources = [f"{app}.pings"] + ([f"{app}.erasures"] if erasures else [])
    return one


JSON = {"format": "json", "schema": str(ERASURE), "time": "event.requested_at"}


def erase(one, *arguments, status=0, env=None):
    return ringfold.command("erase", "-c", one.config, *arguments, env={**one.env, **(env or {})}, status=status)


def files_with(folder, text):
    """Files below the folder that hold the text, in whatever file."""
    return sorted(str(path) for path in pathlib.Path(folder).rglob("*")
                  if path.is_file() and text.encode() in path.read_bytes())


def produce(one, customers, **options):
    clients.produce(one.kafka, one.pings, [(customer.encode(), ping(customer, number), options)
                                           for number, customer in enumerate(customers)])


def test_no_byte_of_a_customer_is_left_in_the_store_nor_in_the_compacted_changelog(app, kafka, tmp_path, instances):
    one = make_app(app, kafka, tmp_path, **JSON)
    one.create_topics(partitions=2)
    kafka.configure_topic(one.changelog, AT_ONCE)
    log = kafka.brokers[0].directory / "log"
    instances.append(one.instance().start())
    produce(one, [FORGOTTEN] * 3 + [f"C{n}" for n in range(20)])
    one.wait_idle(instances)
    assert instances[0].stop() == 0  # the store is on disk now
    state = one.directory / "state-a"
    assert files_with(state, FORGOTTEN) and files_with_changelog(log, one)
    instances[0].start()
    one.wait_idle(instances)

    erase(one, "--wait", FORGOTTEN)

    assert set(one.customers()) == {f"C{n}" for n in range(20)}
    assert instances[0].stop() == 0
    compacted = erase(one, "--compact", env={"STATE_DIR": str(state)})
    assert compacted.stdout.count("compacted ") == 2
    assert files_with(state, FORGOTTEN) == []
    assert set(one.customers()) == {f"C{n}" for n in range(20)}

    instances[0].start()
    round_of = iter(range(1000))

    def gone():
        produce(one, [f"C{next(round_of) % 20}" for _ in range(20)])  # what is written last is never compacted
        one.wait_idle(instances)
        return not files_with_changelog(log, one)

    wait_until(gone, 90, lambda: f"the changelog is compacted; {files_with_changelog(log, one)}", every=1)
    assert not [path for path in files_with(log, FORGOTTEN) if one.tasks in path or one.dead_letters in path]
    assert instances[0].stop() == 0
    assert files_with(state, FORGOTTEN) == []
    assert not files_with(one.directory, FORGOTTEN), "a log says who it was"


def files_with_changelog(log, one):
    return [path for path in files_with(log, FORGOTTEN) if pathlib.Path(path).parent.name.startswith(one.changelog)
            and path.endswith(".log")]


def test_what_a_compacted_topic_of_alerts_says_of_a_customer_goes_too(app, kafka, tmp_path, instances):
    one = make_app(app, kafka, tmp_path, **JSON)
    text = one.config.read_text(encoding="utf-8")
    written = yaml.safe_load(text)
    written["outputs"]["alert"]["key"] = "rule"
    written["customers"] = {"emit": "alert"}
    written["rules"] = {name: {"when": "pings == 1", "clear_when": "pings > 9", "emit": "alert", "mode": mode}
                        for name, mode in (("often", "live"), ("seldom", "live"), ("tried", "shadow"))}
    ringfold.write_config(one.config, written)
    one.create_topics(partitions=2)
    instances.append(one.instance().start())
    produce(one, [FORGOTTEN, "C1"])
    one.wait_idle(instances)

    erase(one, FORGOTTEN, "--wait")
    one.wait_idle(instances)

    last = {message.key.decode(): message.value for message in clients.read_all(kafka, one.alerts, read_any)}
    # what is in shadow now may have spoken before
    assert last.keys() == {f"{who}/{rule}" for who in (FORGOTTEN, "C1") for rule in ("often", "seldom")} | {
        FORGOTTEN, f"{FORGOTTEN}/tried"}
    assert [last[f"{FORGOTTEN}/{rule}"] for rule in ("often", "seldom", "tried")] == [None, None, None]
    assert [last[f"C1/{rule}"]["status"] for rule in ("often", "seldom")] == ["RAISED", "RAISED"]
    assert last[FORGOTTEN]["status"] == "ERASED"
    tailed = ringfold.command("tail", "-c", one.config, one.alerts, "--from-beginning", "--to-end", env=one.env)
    assert FORGOTTEN in tailed.stdout


def read_any(value):
    return None if value is None else json.loads(value)


@pytest.mark.parametrize("form", ["json", "avro", "avro-object", "avro-raw"])
def test_the_event_is_made_in_the_form_of_its_source(app, kafka, registry, tmp_path, instances, form):
    one = make_app(app, kafka, tmp_path, registry, format=form, schema=str(ERASURE), time="event.requested_at",
                   customer="event.customer_id")
    one.create_topics(partitions=2)
    instances.append(one.instance().start())
    produce(one, [FORGOTTEN, "C1"])
    one.wait_idle(instances)

    erase(one, FORGOTTEN, "--wait")

    assert set(one.customers()) == {"C1"}
    assert clients.read_all(kafka, one.dead_letters) == []
    assert "erased already" in erase(one, FORGOTTEN).stdout


def test_it_goes_where_the_customer_is_whatever_partitioner_put_it_there(app, kafka, tmp_path, instances):
    one = make_app(app, kafka, tmp_path, **JSON)
    one.create_topics(partitions=4)
    for partition in range(4):
        produce(one, [f"C{partition}", "everywhere"], partition=partition)
    instances.append(one.instance().start())
    one.wait_idle(instances)

    for customer in ("C0", "C1", "C2", "C3", "everywhere"):
        erase(one, customer, "--wait")

    assert one.customers() == {}


def test_without_a_source_for_it_it_says_what_to_write(app, kafka, tmp_path):
    one = make_app(app, kafka, tmp_path)
    one.create_topics(partitions=1)

    done = erase(one, "C1", status=2)

    assert "has no source for erasures" in done.stderr and "kind: erase" in done.stderr


def test_who_is_not_known_and_what_cannot_be_filled_are_errors(app, kafka, tmp_path, instances):
    schema = json.loads(ERASURE.read_text(encoding="utf-8"))
    schema["fields"].append({"name": "ticket", "type": "long"})
    (tmp_path / "strict.avsc").write_text(json.dumps(schema), encoding="utf-8")
    one = make_app(app, kafka, tmp_path, **{**JSON, "schema": str(tmp_path / "strict.avsc")})
    one.create_topics(partitions=1)
    instances.append(one.instance().start())
    produce(one, ["C1"])
    one.wait_idle(instances)

    assert "nothing is known of this customer" in erase(one, "C2", status=1).stderr
    assert "wants a field ticket without a default" in erase(one, "C1", status=2).stderr
    assert "an instance runs with the stores" in erase(one, "--compact", status=2,
                                                       env={"STATE_DIR": str(one.directory / "state-a")}).stderr
    assert erase(one, status=2).stderr and erase(one, "C1", "--compact", status=2).stderr


def test_waiting_can_be_interrupted_and_the_event_stays(app, kafka, tmp_path, instances):
    one = make_app(app, kafka, tmp_path, **JSON)
    one.create_topics(partitions=1)
    instances.append(one.instance().start())
    produce(one, ["C1"])
    one.wait_idle(instances)
    assert instances[0].stop() == 0
    waiting = Process([ringfold.binary(), "erase", "C1", "--wait", "-c", one.config], tmp_path / "log", env=one.env).start()
    wait_until(lambda: "waiting for an instance" in waiting.output(), 30, "it says what it waits for")

    waiting.signal(signal.SIGINT)
    wait_until(lambda: not waiting.running, 10, "it ends")
    instances[0].start()

    assert waiting.status == 1 and "not erased yet" in waiting.output()
    one.wait_idle(instances)
    assert one.customers() == {}
