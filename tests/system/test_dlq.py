"""`ringfold dlq`: what cannot be folded is listed, shown, put back exactly once, discarded."""
import collections
import json
import random
import signal

import pytest

from harness import clients, ringfold
from harness.orders import START_MS, App, rfc3339
from harness.process import Process, wait_until

SECRET = "+49 170 5550123"
# (key, value, headers): none of them can be folded
BAD = [
    (b"C1", b"{\"half\": ", [("trace", b"t-1"), ("trace", b"t-2"), ("empty", None)]),
    (b"C2", json.dumps({"customer_id": SECRET}).encode(), []),
    (b"C3", None, [("trace", b"t-3")]),
    (b"C4", b"", []),
    (b"C5", b"\x00\xff\xfe\x01binary", [("bytes", b"\xff\x00")]),
    (None, json.dumps({"customer_id": "C6", "at": rfc3339(START_MS)}).encode(), []),
    # its sender knows what ringfold's headers are called
    (b"C7", b"forged", [("ringfold-handled", b"0"), ("ringfold-topic", b"elsewhere"), ("ringfold-partition", b"0"),
                        ("ringfold-offset", b"0"), ("ringfold-value-omitted", b"3")]),
]
GOOD = json.dumps({"customer_id": "C1", "at": rfc3339(START_MS)}).encode()


@pytest.fixture
def letters(app, kafka, tmp_path, instances):
    """An application whose dead letters are those of BAD; its instance has ended."""
    made = App(app, kafka, None, tmp_path / app,
               sources={"pings": {"topic": f"{app}.pings", "format": "json", "schema": "ping.avsc", "kind": "ping",
                                  "time": "event.at"}},
               features={"pings": {"count": "ping"}}, rules={"often": {"when": "pings >= 100", "emit": "alert"}},
               outputs={"alert": {"topic": f"{app}.alerts", "format": "json"}})
    made.sources = [made.pings]
    made.create_topics(partitions=2)
    clients.produce(kafka, made.pings, [(b"C1", GOOD, {"partition": 1})])
    clients.produce(kafka, made.pings, [(key, value, {"headers": headers, "partition": 1})
                                        for key, value, headers in BAD])
    instances.append(made.instance().start())
    made.wait_idle(instances)
    assert instances[0].stop() == 0, instances[0].tail()
    return made


def dlq(one, action, *arguments, status=0, env=None):
    return ringfold.command("dlq", action, "-c", one.config, *arguments, env={**one.env, **(env or {})}, status=status)


def listed(one, *arguments):
    return ringfold.rows(dlq(one, "list", "--json", *arguments).stdout)


def source(one):
    """(key, value, headers, partition) of every committed message of the source, and how many there are of each."""
    found = clients.read_all(one.kafka, one.pings)
    return collections.Counter((m.key, m.value, m.partition) for m in found), found


def test_a_topic_that_takes_little_at_once_takes_many_one_by_one(letters, kafka):
    many = 300
    noise = [b"!" + random.Random(n).randbytes(900) for n in range(many)]  # compression cannot save it
    clients.produce(kafka, letters.pings, [(f"M{n}".encode(), noise[n], {"partition": 0}) for n in range(many)])
    daemon = letters.instance().start()
    letters.wait_idle([daemon])
    assert daemon.stop() == 0
    kafka.configure_topic(letters.pings, {"max.message.bytes": 100_000})

    done = dlq(letters, "retry", "--all")

    assert f"{many + len(BAD)} dead letters put back" in done.stderr
    again, _ = source(letters)
    assert all(again[(f"M{n}".encode(), noise[n], 0)] == 2 for n in range(many))



def raw_headers(one):
    """The headers of the source's committed messages as they are, doubles included."""
    from confluent_kafka import Consumer, TopicPartition
    consumer = Consumer({"bootstrap.servers": one.kafka.bootstrap, "group.id": "x", "auto.offset.reset": "earliest"})
    consumer.assign([TopicPartition(one.pings, 1, 0)])
    found = []
    while len(found) < 1 + 2 * len(BAD):
        message = consumer.poll(10)
        assert message is not None and message.error() is None
        found.append(message.headers() or [])
    consumer.close()
    return found


def test_list_says_why_and_where_from_and_nothing_of_the_payload(letters):
    rows = listed(letters)

    assert [row["from"]["offset"] for row in rows] == list(range(1, 1 + len(BAD)))
    assert all(row["from"]["topic"] == letters.pings and row["from"]["partition"] == 1 for row in rows)
    assert all(row["reason"] and row["class"] and row["since"] and row["handled"] is None for row in rows)
    text = dlq(letters, "list").stdout + json.dumps(rows)
    for hidden in (SECRET, "half", "binary", "C2", "t-1"):
        assert hidden not in text
    one_class = rows[0]["class"]
    assert {row["class"] for row in listed(letters, "--class", one_class)} == {one_class}
    assert len(listed(letters, "-n", "2")) == 2
    assert len(listed(letters, "--since", "1h")) == len(BAD) and listed(letters, "--topic", "pings") == rows
    assert listed(letters, "--topic", "nothing") == [] == listed(letters, "--since", "2999-01-01T00:00:00Z")


def test_show_has_key_value_and_the_senders_headers(letters):
    rows = listed(letters)

    shown = ringfold.rows(dlq(letters, "show", "--json", *[row["id"] for row in rows]).stdout)

    for row, (key, value, headers) in zip(shown, BAD):
        assert row["key"] == (None if key is None else key.decode())
        if value is not None and b"\xff" in value:
            assert bytes.fromhex(row["value_hex"]) == value
        else:
            assert row["value"] == (None if value is None else value.decode())
        assert [header["name"] for header in row["headers"]] == [name for name, _ in headers]
    assert "there is no dead letter 0:999" in dlq(letters, "show", "0:999", status=1).stderr


def test_retry_puts_each_message_back_once_as_it_was(letters):
    assert dlq(letters, "retry", status=2).stderr  # which?
    assert len(ringfold.rows(dlq(letters, "retry", "--all", "--dry-run", "--json").stdout)) == len(BAD)
    assert sum(source(letters)[0].values()) == 1 + len(BAD)

    done = dlq(letters, "retry", "--all")
    again = dlq(letters, "retry", "--all")

    assert f"{len(BAD)} dead letters put back, 0 skipped" in done.stderr
    assert "0 dead letters put back" in again.stderr
    assert source(letters)[0] == collections.Counter(
        {(b"C1", GOOD, 1): 1, **{(key, value, 1): 2 for key, value, _ in BAD}})
    headers = raw_headers(letters)
    assert headers[1 + len(BAD):] == headers[1:1 + len(BAD)] == [sent for _, _, sent in BAD]
    assert listed(letters) == [] and {row["handled"] for row in listed(letters, "--handled")} == {"retried"}


def test_what_was_put_back_and_fails_again_is_a_new_dead_letter(letters, instances):
    dlq(letters, "retry", "--all")

    instances[0].start()
    letters.wait_idle(instances)

    again = listed(letters)
    assert [row["from"]["offset"] for row in again] == list(range(1 + len(BAD), 1 + 2 * len(BAD)))
    assert len(listed(letters, "--handled")) == 2 * len(BAD)


def test_one_by_one_and_discarded_ones_stay_where_they_are(letters):
    ids = [row["id"] for row in listed(letters)]

    dlq(letters, "retry", ids[0])
    dlq(letters, "discard", ids[1], ids[2])
    refused = dlq(letters, "retry", ids[0], ids[1], status=1)

    assert "was retried already" in refused.stderr and "was discarded already" in refused.stderr
    counts, _ = source(letters)
    assert [counts[key, value, 1] for key, value, _ in BAD[:3]] == [2, 1, 1]
    assert [row["id"] for row in listed(letters)] == ids[3:]
    handled = {row["id"]: row["handled"] for row in listed(letters, "--handled")}
    assert [handled[one] for one in ids[:4]] == ["retried", "discarded", "discarded", None]


POINTS = ["letters_after_init", "letters_after_message:kill:2", "letters_after_mark:kill:3", "letters_before_commit",
          "letters_after_commit"]


@pytest.mark.parametrize("point", POINTS)
def test_killed_at_any_step_and_started_again_it_puts_back_once(letters, point):
    action = point if ":" in point else f"{point}:kill"
    killed = dlq(letters, "retry", "--all", env={"RINGFOLD_FAILPOINT": action}, status=None)
    assert killed.returncode == -signal.SIGKILL, killed.stderr

    dlq(letters, "retry", "--all")

    counts, _ = source(letters)
    assert {counts[key, value, 1] for key, value, _ in BAD} == {2}
    assert listed(letters) == []


def test_one_that_was_overtaken_while_it_stood_still_puts_nothing_back(letters, tmp_path):
    slow = Process([ringfold.binary(), "dlq", "retry", "--all", "-c", letters.config], tmp_path / "slow.log",
                   env={**letters.env, "RINGFOLD_FAILPOINT": "letters_before_commit:stop"})
    slow.start()
    wait_until(lambda: "T" in open(f"/proc/{slow.pid}/stat", encoding="utf-8").read().rsplit(")", 1)[1].split()[0],
               30, "it stands still")

    dlq(letters, "retry", "--all")
    slow.resume()
    wait_until(lambda: not slow.running, 60, "the slow one ends")

    assert slow.status == 1 and "another process" in slow.output()
    counts, _ = source(letters)
    assert {counts[key, value, 1] for key, value, _ in BAD} == {2}


def test_a_message_whose_timestamp_is_its_time_keeps_it(app, kafka, tmp_path, instances):
    made = App(app, kafka, None, tmp_path / app,
               sources={"pings": {"topic": f"{app}.pings", "format": "json", "schema": "ping.avsc", "kind": "ping"}},
               features={"pings": {"count": "ping"}}, rules={"often": {"when": "pings >= 100", "emit": "alert"}},
               outputs={"alert": {"topic": f"{app}.alerts", "format": "json"}})
    made.sources = [made.pings]
    made.create_topics(partitions=1)
    clients.produce(kafka, made.pings, [(b"C1", b"bad", {"timestamp": START_MS + 7})])
    instances.append(made.instance().start())
    made.wait_idle(instances)

    dlq(made, "retry", "--all")

    assert [message.timestamp for message in clients.read_all(kafka, made.pings)] == [START_MS + 7] * 2


def test_a_source_that_is_no_longer_there_gets_nothing_back(letters):
    text = letters.config.read_text(encoding="utf-8")
    letters.config.write_text(text.replace(letters.pings, f"{letters.name}.other"), encoding="utf-8")

    done = dlq(letters, "retry", "--all")

    assert f"its topic {letters.pings} is of no source" in done.stderr
    assert f"0 dead letters put back, {len(BAD)} skipped" in done.stderr
