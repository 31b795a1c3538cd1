"""Two instances, each with its HTTP endpoint: any of the two answers for any customer, and what they say of lag is true."""
import contextlib
import json
import signal
import threading
import time

import pytest
import requests

from harness import clients
from harness.orders import App, generate
from harness.process import wait_until

COUNT = 600
CUSTOMERS = 40


def url(instance):
    said = wait_until(lambda: instance.said("listening for http"), 30, "an address")
    return f"http://{said[-1]['address']}"


def get(address, path, **options):
    return requests.get(address + path, timeout=10, **options)


def ready(address):
    try:
        return get(address, "/readyz").status_code == 200
    except requests.exceptions.ConnectionError:
        return False


@pytest.fixture
def pair(app, kafka, registry, instances, tmp_path):
    """(application, instance a, instance b), everything folded and both ready."""
    orders = App(app, kafka, registry, tmp_path)
    orders.create_topics(partitions=4)
    orders.produce(generate(7, COUNT, CUSTOMERS))
    for name in ("a", "b"):
        instances.append(orders.instance(name, env={"HTTP_LISTEN": "127.0.0.1:0"}).start())
    for one in instances:
        wait_until(lambda one=one: ready(url(one)), 60, lambda one=one: f"{one.name} is ready\n{one.tail()}")
    wait_until(lambda: all(len(get(url(one), "/tasks").json()["tasks"]) == 2 for one in instances), 60,
               "two partitions each")
    orders.wait_idle(instances)
    return orders, *instances


def test_any_of_two_instances_answers_for_any_customer(pair):
    orders, a, b = pair
    known = orders.customers()
    assert len(known) > 30

    redirected = {a.name: 0, b.name: 0}
    for name, features in known.items():
        for one in (a, b):
            answer = wait_until(lambda one=one, name=name: (got := get(url(one), f"/customers/{name}")).status_code != 503
                                and got, 10, f"{one.name} says who keeps {name}")
            assert answer.status_code == 200, answer.text
            assert answer.json()["record"]["features"] == features
            assert answer.json()["record"]["explain"]["rules"]["every-tenth"]["standing"]
            assert answer.json()["as_of"]["lag_records"] == 0
            assert answer.json()["as_of"]["age_seconds"] == 0
            redirected[one.name] += bool(answer.history)
    assert redirected[a.name] > 0 and redirected[b.name] > 0
    assert redirected[a.name] + redirected[b.name] == len(known), "each customer has one owner"

    for one in (a, b):
        assert get(url(one), "/customers/nobody%20at%20all").status_code == 404


def test_after_one_dies_the_other_answers_and_says_meanwhile_why_not(pair):
    orders, a, b = pair
    known = orders.customers()
    of_a = [name for name in known if get(url(a), f"/customers/{name}", allow_redirects=False).status_code == 200]
    assert of_a
    there = url(b)

    a.kill()
    meanwhile = []
    end = time.monotonic() + 90
    while time.monotonic() < end:
        # A response that is kept keeps its connection, of which one address has few.
        answers = [(got.status_code, got.json()) for got in
                   (get(there, f"/customers/{name}", allow_redirects=False) for name in of_a)]
        if all(status == 200 and not answer["as_of"]["restoring"] for status, answer in answers):
            break
        meanwhile += answers
        time.sleep(0.2)
    else:
        pytest.fail(f"b does not take over\n{b.tail()}")

    assert meanwhile, "it took over at once?"
    for status, answer in meanwhile:
        assert status in (200, 307, 503), answer
        if status == 200:
            assert {"restoring", "age_seconds", "lag_records"} <= answer["as_of"].keys()
        else:
            assert answer["detail"]
    for name in of_a:
        assert get(there, f"/customers/{name}").json()["record"]["features"] == known[name]
    assert [line for line in b.said("customer read") if line["status"] == 200]
    assert not any(name in b.output() for name in known)


def test_what_is_said_over_http_is_what_happened(pair):
    _, a, b = pair

    def total(start):
        texts = [get(url(one), "/metrics").text for one in (a, b)]
        return sum(float(line.rsplit(" ", 1)[1]) for text in texts for line in text.splitlines() if line.startswith(start))

    wait_until(lambda: total("ringfold_records_total{") == COUNT, 5,
               lambda: f"{COUNT} records in all, not {total('ringfold_records_total{')}")
    assert total('ringfold_alerts_total{rule="every-tenth",status="raised"}') > 0
    assert total("ringfold_input_lag_records{") == 0
    assert total("ringfold_input_lag_seconds{") == 0
    assert total("ringfold_task_state{") == 4
    assert total("ringfold_ready ") == 2
    rules = {rule["rule"]: rule["raised"] for rule in get(url(a), "/rules").json()["rules"]}
    assert set(rules) == {"every-tenth", "large"}


class Listener(threading.Thread):
    """Reads /events to its end, and keeps what was derived."""

    def __init__(self, address):
        super().__init__(daemon=True)
        self.stream = get(address, "/events", stream=True)
        self.seen = {}
        self.start()

    def run(self):
        kind = None
        with contextlib.suppress(requests.exceptions.RequestException, AttributeError):
            for line in self.stream.iter_lines(chunk_size=1):
                if line.startswith(b"event: "):
                    kind = line[7:]
                if line.startswith(b"data: ") and kind == b"derived":
                    event = json.loads(line[6:])["event"]
                    self.seen[event["id"]] = event


def test_alerts_come_as_they_are_committed(pair):
    orders, a, b = pair
    listeners = [Listener(url(one)) for one in (a, b)]
    orders.produce(generate(8, 200, CUSTOMERS, first=COUNT))
    orders.wait_idle([a, b])
    committed = {value["id"]: value for topic in (orders.alerts, orders.offers)
                 for value in (message.value for message in clients.read_all(orders.kafka, topic, json.loads))}

    # What was emitted before is told to a new listener, too: the newest hundred.
    wait_until(lambda: len(listeners[0].seen) + len(listeners[1].seen) >= len(committed), 15,
               lambda: f"{len(committed)} events; {[len(one.seen) for one in listeners]}")
    found = {**listeners[0].seen, **listeners[1].seen}
    assert found.keys() == committed.keys()
    assert all(found[one]["reasons"] == committed[one]["reasons"] for one in found)


def test_others_are_sent_to_the_address_that_is_advertised(app, kafka, registry, instances, tmp_path):
    orders = App(app, kafka, registry, tmp_path, http={"listen": "127.0.0.1:0", "advertise": "${ADVERTISE:-off}"})
    orders.create_topics(partitions=4)
    orders.produce(generate(7, COUNT, CUSTOMERS))
    for name in ("a", "b"):
        instances.append(orders.instance(name, env={"ADVERTISE": f"{name}.example:8088"}).start())
    wait_until(lambda: all(ready(url(one)) and len(get(url(one), "/tasks").json()["tasks"]) == 2 for one in instances),
               60, "two partitions each")
    a = url(instances[0])

    # Who has what is asked of the group every few seconds.
    wait_until(lambda: {owner["address"] for owner in get(a, "/tasks").json()["owners"]} ==
               {"a.example:8088", "b.example:8088"}, 20, lambda: f"both addresses: {get(a, '/tasks').json()['owners']}")
    sent = {get(a, f"/customers/C{i:05d}", allow_redirects=False).headers.get("Location") for i in range(CUSTOMERS)}
    assert any(place and place.startswith("http://b.example:8088/customers/C000") for place in sent)

    # Kafka keeps what it was told of a member that comes back within its session: then the log says so.
    b = instances[1]
    warning = "other instances know this one by an address that it had before, until it is away for longer than " \
              "session.timeout.ms once"
    assert not b.said(warning)
    assert b.stop() == 0
    b.env["ADVERTISE"] = "moved.example:8088"
    b.start()

    def settled():
        """Warned of, or away for long enough by chance: either way nothing is left unsaid."""
        owners = get(a, "/tasks").json()["owners"]
        return b.said(warning) or any(owner["address"] == "moved.example:8088" for owner in owners)

    wait_until(settled, 30, b.tail)
    if b.said(warning):
        (entry,) = b.said(warning)
        assert (entry["address"], entry["known_as"]) == ("moved.example:8088", "b.example:8088")


def test_tokens_are_read_again_at_a_hangup(app, kafka, registry, instances, tmp_path):
    tokens = tmp_path / "tokens"
    tokens.write_text("before:0123456789abcdef-old\n", encoding="utf-8")
    orders = App(app, kafka, registry, tmp_path, http={"listen": "127.0.0.1:0", "token_file": str(tokens)})
    orders.create_topics(partitions=1)
    instances.append(orders.instance("a").start())
    one = instances[0]
    wait_until(lambda: ready(url(one)), 60, "ready")

    def status(token):
        return get(url(one), "/rules", headers={"Authorization": f"Bearer {token}"}).status_code

    assert (status("0123456789abcdef-old"), status("0123456789abcdef-new")) == (200, 401)
    tokens.write_text("short:1\n", encoding="utf-8")
    one.signal(signal.SIGHUP)
    wait_until(lambda: one.said("the tokens are not taken; the old ones are still good"), 30, "that they are not taken")
    wait_until(lambda: status("0123456789abcdef-old") == 200, 30, "the old token is good, once there are workers again")
    tokens.write_text("after:0123456789abcdef-new\n", encoding="utf-8")
    one.signal(signal.SIGHUP)
    wait_until(lambda: status("0123456789abcdef-new") == 200, 30, "the new token is good")
    assert status("0123456789abcdef-old") == 401
    assert "abcdef" not in one.output()
