"""`ringfold lag`: the same lag as Kafka's own tool, seconds from the records' timestamps, without a running instance."""
import json
import time

import pytest
from confluent_kafka import Producer, TopicPartition

from harness import clients, ringfold
from harness.orders import START_MS, App, rfc3339
from harness.process import free_ports, wait_until

GROUPS = "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand"


def ping(number=0):
    return json.dumps({"customer_id": "C1", "at": rfc3339(START_MS + 1000 * number)}).encode()


@pytest.fixture
def one(app, kafka, tmp_path):
    """An application with one source of JSON."""
    made = App(app, kafka, None, tmp_path / app,
               sources={"pings": {"topic": f"{app}.pings", "format": "json", "schema": "ping.avsc", "kind": "ping",
                                  "time": "event.at"}},
               features={"pings": {"count": "ping"}}, rules={"often": {"when": "pings >= 3", "emit": "alert"}},
               outputs={"alert": {"topic": f"{app}.alerts", "format": "json"}})
    made.sources = [made.pings]
    made.create_topics(partitions=3)
    return made


def lag(one, status=0):
    done = ringfold.command("lag", "-c", one.config, "--json", env=one.env, status=status)
    return {row["partition"]: row for row in ringfold.rows(done.stdout)}


def kafka_says(one):
    """partition → LAG as kafka-consumer-groups prints it."""
    lines = one.kafka.tool(GROUPS, "--describe", "--group", one.name).splitlines()
    rows = [line.split() for line in lines if line.startswith(one.name)]
    return {int(row[2]): int(row[5]) for row in rows if row[1] == one.pings and row[5] != "-"}


def produce(one, messages, partition=0, **options):
    clients.produce(one.kafka, one.pings, [(b"C1", ping(number), {"partition": partition, **options})
                                           for number in range(messages)])


def test_lag_is_what_kafkas_own_tool_says_at_rest_and_after_load(one, instances):
    instances.append(one.instance().start())
    for partition in range(3):
        produce(one, 50 * (partition + 1), partition)
    one.wait_idle(instances)

    at_rest = lag(one)
    assert {p: row["lag"] for p, row in at_rest.items()} == kafka_says(one) == {0: 0, 1: 0, 2: 0}
    assert all(row["status"] == "ok" and row["lag_seconds"] == 0 for row in at_rest.values())
    assert {row["owner"] for row in at_rest.values()} == {"a-0"}

    assert instances[0].stop() == 0
    produce(one, 7, 0)
    produce(one, 11, 2)
    behind = lag(one)
    assert {p: row["lag"] for p, row in behind.items()} == kafka_says(one) == {0: 7, 1: 0, 2: 11}
    # a static member keeps its partitions until its session ends
    wait_until(lambda: {(row["status"], row["owner"]) for row in lag(one).values()} == {("stopped", None)}, 30,
               "nobody has the partitions")


def test_seconds_are_now_minus_the_timestamp_of_the_oldest_record_that_is_not_read(one, instances):
    instances.append(one.instance().start())
    produce(one, 3)
    one.wait_idle(instances)
    assert instances[0].stop() == 0
    sent = time.time()
    produce(one, 1, timestamp=int(1000 * (sent - 100)))
    produce(one, 5, timestamp=int(1000 * (sent - 40)))
    produce(one, 1, 1, timestamp=int(1000 * (sent + 3600)))

    found = lag(one)

    passed = time.time() - sent
    assert 100 <= found[0]["lag_seconds"] <= 100 + passed + 0.1
    assert found[1]["lag"] == 1 and found[1]["lag_seconds"] == 0  # a clock that is ahead makes no negative lag
    assert found[2]["lag"] == 0 and found[2]["lag_seconds"] == 0


def test_an_open_transaction_is_lag_and_an_aborted_one_is_no_age(one, instances):
    instances.append(one.instance().start())
    produce(one, 3)
    one.wait_idle(instances)
    assert instances[0].stop() == 0
    producer = Producer({"bootstrap.servers": one.kafka.bootstrap, "transactional.id": f"{one.name}-other"})
    producer.init_transactions(30)
    producer.begin_transaction()
    for _ in range(4):
        producer.produce(one.pings, ping(), b"C1", partition=0, timestamp=int(1000 * (time.time() - 60)))
    producer.flush(30)

    during = lag(one)[0]
    producer.abort_transaction(30)
    after = lag(one)[0]

    assert during["lag"] == 4 and 60 <= during["lag_seconds"] < 120
    assert after["lag"] == kafka_says(one)[0] == 5  # four records and a mark, which nobody will read
    assert after["lag_seconds"] == 0


def test_where_retention_moved_the_logs_begin_lag_is_what_can_still_be_read(one, instances):
    instances.append(one.instance().start())
    produce(one, 3)
    one.wait_idle(instances)
    assert instances[0].stop() == 0
    produce(one, 10, timestamp=int(1000 * (time.time() - 50)))
    produce(one, 5, timestamp=int(1000 * (time.time() - 20)))
    one.kafka.admin.delete_records([TopicPartition(one.pings, 0, 13)])[TopicPartition(one.pings, 0, 13)].result(30)

    found = lag(one)[0]

    assert (found["begin"], found["end"], found["committed"], found["lag"]) == (13, 18, 3, 5)
    assert 20 <= found["lag_seconds"] < 45


def test_before_anything_was_committed_lag_is_the_whole_log(one):
    produce(one, 4)

    found = lag(one)[0]

    assert found["committed"] is None and found["lag"] == 4


def test_stalled_is_an_owner_who_does_not_move(one, instances):
    instances.append(one.instance().start())
    produce(one, 3)
    one.wait_idle(instances)
    instances[0].pause()
    produce(one, 2, timestamp=int(1000 * (time.time() - 30)))

    found = lag(one)[0]
    instances[0].resume()
    one.wait_idle(instances)

    assert (found["lag"], found["status"], found["owner"]) == (2, "stalled", "a-0")
    assert lag(one)[0]["status"] == "ok"


def test_a_missing_topic_and_a_broker_that_is_away_say_so(one, tmp_path):
    text = one.config.read_text(encoding="utf-8")
    one.config.write_text(text.replace(one.pings, "no.such.topic"), encoding="utf-8")
    assert "there is no topic no.such.topic" in ringfold.command("lag", "-c", one.config, env=one.env, status=2).stderr
    (port,) = free_ports(1)
    one.config.write_text(text.replace(one.kafka.bootstrap, f"127.0.0.1:{port}"), encoding="utf-8")
    assert "no kafka broker answers" in ringfold.command("lag", "-c", one.config, env=one.env, status=1).stderr
