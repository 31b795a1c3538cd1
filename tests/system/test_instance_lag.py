"""What a running instance says of its own lag: in records what Kafka's tool says, in seconds what the clock says."""
import json
import time
import urllib.request

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition

from harness import clients, ringfold
from harness.orders import START_MS, App, rfc3339
from harness.process import free_ports, wait_until

GROUPS = "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand"
SETTLE_SECONDS = 20


def ping(number=0):
    return json.dumps({"customer_id": "C1", "at": rfc3339(START_MS + 1000 * number)}).encode()


class Watched:
    """An application with one source, and what its instance answers."""

    def __init__(self, app, kafka, directory, config=None, partitions=3, **settings):
        self.app = App(app, kafka, None, directory,
                       sources={"pings": {"topic": f"{app}.pings", "format": "json", "schema": "ping.avsc",
                                          "kind": "ping", "time": "event.at"}},
                       features={"pings": {"count": "ping"}},
                       rules={"often": {"when": "pings >= 100000", "emit": "alert"}},
                       outputs={"alert": {"topic": f"{app}.alerts", "format": "json"}}, **settings)
        self.app.sources = [self.app.pings]
        self.kafka = kafka
        kafka.create_topics(self.app.pings, partitions=partitions, config=config)
        ringfold.command("topics", "create", "-c", self.app.config, env=self.app.env)
        (self.port,) = free_ports(1)

    def instance(self, *arguments, env=None):
        return self.app.instance(env={"HTTP_LISTEN": f"127.0.0.1:{self.port}", **(env or {})}, arguments=arguments)

    def get(self, path):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=10) as answer:
            return json.load(answer)

    def lag(self):
        return {row["partition"]: row for row in self.get("/lag")["partitions"]}

    def try_lag(self):
        try:
            return self.lag()
        except OSError:
            return {}

    def wait_lag(self, records):
        """Until every partition's lag is known and this; then what is said."""
        def there():
            found = self.try_lag()
            return found if {p: row["lag_records"] for p, row in found.items()} == records else None

        return wait_until(there, SETTLE_SECONDS, lambda: f"lag {records}, not {self.try_lag()}")

    def kafka_says(self):
        """partition → LAG as kafka-consumer-groups prints it."""
        lines = self.kafka.tool(GROUPS, "--describe", "--group", self.app.name).splitlines()
        rows = [line.split() for line in lines if line.startswith(self.app.name)]
        return {int(row[2]): int(row[5]) for row in rows if row[1] == self.app.pings and row[5] != "-"}

    def produce(self, count, partition=0, key=b"C1", **options):
        clients.produce(self.kafka, self.app.pings, [(key, ping(number), {"partition": partition, **options})
                                                     for number in range(count)])


@pytest.fixture
def watched(app, kafka, tmp_path):
    return Watched(app, kafka, tmp_path / app)


@pytest.fixture
def slow(app, kafka, tmp_path):
    """What it reads it folds at once and commits much later."""
    return Watched(app, kafka, tmp_path / app, commit={"interval": "60s"})


def at(seconds_ago):
    return int(1000 * (time.time() - seconds_ago))


def age_is(row, sent_ms, slack=0.1):
    """lag_seconds is now - that timestamp, and says that it is exact."""
    passed = time.time() - sent_ms / 1000
    assert row["lag_seconds_exact"], row
    assert passed - 1.5 <= row["lag_seconds"] <= passed + slack, (row, passed)


def test_at_rest_and_after_load_records_are_what_kafkas_tool_says(watched, instances):
    instances.append(watched.instance().start())
    for partition in range(3):
        watched.produce(500 * (partition + 1), partition)
    watched.app.wait_idle(instances)

    def at_rest():
        """What is told of all records; the ends are asked for once a second."""
        found = watched.try_lag()
        return found if {p: row["log_end"] for p, row in found.items()} == {0: 500, 1: 1000, 2: 1500} and all(
            (row["lag_records"], row["status"]) == (0, "ok") for row in found.values()) else None

    found = wait_until(at_rest, SETTLE_SECONDS, lambda: f"rest, not {watched.try_lag()}")

    assert watched.kafka_says() == {0: 0, 1: 0, 2: 0}
    for row in found.values():
        assert (row["lag_seconds"], row["lag_seconds_exact"]) == (0, True)
        assert row["committed"] == row["position"] == row["log_end"]


def test_what_is_folded_and_not_committed_is_lag_of_the_oldest_records_age(slow, instances):
    instances.append(slow.instance().start())
    sent = at(100)
    slow.produce(1, 0, timestamp=sent)
    slow.produce(5, 0, timestamp=at(40))
    slow.produce(2, 1, timestamp=at(-3600))  # a clock that is ahead makes no negative lag

    found = slow.wait_lag({0: 6, 1: 2, 2: 0})

    age_is(found[0], sent)
    assert rfc3339(sent) in (found[0]["oldest_time"], found[0]["oldest_time"][:-1] + "000Z")
    assert (found[1]["lag_seconds"], found[1]["lag_seconds_exact"]) == (0, True)
    assert (found[2]["lag_seconds"], found[2]["lag_seconds_exact"]) == (0, True)
    assert instances[0].stop() == 0  # commits


def test_nothing_is_negative_while_it_works(app, kafka, tmp_path, instances):
    watched = Watched(app, kafka, tmp_path / app, commit={"interval": "500ms"})  # lag is there to be seen
    instances.append(watched.instance().start())
    watched.wait_lag({0: 0, 1: 0, 2: 0})
    seen = []
    for batch in range(20):
        watched.produce(1000, batch % 3)
        seen += watched.lag().values()
        time.sleep(0.1)
    watched.app.wait_idle(instances)
    watched.wait_lag({0: 0, 1: 0, 2: 0})

    assert all(row["lag_records"] >= 0 and row["lag_seconds"] >= 0 for row in seen), seen
    assert any(row["lag_records"] > 0 for row in seen)
    assert max(row["lag_seconds"] for row in seen) < 30  # the records are of now
    assert watched.kafka_says() == {0: 0, 1: 0, 2: 0}


def test_an_open_transaction_is_lag_and_an_aborted_one_is_none(watched, instances):
    instances.append(watched.instance().start())
    watched.produce(3)
    watched.app.wait_idle(instances)
    producer = Producer({"bootstrap.servers": watched.kafka.bootstrap, "transactional.id": f"{watched.app.name}-other"})
    producer.init_transactions(30)
    producer.begin_transaction()
    sent = at(60)
    for _ in range(4):
        producer.produce(watched.app.pings, ping(), b"C1", partition=0, timestamp=sent)
    producer.flush(30)

    watched.wait_lag({0: 4, 1: 0, 2: 0})
    wait_until(lambda: watched.lag()[0]["lag_seconds_exact"], SETTLE_SECONDS, "the record's time was looked up")
    age_is(watched.lag()[0], sent)
    assert watched.kafka_says()[0] == 4
    wait_until(lambda: watched.lag()[0]["stable_end"] == 3, SETTLE_SECONDS, "the transaction is seen to be open")
    producer.abort_transaction(30)
    watched.wait_lag({0: 0, 1: 0, 2: 0})
    assert watched.lag()[0]["lag_seconds"] == 0

    watched.produce(1)  # and what comes behind it is read
    watched.app.wait_idle(instances)
    watched.wait_lag({0: 0, 1: 0, 2: 0})
    assert watched.kafka_says()[0] == 0


def test_a_committed_transaction_leaves_no_mark_as_lag(watched, instances):
    instances.append(watched.instance().start())
    producer = Producer({"bootstrap.servers": watched.kafka.bootstrap, "transactional.id": f"{watched.app.name}-other"})
    producer.init_transactions(30)
    for _ in range(3):
        producer.begin_transaction()
        producer.produce(watched.app.pings, ping(), b"C1", partition=1)
        producer.commit_transaction(30)

    wait_until(lambda: watched.try_lag().get(1, {}).get("log_end") == 6, SETTLE_SECONDS, "three records, three marks")
    found = watched.wait_lag({0: 0, 1: 0, 2: 0})

    assert found[1]["lag_seconds"] == 0


def test_what_retention_took_before_it_was_read_is_no_lag(slow, instances):
    instances.append(slow.instance().start())
    slow.produce(3)
    slow.wait_lag({0: 3, 1: 0, 2: 0})
    assert instances[0].stop() == 0
    slow.produce(10, timestamp=at(50))
    sent = at(20)
    slow.produce(5, timestamp=sent)
    slow.kafka.admin.delete_records([TopicPartition(slow.app.pings, 0, 13)])[
        TopicPartition(slow.app.pings, 0, 13)].result(30)
    instances[0] = slow.instance("--accept-gap").start()

    found = slow.wait_lag({0: 5, 1: 0, 2: 0})
    wait_until(lambda: slow.lag()[0]["position"] == 18, SETTLE_SECONDS, "the five are folded")

    assert (found[0]["log_start"], found[0]["log_end"], found[0]["committed"]) == (13, 18, 3)
    age_is(slow.lag()[0], sent)


def test_what_retention_took_after_it_was_committed_changes_nothing(watched, instances):
    instances.append(watched.instance().start())
    watched.produce(8)
    watched.app.wait_idle(instances)
    watched.kafka.admin.delete_records([TopicPartition(watched.app.pings, 0, 8)])[
        TopicPartition(watched.app.pings, 0, 8)].result(30)

    wait_until(lambda: watched.lag()[0]["log_start"] == 8, SETTLE_SECONDS, "the log begins at its end")
    found = watched.wait_lag({0: 0, 1: 0, 2: 0})

    assert found[0]["lag_seconds"] == 0
    assert watched.kafka_says()[0] == 0


def test_after_compaction_records_are_offsets_and_seconds_are_of_what_is_left(app, kafka, tmp_path, instances):
    compacted = Watched(app, kafka, tmp_path / app, commit={"interval": "60s"},
                        config={"cleanup.policy": "compact", "segment.ms": "300", "min.cleanable.dirty.ratio": "0.001",
                                "max.compaction.lag.ms": "500"})
    instances.append(compacted.instance().start())
    compacted.produce(2)
    compacted.wait_lag({0: 2, 1: 0, 2: 0})
    assert instances[0].stop() == 0
    compacted.produce(50, timestamp=at(90))
    sent = at(30)
    compacted.produce(1, key=b"C2", timestamp=sent)  # the first one that stays

    def is_compacted():
        time.sleep(0.5)
        compacted.produce(1)  # closes the segment before
        consumer = Consumer({"bootstrap.servers": kafka.bootstrap, "group.id": f"{app}-reader",
                             "enable.auto.commit": False})
        consumer.assign([TopicPartition(compacted.app.pings, 0, 2)])
        message = consumer.poll(10)
        consumer.close()
        return message is not None and message.error() is None and message.offset() == 52

    wait_until(is_compacted, 60, "the old records are compacted away", every=0.5)
    end = kafka.end_offsets(compacted.app.pings)[0]
    instances[0] = compacted.instance().start()

    found = compacted.wait_lag({0: end - 2, 1: 0, 2: 0})

    assert compacted.kafka_says()[0] == end - 2
    wait_until(lambda: compacted.lag()[0]["position"] == end, SETTLE_SECONDS, "all is folded")
    assert found[0]["committed"] == 2
    age_is(compacted.lag()[0], sent)


def test_an_idle_topic_has_no_lag_for_however_long(watched, instances):
    instances.append(watched.instance().start())
    watched.wait_lag({0: 0, 1: 0, 2: 0})

    for _ in range(6):
        time.sleep(0.5)
        for row in watched.lag().values():
            assert (row["lag_records"], row["lag_seconds"], row["lag_seconds_exact"]) == (0, 0, True)


class Stranger:
    """Somebody else's transactions in one partition."""

    def __init__(self, watched, name):
        self.producer = Producer({"bootstrap.servers": watched.kafka.bootstrap,
                                  "transactional.id": f"{watched.app.name}-{name}"})
        self.producer.init_transactions(30)

    def begin(self, topic, partition, count=1):
        self.producer.begin_transaction()
        for _ in range(count):
            self.producer.produce(topic, ping(), b"C1", partition=partition)
        self.producer.flush(30)

    def end(self):
        self.producer.commit_transaction(30)


# Half a minute is what a status is made of, so this test takes as long.
def test_each_status_is_given_for_what_is_the_matter(app, kafka, tmp_path, instances):
    watched = Watched(app, kafka, tmp_path / app, partitions=6, workers=2, idle="none")
    stuck, stands, pulls = Stranger(watched, "stuck"), Stranger(watched, "stands"), Stranger(watched, "pulls")
    ahead = Stranger(watched, "ahead")
    stuck.begin(f"{app}-changelog", 2)  # what would be restored is never seen to be all
    instances.append(watched.instance(env={"RINGFOLD_FAILPOINT": "before_fold:sleep=120000:1"}).start())
    one = instances[0]
    wait_until(lambda: watched.try_lag().get(2, {}).get("status") == "restoring" and len(watched.lag()) == 6, 60, one.tail)
    workers = {task["partition"]: task["worker"] for task in watched.get("/tasks")["tasks"]}
    assert workers[0] == workers[1] == workers[2] != workers[3] == workers[4] == workers[5]

    watched.produce(1, 3)  # the first that is folded: that worker does not come round any more
    wait_until(lambda: "failpoint before_fold" in one.output(), 30, one.tail)
    stands.begin(watched.app.pings, 0)  # nothing behind it is read
    sizes = iter(range(10, 100000, 10))
    ahead.begin(watched.app.pings, 1, next(sizes))

    def statuses():
        """Partition 1 goes on, and there is always more to come than there was."""
        nonlocal ahead, pulls
        pulls.begin(watched.app.pings, 1, next(sizes))
        ahead.end()
        ahead, pulls = pulls, ahead
        return {partition: row["status"] for partition, row in watched.lag().items()}

    expected = {0: "stalled", 1: "lagging", 2: "restoring", 3: "stopped", 4: "stopped", 5: "stopped"}
    wait_until(lambda: statuses() == expected, 90, lambda: f"{expected}, not {statuses()}", every=0.3)

    for other in (stuck, stands, ahead):
        other.end()
    wait_until(lambda: all(watched.lag()[partition]["status"] == "ok" for partition in (0, 1, 2)), 60,
               lambda: f"all is well again where a worker works: {watched.lag()}")
