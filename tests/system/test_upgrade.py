"""Features and rules are added, removed, redefined and taken back on a running state. In the end the state and all that
was told are what fresh runs make of the same input: of the whole of it what stayed, of what came since the change what
is new or redefined."""
import json
import random

import pytest

from harness import again, clients, ringfold
from harness.orders import START_MS, rfc3339
from harness.process import wait_until
from test_reload import READ_AGAIN, reload
from test_silence import milliseconds

PARTITIONS = 3
ORDERS = 900      # in each of the three parts
STILL = ["S0", "S1", "S2", "S3"]  # nothing comes of them in the second part
HOUR_MS = 3600 * 1000
PATIENCE_DAYS = 5
SCHEMA = json.dumps({"type": "record", "name": "Order", "fields": [
    {"name": "customer_id", "type": "string"},
    {"name": "at", "type": {"type": "long", "logicalType": "timestamp-millis"}},
    {"name": "what", "type": "string"},
    {"name": "shop", "type": "string"},
    {"name": "amount", "type": "double"}]})

KEPT = {
    "orders": {"count": "order"},
    "orders_20d": {"count": "order", "window": "20d"},
    "total": {"sum": "event.amount", "on": "order"},
    "mean_20d": {"mean": "event.amount", "on": "order", "window": "20d"},
    "most": {"max": "event.amount", "on": "order"},
    "median": {"quantile": "event.amount", "on": "order", "q": 0.5},
    "first_shop": {"first": "event.shop", "on": "order"},
    "last_order": {"last": "event.time", "on": "order"},
    "shops": {"count_distinct": "event.shop", "on": "order"},
    "rate": {"decay": "event.amount", "on": "order", "half_life": "7d"},
    "usual": {"top": "event.shop", "on": "order"},
    "spread": {"entropy": "event.shop", "on": "order"},
    "by_shop": {"count_by": "event.shop", "on": "order"},
    "rising": {"trend": "order", "window": "20d"},
    "rhythm": {"interval": "order"},
    "returns": {"open": 'event.what == "open"', "close": 'event.what == "close"', "by": "event.shop", "on": "order"},
    "reopened": {"cases": "returns", "stat": "reopened"},
    "share": {"expr": "orders > 0 ? double(shops) / double(orders) : 0.0"},
}
# Each in two definitions, of which a change makes the other.
REDEFINED = {
    "large": ({"count": "order", "where": "event.amount > 500.0"}, {"count": "order", "where": "event.amount > 400.0"}),
    "lately": ({"sum": "event.amount", "on": "order", "window": "20d"},
               {"sum": "event.amount", "on": "order", "window": "30d"}),
    "number": ({"sum": "event.amount", "on": "order"}, {"max": "event.amount", "on": "order"}),
    "fresh": ({"decay": "order", "half_life": "7d"}, {"decay": "order", "half_life": "9d"}),
    "gap": ({"interval": "order", "stat": "max"}, {"interval": "order", "stat": "min"}),
    "above": ({"count": "order", "where": "event.amount > 10.0 * double(large)"},) * 2,  # by what it reads
    "twice": ({"expr": "large * 2"},) * 2,
}
# As kept: read off the same state.
MOVED = {"share_of": ({"quantile": "event.amount", "on": "order", "q": 0.5},
                      {"quantile": "event.amount", "on": "order", "q": 0.9})}
# What there is before anything has come, where that is not null.
AT_FIRST = {"large": 0, "lately": 0.0, "fresh": 0.0, "above": 0, "twice": 0, "later": 0, "moves": 0}

KEPT_RULES = {
    "every-third": {"when": "orders % 3 == 0", "emit": "alert"},
    "cooled": {"when": "total > 2000.0", "emit": "alert", "cooldown": "4d"},
    "quiet": {"when": 'last_order != null && now - last_order > duration("40h") && !customer.id.startsWith("S")',
              "emit": "alert"},
    "waiting": {"when": "returns.size() >= 2", "clear_when": "returns.size() == 0", "emit": "alert"},
    "left-alone": {"pattern": [{"kind": "order", "where": 'event.what == "open"'},
                               {"not": "order", "where": 'event.what == "close"', "for": "3d"}], "emit": "alert"},
}


def changed_pattern(amount):
    return {"pattern": [{"kind": "order", "where": f'event.what == "open" && event.amount > {amount}'},
                        {"kind": "order", "where": 'event.what == "close"'}], "within": "20d", "emit": "alert"}


def features(which, *more):
    """The redefined ones in their definition `which`; what is kept stands elsewhere in the file each time."""
    names = list(KEPT)
    if which:
        names = [name for name in names if name != "orders_20d"]
        names.insert(5, "orders_20d")
    made = {"moves": {"count": "order", "where": "first_shop != null && event.shop != first_shop"}} if "moves" in more else {}
    found = {name: KEPT[name] for name in names}
    found.update({name: definitions[which] for name, definitions in {**REDEFINED, **MOVED}.items()})
    found.update({name: {"count": "order"} for name in more if name != "moves"})
    return {**found, **made}


def going_on(open_cases, total):
    """Whose definition changes while alerts are open, and cooldowns run."""
    return {"moody": {"when": f"returns.size() >= {open_cases}", "clear_when": "returns.size() <= 1", "emit": "alert"},
            "patient": {"when": f"total > {total}", "emit": "alert", "cooldown": f"{PATIENCE_DAYS}d"}}


PLANS = [
    {"features": features(0, "left"),
     "rules": {**KEPT_RULES, **going_on(2, 1000.0), "many": {"when": "orders % 4 == 0", "emit": "alert"},
               "steps": changed_pattern(100.0), "gone": {"when": "left % 5 == 0", "emit": "alert"}}},
    {"features": features(1, "later", "moves"),
     "rules": {"new": {"when": "orders % 2 == 0 && total > 1000.0", "emit": "alert"},
               "steps": changed_pattern(200.0), **KEPT_RULES, "many": {"when": "large % 4 == 1", "emit": "alert"},
               **going_on(3, 1500.0)}},
    {"features": features(0, "left", "later", "moves"),  # as before, what left is back
     "rules": {**KEPT_RULES, "new": {"when": "orders % 2 == 0 && total > 1000.0", "emit": "alert"},
               "steps": changed_pattern(100.0), "many": {"when": "large % 4 == 1", "emit": "alert"},
               **going_on(2, 1600.0)}},
]


class Upgraded:
    """An application whose plan changes, and what it told."""

    def __init__(self, name, kafka, directory):
        self.name, self.kafka, self.directory = name, kafka, directory
        self.orders, self.alerts = f"{name}.orders", f"{name}.alerts"
        self.env = {"STATE_DIR": str(directory / "state-a"), "INSTANCE": "a", "HTTP_LISTEN": "off"}
        self.rng, self.number, self.sender = random.Random(7), 0, clients.Sender(kafka)
        directory.mkdir(parents=True, exist_ok=True)
        (directory / "order.avsc").write_text(SCHEMA, encoding="utf-8")
        self.config = self.configure(0)
        kafka.create_topics(self.orders, partitions=PARTITIONS)
        ringfold.command("topics", "create", "-c", self.config, env=self.env)

    def configure(self, number, file="ringfold.yaml"):
        return ringfold.write_config(self.directory / file, {
            "app": self.name,
            "kafka": {"bootstrap.servers": self.kafka.bootstrap, "session.timeout.ms": 6000,
                      "heartbeat.interval.ms": 1000},
            "state": {"dir": "${STATE_DIR}", "memory": "64MiB", "flush_interval": "300ms"},
            "instance": "${INSTANCE}", "http": {"listen": "${HTTP_LISTEN}"}, "idle": "none",
            "sources": {"orders": {"topic": self.orders, "format": "json", "schema": "order.avsc", "kind": "order",
                                   "customer": "event.customer_id", "time": "event.at"}},
            "outputs": {"alert": {"topic": self.alerts, "format": "json"}}, **PLANS[number]})

    def send(self, customer, hours, options=None, **fields):
        event = {"customer_id": customer, "at": rfc3339(START_MS + hours * HOUR_MS), "what": "order", "shop": "a",
                 "amount": 1.0, **fields}
        self.sender.send(self.orders, [(customer.encode(), json.dumps(event).encode(), options or {})])

    def produce(self, still):
        """A part of the orders, half an hour apart, some of them some hours late."""
        rng = self.rng
        for _ in range(ORDERS):
            self.number += 1
            who = rng.choice(STILL) if still and rng.random() < 0.1 else f"C{rng.randrange(30):02d}"
            self.send(who, self.number / 2 - rng.choice([0, 0, 0, rng.randrange(12)]), shop=rng.choice("abcd"),
                      amount=float(rng.randrange(1000)),
                      what="order" if who in STILL else rng.choice(["order", "order", "open", "close"]))

    def now(self, hours=0):
        return rfc3339(START_MS + (self.number / 2 + hours) * HOUR_MS)

    def end(self):
        """Ten days later, when nothing is left to wait for. Returns when that is."""
        for partition in range(PARTITIONS):
            self.send(f"end-{partition}", self.number / 2 + 240, {"partition": partition})
        return self.now(240)

    def wait_folded(self, instances):
        ringfold.wait_idle(self.kafka, self.name, [self.orders], instances)
        return self.kafka.end_offsets(self.orders)

    def instance(self):
        return ringfold.Instance(self.config, self.directory, {}, "a")


class Fresh:
    """What fresh runs of a plan make of the input, or of a part of it."""

    def __init__(self, one, until):
        self.one, self.until, self.count = one, until, 0
        self.partitions = again.lines(one.kafka, one.orders)

    def of(self, plan, begin=None, end=None):
        """From and up to these offsets of the partitions."""
        self.count += 1
        name = f"fresh-{self.count}"
        rows = {partition: [(offset, line) for offset, line in lines
                            if (begin or {}).get(partition, 0) <= offset < (end or {}).get(partition, offset + 1)]
                for partition, lines in self.partitions.items()}
        config = self.one.configure(plan, f"{name}.yaml")
        return again.fold(config, self.one.env, self.one.directory / name, self.one.orders, rows, self.until)


@pytest.fixture
def upgraded(app, kafka, tmp_path):
    return Upgraded(app, kafka, tmp_path / app)


def change(one, instances, plan, how):
    one.configure(plan)
    if how == "reload":
        reload(instances[0], READ_AGAIN, len(instances[0].said(READ_AGAIN)) + 1)
    else:
        instances[0].kill()
        instances[0].start()


def of_rule(events, rule, *without):
    """What a rule told, but for what names the plan as a whole, and for `without`."""
    return [{name: value for name, value in event.items() if name not in ("plan_version", *without)}
            for event in events if event["rule"] == rule]


def of_rules(events, rules):
    return [event for event in events if event["rule"] in rules]


def is_since(event, begin):
    return event["source"]["offset"] >= begin[event["source"]["partition"]]


def assert_rules(told, fresh, first, second):
    """`first` and `second`: the offsets from which on the second plan held, and the third."""
    whole = fresh.of(2).events
    for rule in KEPT_RULES:
        expected = of_rule(whole, rule)
        assert len(expected) > 20, rule
        again.assert_same(of_rule(told, rule), expected, f"{rule}, which stayed")
    assert any(event["status"] == "CLEARED" for event in of_rule(told, "waiting"))

    parts = [fresh.of(0, end=first).events, fresh.of(1, first, second).events,
             [event for event in fresh.of(2, second).events if event["customer"] not in STILL]
             + [event for event in whole if event["customer"] in STILL and is_since(event, second)]]
    again.assert_same(of_rule(told, "gone"), of_rule(parts[0], "gone"), "gone")
    numbered = ("episode", "episode_id", "rule_version")
    again.assert_same(of_rule(told, "new", *numbered),
                      [event for event in of_rule(whole, "new", *numbered) if is_since(event, first)], "new")
    for rule in ("steps", "many"):
        assert all(of_rule(part, rule) for part in parts)
        again.assert_same(of_rule(told, rule, *numbered), of_rule(sum(parts, []), rule, *numbered),
                          f"{rule}, which is another one each time")
        for customer in {event["customer"] for event in of_rule(told, rule)}:
            episodes = [event["episode"] for event in of_rule(told, rule) if event["customer"] == customer]
            assert sorted(episodes) == list(range(1, len(episodes) + 1)), f"{rule} counts on"


def by_customer(told, rule):
    """In the order in which it was told: that of the topic, where a customer is in one partition."""
    found = {}
    for event in of_rule(told, rule):
        found.setdefault(event["customer"], []).append(event)
    return found.values()


def assert_alerts_go_on(told):
    """What is open when its rule becomes another is the same alert after that, and who is to be left alone still is."""
    versions = set()
    for events in by_customer(told, "moody"):
        assert [event["status"] for event in events] == (["RAISED", "CLEARED"] * len(events))[:len(events)]
        for raised, cleared in zip(events[::2], events[1::2]):
            assert raised["episode_id"] == cleared["episode_id"] and raised["episode"] == cleared["episode"]
            versions.add((raised["rule_version"], cleared["rule_version"]))
    assert len({raised for raised, _ in versions}) == 2
    assert any(raised != cleared for raised, cleared in versions), "none was open when its rule changed"

    versions = set()
    for events in by_customer(told, "patient"):
        for before, after in zip(events, events[1:]):
            waited = milliseconds(after["occurred_at"]) - milliseconds(before["occurred_at"])
            assert waited >= PATIENCE_DAYS * 24 * HOUR_MS, (before, after)
            versions.add((before["rule_version"], after["rule_version"]))
    assert any(before != after for before, after in versions), "nobody was told about before and after a change"


def expected_features(name, whole, since, added, before, is_back):
    """Of a customer, by what a fresh run of the whole knows, one since the last change, one since `later` and `moves` were
    added, and one of what was before that. `is_back`: the last change but one has not touched this customer."""
    expected = {feature: whole[feature] for feature in [*KEPT, *MOVED]}
    expected.update({feature: (whole if is_back else since).get(feature, AT_FIRST.get(feature))
                     for feature in [*REDEFINED, *(["left"] if "left" in whole else [])]})
    expected["later"] = added.get("later", 0)
    expected["moves"] = whole["moves"] - before.get("moves", 0)  # it reads what was known before it came
    return expected


def assert_features(one, fresh, plan, last, first):
    """`last` and `first`: the offsets of the last change, and of that which added features."""
    whole, since, added, before = (made.customers for made in (
        fresh.of(plan), fresh.of(plan, last), fresh.of(plan, first), fresh.of(plan, end=first)))
    done = ringfold.command("customer", "-c", one.config, "--all", "--at", fresh.until, "--json", env=one.env)
    found = again.known(done.stdout)
    assert found.keys() == whole.keys() and set(STILL) < found.keys()
    for name, known in found.items():
        expected = expected_features(name, *(made.get(name, {}).get("features", {})
                                             for made in (whole, since, added, before)),
                                     plan == 2 and name in STILL)
        assert known["features"] == expected, f"{name} under plan {plan}"
        for rule in KEPT_RULES:
            assert known["rules"].get(rule) == whole[name]["rules"].get(rule), f"{rule} of {name}"


def foretold(one, now, then):
    """What `plan` says becomes of the features."""
    old, new = one.configure(now, "old.yaml"), one.configure(then, "new.yaml")
    done = ringfold.command("plan", "-c", new, "--against", old, "--json", env=one.env)
    return {row["name"]: row["change"] for row in json.loads(done.stdout)["features"]}


def test_plan_foretells_what_becomes_of_the_features(upgraded):
    one = upgraded
    stays, begins = dict.fromkeys([*KEPT, *MOVED], "keep"), dict.fromkeys(REDEFINED, "redefined")
    assert foretold(one, 0, 1) == {**stays, **begins, "left": "drop", "later": "new", "moves": "new"}
    assert foretold(one, 1, 2) == {**stays, **begins, "left": "new", "later": "keep", "moves": "keep"}


@pytest.mark.parametrize("hows", [("reload", "restart"), ("restart", "reload")], ids="-".join)
def test_a_state_that_was_upgraded_is_that_of_fresh_runs(upgraded, kafka, instances, hows):
    one = upgraded
    instances.append(one.instance().start())
    one.produce(still=True)
    first = one.wait_folded(instances)
    change(one, instances, 1, hows[0])
    one.produce(still=False)
    second = one.wait_folded(instances)
    assert_features(one, Fresh(one, one.now()), 1, first, first)

    change(one, instances, 2, hows[1])
    one.produce(still=True)
    fresh = Fresh(one, one.end())
    one.wait_folded(instances)
    count = len(of_rules(fresh.of(2).events, KEPT_RULES))
    wait_until(lambda: len(of_rules(again.told(kafka, one.alerts), KEPT_RULES)) >= count, 60,
               lambda: f"{count} alerts of the rules that stayed\n{instances[0].tail()}", every=0.3)
    assert instances[0].stop() == 0, instances[0].tail()

    told = again.told(kafka, one.alerts)
    assert len({event["id"] for event in told}) == len(told)
    assert_features(one, fresh, 2, second, first)
    assert_rules(told, fresh, first, second)
    assert_alerts_go_on(told)
