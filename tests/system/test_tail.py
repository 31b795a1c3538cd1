"""`ringfold tail`: committed messages, decoded, filtered, live."""
import os
import signal
import subprocess

import pytest
from confluent_kafka import Producer

from harness import clients, ringfold
from harness.artefacts import TOP
from harness.orders import START_MS, App, rfc3339
from harness.process import Process, wait_until

ALERT_SCHEMA = str(TOP / "schemas" / "churn_alert.avsc")
SERVED = 12


@pytest.fixture(scope="module")
def served(kafka, registry, tmp_path_factory):
    """An application that has alerted: Avro orders in, alerts in Avro by the registry and in JSON, one dead letter."""
    one = App("tailed", kafka, registry, tmp_path_factory.mktemp("tailed"),
              rules={"often": {"when": "orders >= 3", "emit": "alert", "severity": "high",
                               "because": '"order " + string(orders)'},
                     "ping": {"when": "pings >= 1", "emit": "plain", "severity": "low"}},
              outputs={"alert": {"topic": "tailed.alerts", "schema": ALERT_SCHEMA},
                       "plain": {"topic": "tailed.plain", "format": "json"}})
    one.create_topics(partitions=2)
    one.produce([("order", {"customer_id": "C1", "at": START_MS + 1000 * n, "number": n, "amount": 10.0 * n, "note": ""})
                 for n in range(SERVED)])
    one.produce([("ping", {"customer_id": "C2", "at": START_MS})])
    clients.produce(kafka, one.pings, [(b"C3", b"no json")])
    daemon = one.instance().start()
    try:
        one.wait_idle([daemon])
        assert daemon.stop() == 0, daemon.tail()
    finally:
        daemon.kill()
    return one


def tail(one, *arguments, status=0):
    return ringfold.command("tail", "-c", one.config, *arguments, env=one.env, status=status)


def rows(one, *arguments):
    return ringfold.rows(tail(one, "--json", "--from-beginning", "--to-end", *arguments).stdout)


def test_alerts_are_decoded_by_the_registry_and_all_outputs_come_together(served):
    found = rows(served)

    alerts = [row for row in found if row["topic"] == "tailed.alerts"]
    assert [row["event"]["because"] for row in alerts] == [f"order {n}" for n in range(3, SERVED + 1)]
    assert all(row["key"] == row["event"]["customer"] == "C1" for row in alerts)
    assert alerts[0]["event"]["reasons"] == [{"name": "orders", "value": "3"}]
    assert [row["event"]["rule"] for row in found if row["topic"] == "tailed.plain"] == ["ping"]
    assert rows(served, "alert") == alerts == rows(served, "tailed.alerts")


def test_a_source_and_the_dead_letters_can_be_read_too(served):
    orders = rows(served, "orders")
    letters = rows(served, "dead-letters")

    assert [row["event"]["number"] for row in orders] == list(range(SERVED))
    assert orders[0]["event"]["at"] == rfc3339(START_MS)
    assert len(letters) == 1 and letters[0]["event"]["topic"] == served.pings
    assert letters[0]["event"]["value"] == "no json" and letters[0]["event"]["error_message"]


def test_the_filter_is_typed_where_the_schema_is_known_and_dynamic_elsewhere(served):
    assert [row["event"]["number"] for row in rows(served, "orders", "--where", "event.amount > 95.0")] == [10, 11]
    assert len(rows(served, "alert", "--where", 'event.because.endsWith("5") && event.severity == "high"')) == 1
    assert len(rows(served, "plain", "--where", 'event.reasons.exists(r, r.name == "pings" && r.value == 1)')) == 1

    typo = tail(served, "orders", "--where", "event.amonut > 95.0", status=2)
    kind = tail(served, "orders", "--where", "event.amount", status=2)
    absent = tail(served, "plain", "--where", "event.nothing == 1", "--from-beginning", "--to-end")

    assert "amonut" in typo.stderr and "amount" in typo.stderr.split("amonut", 1)[1]
    assert "bool" in kind.stderr
    assert absent.stdout == "" and "could not be evaluated for 1 messages" in absent.stderr


def test_n_ends_it_and_since_begins_in_the_middle(served):
    assert len(rows(served, "orders", "-n", "4")) == 4
    assert rows(served, "orders", "--since", "2999-01-01T00:00:00Z") == []
    assert len(ringfold.rows(tail(served, "orders", "--since", "2h", "--to-end", "--json").stdout)) == SERVED


def test_what_is_wrong_is_said(served):
    assert "there is no topic no.such" in tail(served, "no.such", status=2).stderr
    assert tail(served, "--since", "yesterday", status=2).stderr
    assert tail(served, "-n", "0", status=2).stderr


def test_a_message_that_is_not_what_its_topic_holds_is_shown_as_such(app, kafka, registry, tmp_path):
    one = App(app, kafka, registry, tmp_path / app)
    one.create_topics(partitions=1)
    clients.produce(kafka, one.orders, [(b"C1", b"\0\0\0\0\x01"), (b"C2", b"text"), (None, None)])

    found = rows(one, "orders")

    assert "error" in found[0] and "error" in found[1] and found[1]["value"] == "text"
    assert found[2]["event"] is None and found[2]["key"] is None


def test_live_it_shows_what_is_committed_when_it_is_and_ends_on_sigint_with_0(app, kafka, tmp_path):
    one = App(app, kafka, None, tmp_path / app,
              sources={"pings": {"topic": f"{app}.pings", "format": "json", "schema": "ping.avsc", "kind": "ping",
                                 "time": "event.at"}},
              features={"pings": {"count": "ping"}}, rules={"often": {"when": "pings >= 3", "emit": "alert"}},
              outputs={"alert": {"topic": f"{app}.alerts", "format": "json"}})
    one.sources = [one.pings]
    one.create_topics(partitions=1)
    clients.produce(kafka, one.pings, [(b"old", b'{"customer_id":"C0","at":0}')])
    out = tmp_path / "out"
    live = Process([ringfold.binary(), "tail", "pings", "-c", one.config], tmp_path / "log", env=one.env, stdout=out)
    live.start()
    # it begins at the end: what is written before it has looked is not shown, so go on until it is
    producer = Producer({"bootstrap.servers": kafka.bootstrap, "transactional.id": f"{app}-x"})
    producer.init_transactions(30)

    def transaction(key, end):
        producer.begin_transaction()
        producer.produce(one.pings, b'{"customer_id":"C1","at":5}', key)
        producer.flush(10)
        end(30)

    def first_seen():
        transaction(b"probe", producer.commit_transaction)
        return "probe" in out.read_text()

    wait_until(lambda: out.exists() and first_seen(), 30, "it is live", every=0.3)
    transaction(b"aborted", producer.abort_transaction)
    transaction(b"last", producer.commit_transaction)
    wait_until(lambda: "last" in out.read_text(), 10, "the last message")

    live.signal(signal.SIGINT)
    wait_until(lambda: not live.running, 10, "it ends")

    assert live.status == 0
    keys = [row["key"] for row in ringfold.rows(out.read_text())]
    assert "old" not in keys and "aborted" not in keys and keys[-1] == "last"


def test_a_reader_who_goes_ends_it(served):
    done = subprocess.run(f"{ringfold.binary()} tail orders -c {served.config} --from-beginning | head -n 1", shell=True,
                          env={**os.environ, **served.env}, capture_output=True, timeout=60, check=False)

    assert len(done.stdout.splitlines()) == 1


def test_on_a_terminal_an_alert_is_a_line_with_its_reasons(served):
    command = f"{ringfold.binary()} tail alert -c {served.config} --from-beginning -n 1"

    def shown(**more):
        done = subprocess.run(["script", "-qec", command, "/dev/null"], capture_output=True, text=True, timeout=60,
                              env={**os.environ, **served.env, **more}, check=False)
        return done.stdout.replace("\r\n", "\n")

    plain, colour = shown(NO_COLOR="1"), shown(NO_COLOR="")

    assert plain.splitlines() == [f"{rfc3339(START_MS + 2000)}  high     C1  often: order 3",
                                  "                          orders = 3"]
    assert "\033[31m" in colour and "\033" not in plain
