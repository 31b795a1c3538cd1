"""Bad records: each is in the dead letters once, with its reason; the stream goes on. An absent registry is no bad record."""
import json
import random
import struct
import time

import pytest

from harness import clients, ringfold
from harness.orders import ORDER, START_MS, App, rfc3339
from harness.process import wait_until

GOOD_AT = START_MS
YEAR_292278994 = 2**63 - 1
MIB = 1 << 20


def varint(number):
    """Avro's long."""
    zigzag = (number << 1) ^ (number >> 63)
    zigzag &= (1 << 64) - 1
    out = bytearray()
    while zigzag > 0x7F:
        out.append(zigzag & 0x7F | 0x80)
        zigzag >>= 7
    out.append(zigzag)
    return bytes(out)


def avro_text(data):
    return varint(len(data)) + data


def order(customer=b"C1", at=GOOD_AT, number=1, amount=1.0, note=b""):
    """The body of an order as its schema says."""
    return avro_text(customer) + varint(at) + varint(number) + struct.pack("<d", amount) + avro_text(note)


def framed(schema_id, body):
    return b"\0" + struct.pack(">I", schema_id) + body


def ping(**fields):
    return json.dumps({"customer_id": "C1", "at": rfc3339(GOOD_AT), **fields}).encode()


# An order whose writer also wrote a chain that refers to itself: to be skipped, however deep it is.
CHAINED = json.loads(ORDER)
CHAINED["fields"].append({"name": "chain", "type": {
    "type": "record", "name": "Link", "fields": [{"name": "next", "type": ["null", "Link"]}]}})
CHAINED = json.dumps(CHAINED)

# name → (the topic, key, value); the value may be made from the ids of the registered schemas.
BAD = {
    "truncated_avro": ("orders", b"C1", lambda ids: framed(ids["order"], order()[:-3])),
    "garbage_avro": ("orders", b"C1", lambda ids: framed(ids["order"], b"\xff" * 40)),
    "huge_length": ("orders", b"C1", lambda ids: framed(ids["order"], varint(2**62) + b"abc")),
    "negative_length": ("orders", b"C1", lambda ids: framed(ids["order"], varint(-5) + b"abc")),
    "unknown_schema_id": ("orders", b"C1", lambda ids: framed(0x7F000001, order())),
    "wrong_magic": ("orders", b"C1", lambda ids: b"\x07" + framed(ids["order"], order())[1:]),
    "shorter_than_a_frame": ("orders", b"C1", lambda ids: b"\0\0\0"),
    "empty_value": ("orders", b"C1", lambda ids: b""),
    "nested_avro_of_two_megabytes": ("orders", b"C1", lambda ids: framed(ids["chained"], order() + b"\x02" * (2 * MIB))),
    "invalid_utf8_in_avro": ("orders", b"C1", lambda ids: framed(ids["order"], order(note=b"\xc3\x28"))),
    "year_292278994": ("orders", b"C1", lambda ids: framed(ids["order"], order(at=YEAR_292278994))),
    "far_future": ("orders", b"C1", lambda ids: framed(ids["order"], order(at=4_102_444_800_000))),
    "null_key": ("orders", None, lambda ids: framed(ids["order"], order())),
    "null_value": ("orders", b"C1", lambda ids: None),
    "truncated_json": ("pings", b"C1", lambda ids: ping()[:-4]),
    "not_json": ("pings", b"C1", lambda ids: b"\x00\x01\x02"),
    "nested_json_of_two_megabytes": ("pings", b"C1", lambda ids: b"[" * (2 * MIB)),
    "nested_json_in_an_unused_field": (
        "pings", b"C1", lambda ids: ping()[:-1] + b',"more":' + b"[" * MIB + b"]" * MIB + b"}"),
    "invalid_utf8_in_json": ("pings", b"C1", lambda ids: ping(customer_id="?").replace(b"?", b"\xc3\x28")),
    "json_of_the_wrong_type": ("pings", b"C1", lambda ids: ping(at=[1])),
    "json_without_a_field": ("pings", b"C1", lambda ids: b'{"customer_id":"C1"}'),
    "json_null_value": ("pings", b"C1", lambda ids: None),
}
# Every field is read, so that none is skipped unseen.
NOTED = {
    "features": {"orders": {"count": "order"}, "pings": {"count": "ping"},
                 "last_note": {"last": "event.note", "on": "order"}},
    "rules": {"noted": {"when": "last_note != null && last_note != ''", "emit": "alert", "because": "'noted'"}},
}
HEADERS = ["ringfold-topic", "ringfold-partition", "ringfold-offset", "ringfold-time", "ringfold-error-class",
           "ringfold-error-message"]


@pytest.fixture(scope="module")
def folded(kafka, registry, tmp_path_factory):
    """All bad records at once, each between two good ones. Gives the application and where each bad record was put."""
    app = App("bad", kafka, registry, tmp_path_factory.mktemp("bad"), **NOTED)
    kafka.create_topics(*app.sources, partitions=1, config={"max.message.bytes": str(8 * MIB)})
    ringfold.command("topics", "create", "-c", app.config, env=app.env)
    ids = {"order": registry.register("bad.orders-value", ORDER), "chained": registry.register("bad-chained-value", CHAINED)}
    places, messages = {}, {"orders": [], "pings": []}
    good = {"orders": (b"C1", framed(ids["order"], order())), "pings": (b"C1", ping())}
    for name, (source, key, make) in BAD.items():
        messages[source].append(good[source])
        places[name] = (source, len(messages[source]))
        messages[source].append((key, make(ids), {"headers": [("trace", name.encode())]}))
    for source, topic in (("orders", app.orders), ("pings", app.pings)):
        clients.produce(kafka, topic, [*messages[source], good[source]])

    daemon = app.instance().start()
    try:
        app.wait_idle([daemon])
        assert daemon.stop() == 0, daemon.tail()
    finally:
        daemon.kill()
    letters = clients.read_all(kafka, app.dead_letters)
    return app, places, letters


@pytest.mark.parametrize("name", BAD)
def test_a_bad_record_is_in_the_dead_letters_once_with_its_reason(folded, name):
    app, places, letters = folded
    source, offset = places[name]
    topic = app.orders if source == "orders" else app.pings

    found = [letter for letter in letters
             if (letter.headers.get("ringfold-topic"), letter.headers.get("ringfold-offset"))
             == (topic.encode(), str(offset).encode())]

    assert len(found) == 1
    letter = found[0]
    original = next(one for one in clients.read_all(app.kafka, topic) if one.offset == offset)
    assert letter.key == original.key
    if "ringfold-value-omitted" in letter.headers:  # larger than the topic of the dead letters allows
        assert int(letter.headers["ringfold-value-omitted"]) == len(original.value) > MIB // 2
    else:
        assert letter.value == original.value
    assert all(letter.headers.get(header) for header in HEADERS), letter.headers
    assert letter.headers["ringfold-partition"] == b"0"
    print(letter.headers["ringfold-error-class"].decode(), "|", letter.headers["ringfold-error-message"].decode())


def test_a_dead_letter_keeps_the_headers_of_its_message(folded):
    _, places, letters = folded

    assert sorted(letter.headers.get("trace", b"").decode() for letter in letters) == sorted(places)


def test_good_records_between_bad_ones_are_folded(folded):
    app, places, letters = folded
    orders = 1 + sum(source == "orders" for source, _ in places.values())
    pings = 1 + sum(source == "pings" for source, _ in places.values())

    features = app.customers()

    assert len(letters) == len(BAD)
    assert features.keys() == {"C1"}
    assert (features["C1"]["orders"], features["C1"]["pings"]) == (orders, pings)


def test_an_alert_larger_than_its_topic_allows_is_quarantined(app, kafka, registry, tmp_path, instances):
    """Every transaction with such an alert fails: its event becomes a dead letter, once, and the stream goes on."""
    orders = App(app, kafka, registry, tmp_path, **NOTED)
    kafka.create_topics(*orders.sources, partitions=1, config={"max.message.bytes": str(4 * MIB)})
    ringfold.command("topics", "create", "-c", orders.config, env=orders.env)
    kafka.configure_topic(orders.alerts, {"max.message.bytes": 20_000})
    schema_id = registry.register(f"{orders.orders}-value", ORDER)
    notes = [b"small", random.Random(1).randbytes(50_000).hex().encode(), b"small again"]  # compression cannot save it
    clients.produce(kafka, orders.orders, [
        (f"C{number}".encode(), framed(schema_id, order(b"", GOOD_AT + number, number, 1.0, note)))
        for number, note in enumerate(notes)])

    instances.append(orders.instance().start())
    orders.wait_idle(instances)

    letters = clients.read_all(kafka, orders.dead_letters)
    assert [letter.headers["ringfold-offset"] for letter in letters] == [b"1"]
    assert [alert.key for alert in clients.read_all(kafka, orders.alerts)] == [b"C0", b"C2"]


NOISE = random.Random(7).randbytes(MIB).hex().encode()  # compression cannot save it
# name → (the source topic's limit, the producer's, the dead letters', key, header, value, what is left out of the letter)
TOO_LARGE = {
    "key_and_header_at_the_defaults": (None, None, None, 590_000, 430_000, 10, ["value", "headers"]),
    "key_and_header_of_a_larger_topic": (4 * MIB, None, None, 950_000, 400_000, 10, ["value", "headers", "key"]),
    "header_alone": (4 * MIB, None, None, 2, 950_000, 10, ["value", "headers"]),
    "the_producer_takes_less": (None, 200_000, None, 2, 10, 400_000, ["value"]),
    "the_topic_takes_less": (None, None, 100_000, 2, 10, 400_000, ["value"]),
}


@pytest.mark.parametrize("name", TOO_LARGE)
def test_a_dead_letter_that_is_too_large_goes_with_less_of_it(app, kafka, tmp_path, instances, name):
    source, producer, letters_limit, key, header, value, omitted = TOO_LARGE[name]
    pings = pings_alone(app, kafka, tmp_path, producer, {} if source is None else {"max.message.bytes": str(source)})
    if letters_limit is not None:
        kafka.configure_topic(pings.dead_letters, {"max.message.bytes": letters_limit})
    clients.produce(kafka, pings.pings, [
        (b"C1", ping()), (NOISE[:key], b"!" + NOISE[:value], {"headers": [("trace", NOISE[:header])]}), (b"C1", ping())])

    instances.append(pings.instance().start())
    pings.wait_idle(instances)

    (letter,) = clients.read_all(kafka, pings.dead_letters)
    assert letter.headers["ringfold-offset"] == b"1"
    assert [part for part in ("value", "headers", "key") if f"ringfold-{part}-omitted" in letter.headers] == omitted
    assert letter.headers["ringfold-value-omitted"] == str(value + 1).encode()
    assert (letter.key == NOISE[:key], letter.value) == ("key" not in omitted, None)
    assert (letter.headers.get("trace") == NOISE[:header]) == ("headers" not in omitted)
    assert pings.customers()["C1"]["pings"] == 2


def test_the_dead_letters_topic_may_take_less_from_now_on(app, kafka, tmp_path, instances):
    """What the instance knew when it began is no longer so."""
    pings = pings_alone(app, kafka, tmp_path)
    instances.append(pings.instance().start())
    clients.produce(kafka, pings.pings, [(b"C1", ping())])
    pings.wait_idle(instances)
    kafka.configure_topic(pings.dead_letters, {"max.message.bytes": 60_000})

    clients.produce(kafka, pings.pings, [(b"C1", b"!" + NOISE[:400_000]), (b"C1", ping())])
    pings.wait_idle(instances)

    (letter,) = clients.read_all(kafka, pings.dead_letters)
    assert letter.headers["ringfold-value-omitted"] == b"400001"
    assert pings.customers()["C1"]["pings"] == 2


def pings_alone(app, kafka, directory, producer=None, config=None):
    pings = App(app, kafka, None, directory,
                kafka={"bootstrap.servers": kafka.bootstrap, "session.timeout.ms": 6000,
                       **({} if producer is None else {"message.max.bytes": producer})},
                sources={"pings": {"topic": f"{app}.pings", "format": "json", "schema": "ping.avsc", "kind": "ping",
                                   "time": "event.at"}},
                features={"pings": {"count": "ping"}},
                rules={"often": {"when": "pings > 100", "emit": "alert"}},
                outputs={"alert": {"topic": f"{app}.alerts", "format": "json"}})
    pings.sources = [pings.pings]
    kafka.create_topics(pings.pings, partitions=1, config=config)
    ringfold.command("topics", "create", "-c", pings.config, env=pings.env)
    return pings


@pytest.fixture
def faked(app, kafka, fake_registry, tmp_path, instances):
    """An application on the fake registry, with nothing in its cache. start(schema_ids) produces an order for each."""
    orders = App(app, kafka, fake_registry, tmp_path / app)
    orders.create_topics(partitions=1)
    fake_registry.put(1, ORDER, f"{orders.orders}-value")

    def start(*schema_ids):
        instances.append(orders.instance().start())
        clients.produce(kafka, orders.orders, [
            (b"C1", framed(schema_id, order(number=number))) for number, schema_id in enumerate(schema_ids)])
        return instances[-1]

    orders.start = start
    return orders


def fetches(registry, schema_id):
    return sum(count for path, count in registry.requests.items() if path.startswith(f"/schemas/ids/{schema_id}"))


def assert_pauses_and_resumes(orders, registry, daemon, recover):
    """While the registry fails nothing is folded and nothing is dead; when it recovers, everything is folded."""
    time.sleep(4)
    daemon.assert_running()
    assert orders.kafka.committed_offsets(orders.name, orders.orders).get(0, 0) == 0

    recover()
    orders.wait_idle([daemon])

    assert clients.read_all(orders.kafka, orders.dead_letters) == []
    assert orders.customers()["C1"]["orders"] == 3


def test_a_registry_that_is_down_is_waited_for(faked, fake_registry):
    daemon = faked.start()
    wait_until(lambda: faked.kafka.groups().count(faked.name), 60, "the group is there")
    fake_registry.down()
    clients.produce(faked.kafka, faked.orders, [(b"C1", framed(1, order(number=number))) for number in range(3)])

    assert_pauses_and_resumes(faked, fake_registry, daemon, fake_registry.up)


@pytest.mark.parametrize("behaviour", ["broken", "hang", "garbage"])
def test_a_registry_that_answers_badly_is_waited_for(faked, fake_registry, behaviour):
    daemon = faked.start()
    wait_until(lambda: faked.kafka.groups().count(faked.name), 60, "the group is there")
    fake_registry.behaviour = behaviour
    clients.produce(faked.kafka, faked.orders, [(b"C1", framed(1, order(number=number))) for number in range(3)])

    def recover():
        fake_registry.behaviour = "answer"
        fake_registry.ending.set()

    assert_pauses_and_resumes(faked, fake_registry, daemon, recover)


def test_a_slow_registry_delays_but_loses_nothing(faked, fake_registry):
    fake_registry.behaviour, fake_registry.delay = "slow", 3.0
    daemon = faked.start(1, 1, 1)

    faked.wait_idle([daemon])

    assert clients.read_all(faked.kafka, faked.dead_letters) == []
    assert faked.customers()["C1"]["orders"] == 3


def test_a_schema_that_the_registry_does_not_have_makes_dead_letters_and_few_questions(faked, fake_registry):
    daemon = faked.start(1, *[77] * 20, 1)

    faked.wait_idle([daemon])

    letters = clients.read_all(faked.kafka, faked.dead_letters)
    assert [letter.headers["ringfold-offset"] for letter in letters] == [str(n).encode() for n in range(1, 21)]
    assert faked.customers()["C1"]["orders"] == 2
    assert fetches(fake_registry, 77) <= 3


def test_a_known_schema_survives_a_restart_without_the_registry(faked, fake_registry):
    daemon = faked.start(1, 1)
    faked.wait_idle([daemon])
    assert daemon.stop() == 0
    fake_registry.down()

    clients.produce(faked.kafka, faked.orders, [(b"C1", framed(1, order(number=3)))])
    daemon.start()
    faked.wait_idle([daemon])

    fake_registry.up()
    assert faked.customers()["C1"]["orders"] == 3
