"""Real data, a real broker, someone else's arithmetic: the CDNOW sample against lifetimes, customer by customer."""
import datetime
import json
import subprocess

import pytest

from harness import clients, ringfold
from harness.artefacts import HERE, TOP

CONFIG = TOP / "seeds" / "cdnow" / "ringfold.yaml"
PURCHASE = (TOP / "seeds" / "cdnow" / "purchase.avsc").read_text(encoding="utf-8")
TOPIC = "cdnow.purchases"
ALERTS, OFFERS = "cdnow.churn-alerts", "cdnow.offers"
END = "1998-06-30T00:00:00Z"  # the last day in the sample
CUSTOMERS = 2357
DAYS = ("repeat_days", "recency_days", "tenure_days")


@pytest.fixture(scope="module")
def lifetimes(lifetimes_python):
    """What lifetimes says, as rows: "purchases", "summary" and so on."""
    def ask(*what, about=""):
        done = subprocess.run([lifetimes_python, "-W", "ignore", str(HERE / "lifetimes_summary.py"), *what],
                              capture_output=True, text=True, check=True, timeout=120, input=about)
        return ringfold.rows(done.stdout)

    return ask


@pytest.fixture(scope="module")
def events(lifetimes):
    """The purchases in order of time; on one day, in the order of the file."""
    rows = sorted(lifetimes("purchases"), key=lambda row: row["day"])
    return [{"event_id": f"cdnow-{number:06d}", "customer_id": row["customer"],
             "occurred_at": f"{row['day'][:4]}-{row['day'][4:6]}-{row['day'][6:]}T00:00:00Z",
             "items": row["items"], "amount": row["amount"]} for number, row in enumerate(rows, 1)]


@pytest.fixture(scope="module")
def summary(lifetimes):
    return {row["customer"]: row for row in lifetimes("summary")}


def instant(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))


def assert_equal_for_every_customer(found, summary):
    """Days are equal; spend is equal but for the order in which its dollars were added."""
    assert len(summary) == CUSTOMERS
    assert found.keys() == summary.keys()
    different = {
        customer: (features, summary[customer]) for customer, features in found.items()
        if any(features[name] != summary[customer][name] for name in DAYS)
        or features["spend"] != pytest.approx(summary[customer]["spend"], rel=1e-12, abs=1e-12)}
    assert not different, f"{len(different)} customers differ, for example {list(different.items())[:3]}"


@pytest.fixture(scope="module")
def replayed(events, tmp_path_factory):
    """Features and alerts of `replay` over the sample as NDJSON."""
    directory = tmp_path_factory.mktemp("replay")
    purchases, alerts, table = (directory / name for name in ("purchases.ndjson", "alerts.ndjson", "customers.ndjson"))
    purchases.write_text("".join(json.dumps(event) + "\n" for event in events), encoding="utf-8")
    ringfold.command("replay", "-c", CONFIG, "--out", alerts, "--customers", table, "--until", END, purchases)
    return ringfold.customers(table.read_text(encoding="utf-8")), ringfold.rows(alerts.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def run(kafka, registry, events, tmp_path_factory):
    """The sample folded by the daemon. Gives the environment that its configuration reads."""
    directory = tmp_path_factory.mktemp("cdnow")
    env = {"KAFKA_BOOTSTRAP": kafka.bootstrap, "SCHEMA_REGISTRY_URL": registry.url,
           "STATE_DIR": str(directory / "state")}
    kafka.create_topics(TOPIC, partitions=4)
    serialize = clients.avro_serializer(registry.url, TOPIC, PURCHASE)
    clients.produce(kafka, TOPIC, (
        (event["customer_id"].encode(), serialize({**event, "occurred_at": instant(event["occurred_at"])}))
        for event in events))
    ringfold.command("topics", "create", "-c", CONFIG, env=env)

    daemon = ringfold.Instance(CONFIG, directory, env).start()
    try:
        ringfold.wait_idle(kafka, "cdnow", [TOPIC], [daemon])
        assert daemon.stop() == 0, daemon.tail()
    finally:
        daemon.kill()
    return env


def test_replay_agrees_with_lifetimes_on_every_customer(replayed, summary):
    features, _ = replayed

    assert_equal_for_every_customer(features, summary)


def test_run_agrees_with_lifetimes_on_every_customer(run, summary):
    printed = ringfold.command("customer", "-c", CONFIG, "--all", "--at", END, "--json", env=run).stdout

    assert_equal_for_every_customer(ringfold.customers(printed), summary)


def test_alerts_are_read_by_an_avro_deserializer_and_are_those_of_replay(run, kafka, registry, replayed):
    _, expected = replayed
    alerts = clients.read_all(kafka, ALERTS, clients.avro_deserializer(registry.url, ALERTS))

    assert alerts
    for alert in alerts:
        assert alert.key.decode() == alert.value["customer"]
        assert alert.value["rule"] == "back-after-silence"
        assert alert.value["severity"] == "medium" and alert.value["status"] == "RAISED"
        assert alert.value["source"]["topic"] == TOPIC
        assert [reason["name"] for reason in alert.value["reasons"]] == ["repeat_days", "gap"]
        assert alert.value["because"].startswith("a regular customer of ")
    assert len({alert.value["id"] for alert in alerts}) == len(alerts)
    moment = sorted((alert.value["customer"], alert.value["occurred_at"]) for alert in alerts)
    assert moment == sorted((row["customer"], instant(row["occurred_at"])) for row in expected
                            if row["rule"] == "back-after-silence")


def test_alerts_carry_cloudevents_headers(run, kafka):
    for message in clients.read_all(kafka, ALERTS) + clients.read_all(kafka, OFFERS):
        headers = {name: value.decode() for name, value in message.headers.items()}

        assert headers["ce_specversion"] == "1.0"
        assert headers["ce_id"] and headers["ce_source"] and headers["ce_type"] and headers["ce_time"]


def test_kcat_reads_as_many_alerts_with_the_same_keys(run, kafka):
    for topic in (ALERTS, OFFERS):
        keys = sorted(message.key.decode() for message in clients.read_all(kafka, topic))

        assert keys
        assert sorted(clients.kcat(kafka, topic, "%k")) == keys


def test_nothing_is_left_open(run, kafka):
    assert clients.read_all(kafka, "cdnow-dlq") == []
    assert kafka.open_transactions() == []
    for topic in (ALERTS, OFFERS, "cdnow-changelog"):
        assert kafka.hanging_transactions(topic) == {}
