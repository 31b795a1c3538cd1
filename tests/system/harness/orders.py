"""An application for tests, and an offline reference that recomputes from the input topics what it must have done.

Orders come in Avro, pings in JSON. The features are those whose value does not depend on how the two topics are
interleaved, and the amounts are whole numbers, so that a sum is exact in any order.
"""
import collections
import dataclasses
import datetime
import json
import random

from harness import clients, ringfold

ORDER = json.dumps({
    "type": "record", "name": "Order", "namespace": "ringfold.test", "fields": [
        {"name": "customer_id", "type": "string"},
        {"name": "at", "type": {"type": "long", "logicalType": "timestamp-millis"}},
        {"name": "number", "type": "long"},
        {"name": "amount", "type": "double"},
        {"name": "note", "type": "string", "default": ""},
    ]})
PING = json.dumps({
    "type": "record", "name": "Ping", "namespace": "ringfold.test", "fields": [
        {"name": "customer_id", "type": "string"},
        {"name": "at", "type": {"type": "long", "logicalType": "timestamp-millis"}},
    ]})
START_MS = 1_750_000_000_000
EVERY = 10
LARGE = 990.0


class App:
    """Names, files and commands of one application under test. A setting that is None is left out of its file."""

    def __init__(self, name, kafka, registry, directory, /, **settings):
        self.name, self.kafka, self.registry, self.directory = name, kafka, registry, directory
        self.orders, self.pings = f"{name}.orders", f"{name}.pings"
        self.alerts, self.offers = f"{name}.alerts", f"{name}.offers"
        self.changelog, self.tasks, self.dead_letters = f"{name}-changelog", f"{name}-tasks", f"{name}-dlq"
        self.sources = [self.orders, self.pings]
        directory.mkdir(parents=True, exist_ok=True)
        (directory / "order.avsc").write_text(ORDER, encoding="utf-8")
        (directory / "ping.avsc").write_text(PING, encoding="utf-8")
        self.env = {"STATE_DIR": str(directory / "state"), "INSTANCE": "a", "HTTP_LISTEN": "off"}
        written = {name: value for name, value in {**self._settings(), **settings}.items() if value is not None}
        self.config = ringfold.write_config(directory / "ringfold.yaml", written)
        self._serialize = self._sender = None

    def _settings(self):
        return {
            "app": self.name,
            "kafka": {"bootstrap.servers": self.kafka.bootstrap, "session.timeout.ms": 6000,
                      "heartbeat.interval.ms": 1000},
            "schema_registry": {"url": self.registry.url} if self.registry is not None else None,
            "state": {"dir": "${STATE_DIR}", "memory": "64MiB", "flush_interval": "500ms"},
            "instance": "${INSTANCE}",
            "http": {"listen": "${HTTP_LISTEN}"},
            "sources": {
                "orders": {"topic": self.orders, "format": "avro", "schema": "order.avsc", "kind": "order",
                           "time": "event.at"},
                "pings": {"topic": self.pings, "format": "json", "schema": "ping.avsc", "kind": "ping",
                          "time": "event.at"},
            },
            "features": {
                "orders": {"count": "order"},
                "total": {"sum": "event.amount", "on": "order"},
                "least": {"min": "event.amount", "on": "order"},
                "most": {"max": "event.amount", "on": "order"},
                "first_number": {"first": "event.number", "on": "order"},
                "last_number": {"last": "event.number", "on": "order"},
                "days": {"count_distinct": "date(event.time)", "on": "order"},
                "pings": {"count": "ping"},
                "mean": {"expr": "orders > 0 ? total / double(orders) : 0.0"},
            },
            "rules": {
                "every-tenth": {"when": f"orders > 0 && orders % {EVERY} == 0", "emit": "alert", "severity": "high",
                                "because": 'last_number != null ? "order number " + string(last_number) : ""'},
                "large": {"when": f"most != null && most > {LARGE}", "emit": "offer", "cooldown": "3650d",
                          "offer": {"id": "thanks", "channel": "mail", "value": "total"}},
            },
            "outputs": {"alert": {"topic": self.alerts, "format": "json"},
                        "offer": {"topic": self.offers, "format": "json"}},
        }

    def create_topics(self, partitions=4):
        self.kafka.create_topics(*self.sources, partitions=partitions)
        ringfold.command("topics", "create", "-c", self.config, env=self.env)

    def instance(self, name="a", env=None, arguments=()):
        return ringfold.Instance(self.config, self.directory, {**(env or {})}, name, arguments)

    def serialize(self, order):
        if self._serialize is None:
            self._serialize = clients.avro_serializer(self.registry.url, self.orders, ORDER)
        return self._serialize(order)

    def produce(self, events):
        """Events of `generate`, each to its topic."""
        by_topic = {topic: [] for topic in self.sources}
        for kind, event in events:
            key = event["customer_id"].encode()
            if kind == "order":
                by_topic[self.orders].append((key, self.serialize(event)))
            else:
                by_topic[self.pings].append((key, json.dumps({**event, "at": rfc3339(event["at"])}).encode()))
        if self._sender is None:
            self._sender = clients.Sender(self.kafka)
        for topic, messages in by_topic.items():
            self._sender.send(topic, messages)

    def wait_idle(self, instances=(), seconds=ringfold.IDLE_SECONDS_MAX):
        ringfold.wait_idle(self.kafka, self.name, self.sources, instances, seconds)

    def customers(self):
        done = ringfold.command("customer", "-c", self.config, "--all", "--json", env=self.env)
        return ringfold.customers(done.stdout)


def rfc3339(ms):
    return datetime.datetime.fromtimestamp(ms / 1000, datetime.timezone.utc).isoformat().replace("+00:00", "Z")


def generate(seed, count, customers=200, first=0):
    """`count` events, the same for the same arguments. Times increase by a second an event; four in five are orders."""
    rng = random.Random(seed)
    for number in range(first, first + count):
        customer = f"C{int(customers * rng.random() ** 2):05d}"
        at = START_MS + 1000 * number
        if rng.random() < 0.8:
            yield "order", {"customer_id": customer, "at": at, "number": number,
                            "amount": float(int(1000 * rng.random())), "note": ""}
        else:
            yield "ping", {"customer_id": customer, "at": at}


@dataclasses.dataclass
class Expected:
    customers: dict  # customer → features
    alerts: dict     # customer → [(orders, source partition, source offset)]
    offers: dict     # customer → (total, source partition, source offset)


def reference(app):
    """What ringfold must have made of the input topics, by reading them from the beginning."""
    features = collections.defaultdict(lambda: {
        "orders": 0, "total": 0.0, "least": None, "most": None, "first_number": None, "last_number": None,
        "days": set(), "pings": 0})
    alerts, offers = collections.defaultdict(list), {}
    for message in clients.read_all(app.kafka, app.orders, clients.avro_deserializer(app.registry.url, app.orders)):
        customer, order = message.key.decode(), message.value
        known = features[customer]
        known["orders"] += 1
        known["total"] += order["amount"]
        known["least"] = min(order["amount"], known["least"] if known["least"] is not None else order["amount"])
        known["most"] = max(order["amount"], known["most"] if known["most"] is not None else order["amount"])
        known["first_number"] = order["number"] if known["first_number"] is None else known["first_number"]
        known["last_number"] = order["number"]
        known["days"].add(order["at"].astimezone(datetime.timezone.utc).date())
        if known["orders"] % EVERY == 0:
            alerts[customer].append((known["orders"], message.partition, message.offset))
        if known["most"] > LARGE and customer not in offers:
            offers[customer] = (known["total"], message.partition, message.offset)
    for message in clients.read_all(app.kafka, app.pings):
        features[message.key.decode()]["pings"] += 1
    for known in features.values():
        known["days"] = len(known["days"])
        known["mean"] = known["total"] / known["orders"] if known["orders"] else 0.0
    return Expected(dict(features), dict(alerts), offers)


def differences(found, expected, what):
    """Lines, none when the two tables are equal."""
    lines = [f"{what} {key}: missing, expected {expected[key]}" for key in sorted(expected.keys() - found.keys())]
    lines += [f"{what} {key}: not expected: {found[key]}" for key in sorted(found.keys() - expected.keys())]
    lines += [f"{what} {key}: {difference(found[key], expected[key])}"
              for key in sorted(expected.keys() & found.keys()) if found[key] != expected[key]]
    return lines


def difference(found, expected):
    """Where two lists or two tables part."""
    if isinstance(found, dict):
        keys = [key for key in {**expected, **found} if found.get(key) != expected.get(key)]
        return ", ".join(f"{key} is {found.get(key)} instead of {expected.get(key)}" for key in keys)
    index = next((i for i, (one, other) in enumerate(zip(found, expected)) if one != other),
                 min(len(found), len(expected)))
    return (f"{len(found)} instead of {len(expected)}; from the {index + 1}th on "
            f"{found[index:index + 2]} instead of {expected[index:index + 2]}")


def _derived(app, topic, amount_of):
    """customer → [(amount, source partition, source offset)] in the order of the topic, and what is wrong with it."""
    wrong, seen, last = [], set(), {}
    found = collections.defaultdict(list)
    for message in clients.read_all(app.kafka, topic, json.loads):
        value, source = message.value, message.value["source"]
        if value["id"] in seen:
            wrong.append(f"{topic}: {value['id']} of {value['customer']} twice")
        seen.add(value["id"])
        place = (message.partition, source["partition"])
        if source["offset"] < last.get(place, -1):
            wrong.append(f"{topic}-{message.partition}@{message.offset}: out of order")
        last[place] = source["offset"]
        found[value["customer"]].append((amount_of(value), source["partition"], source["offset"]))
    return dict(found), wrong


def _reason(value, name):
    return next(int(reason["value"]) for reason in value["reasons"] if reason["name"] == name)


def verify(app):
    """Everything that is wrong, as lines: customers, changelog, derived events, dead letters, open transactions."""
    expected = reference(app)
    alerts, wrong = _derived(app, app.alerts, lambda value: _reason(value, "orders"))
    wrong += differences(alerts, expected.alerts, "alerts of")
    offers, doubled = _derived(app, app.offers, lambda value: value["value"])
    wrong += doubled + differences(offers, {key: [value] for key, value in expected.offers.items()}, "offers of")
    wrong += differences(app.customers(), expected.customers, "customer")

    decode = clients.avro_deserializer(app.registry.url, app.changelog)
    table = clients.compacted(clients.read_all(app.kafka, app.changelog, decode))
    names = next(iter(expected.customers.values())).keys() if expected.customers else ()
    view = {key.decode(): {name: record[name] for name in names} for key, record in table.items()}
    wrong += differences(view, expected.customers, "changelog of")

    for message in clients.read_all(app.kafka, app.dead_letters):
        wrong.append(f"dead letter: {message.headers}")
    for topic in (app.alerts, app.offers, app.changelog, app.tasks, app.dead_letters):
        for partition, (stable, high) in app.kafka.hanging_transactions(topic).items():
            wrong.append(f"{topic}-{partition}: open transaction between {stable} and {high}")
    return wrong


def assert_exact(app):
    wrong = verify(app)
    assert not wrong, f"{len(wrong)} differences:\n" + "\n".join(wrong[:20])
