"""What is answered over HTTP while a store is brought up to date: nobody who exists is unknown, and what is old says so."""
import contextlib
import shutil

import pytest
from confluent_kafka import Producer

from harness import ringfold
from harness.orders import App, generate
from harness.process import wait_until
from test_http_instances import get, ready, url

CUSTOMERS = 40
SECONDS = 60


@pytest.fixture
def orders(app, kafka, registry, tmp_path):
    one = App(app, kafka, registry, tmp_path)
    one.create_topics(partitions=4)
    one.produce(generate(7, 300, CUSTOMERS))
    return one


def start(orders, instances, name):
    instances.append(orders.instance(name, env={"HTTP_LISTEN": "127.0.0.1:0"}).start())
    wait_until(lambda: ready(url(instances[-1])), SECONDS, lambda: f"{name} is ready\n{instances[-1].tail()}")
    return instances[-1]


def start_again(one):
    before = len(one.said("listening for http"))
    one.start()
    wait_until(lambda: len(one.said("listening for http")) > before, SECONDS, one.tail)


def partitions_of(one):
    return [task["partition"] for task in get(url(one), "/tasks").json()["tasks"]]


def share(one, other):
    wait_until(lambda: len(partitions_of(one)) == len(partitions_of(other)) == 2 and ready(url(one)) and
               ready(url(other)), SECONDS, "two partitions each")


def kept_by(one):
    """Customer → features, as this instance itself knows them."""
    answers = {name: get(url(one), f"/customers/{name}", allow_redirects=False)
               for name in (f"C{number:05d}" for number in range(CUSTOMERS))}
    return {name: answer.json()["record"]["features"] for name, answer in answers.items() if answer.status_code == 200}


@contextlib.contextmanager
def held(orders, partitions):
    """A transaction of somebody else in the changelog: what comes behind it cannot be read before it ends."""
    stranger = Producer({"bootstrap.servers": orders.kafka.bootstrap, "transactional.id": f"{orders.name}-stranger"})
    stranger.init_transactions(30)
    stranger.begin_transaction()
    for partition in partitions:
        stranger.produce(orders.changelog, b"", b"nobody", partition=partition)
    stranger.flush(30)
    try:
        yield
    finally:
        stranger.abort_transaction(30)


def test_who_exists_is_unknown_to_nobody_while_an_instance_restores(orders, instances):
    a, b = start(orders, instances, "a"), start(orders, instances, "b")
    share(a, b)
    orders.wait_idle(instances)
    known, partitions = kept_by(b), partitions_of(b)
    assert known
    b.kill()
    for store in (orders.directory / "state-b").glob("*/b/task-*"):
        shutil.rmtree(store)

    with held(orders, partitions):
        start_again(b)

        def restores():
            return {row["partition"] for one in instances for row in get(url(one), "/lag").json().get("partitions", [])
                    if row["status"] == "restoring"} >= set(partitions)

        wait_until(restores, SECONDS, lambda: f"{partitions} are restored, and /lag says so\n{b.tail()}")
        assert not ready(url(b))
        address = url(b)
        wait_until(lambda: address in {f"http://{owner['address']}" for owner in get(url(a), "/tasks").json()["owners"]},
                   SECONDS, "a knows where b is")
        for name in known:
            for one in (a, b):
                answer = get(url(one), f"/customers/{name}")
                assert answer.status_code == 503, (one.name, name, answer.history, answer.text)
                assert "brought up to date" in answer.json()["detail"]
                assert int(answer.headers["Retry-After"]) > 0
                told = get(url(one), f"/customers/{name}?redirect=no")
                assert told.status_code in (421, 503), told.text

    wait_until(lambda: ready(url(a)) and ready(url(b)), SECONDS, "both are ready")
    for name, features in known.items():
        for one in (a, b):
            answer = wait_until(lambda one=one, name=name: (got := get(url(one), f"/customers/{name}")).status_code != 503
                                and got, SECONDS, f"{one.name} knows {name}")
            assert answer.status_code == 200, answer.text
            assert answer.json()["record"]["features"] == features
    assert get(url(a), "/customers/nobody").status_code == 404


def test_an_older_state_is_told_as_one_until_the_store_is_brought_up_to_date(orders, instances):
    b = start(orders, instances, "b")
    orders.wait_idle([b])  # all four partitions are in its stores
    a = start(orders, instances, "a")
    share(a, b)
    before, partitions = kept_by(a), partitions_of(a)
    assert before

    with held(orders, partitions):
        orders.produce(generate(8, 300, CUSTOMERS, first=300))
        wait_until(lambda: not ringfold.backlog(orders.kafka, orders.name, orders.sources), SECONDS, "all is folded")
        after = kept_by(a)
        changed = sorted(name for name in before if after[name] != before[name])
        assert changed
        a.kill()

        def old(name):
            """b's own answer, from the store that it has had since a took the partition."""
            answer = get(url(b), f"/customers/{name}", allow_redirects=False)
            assert answer.status_code in (200, 307, 503), answer.text
            return answer.status_code == 200 and answer.json()

        for name in changed:
            answer = wait_until(lambda name=name: old(name), SECONDS, lambda: f"an old answer\n{b.tail()}")
            assert answer["record"]["features"] == before[name], "what stands behind the open transaction is not known"
            assert answer["as_of"]["restoring"] is True
            assert answer["as_of"]["age_seconds"] is None is answer["as_of"]["lag_records"], "nobody knows"
            assert answer["instance"] == "b" and answer["partition"] in partitions

    for name in changed:
        answer = wait_until(lambda name=name: (found := old(name)) and not found["as_of"]["restoring"] and
                            found["as_of"]["age_seconds"] is not None and found, SECONDS,
                            lambda: f"a new answer\n{b.tail()}")
        assert answer["record"]["features"] == after[name]
        assert answer["as_of"]["age_seconds"] == 0 == answer["as_of"]["lag_records"]


def test_an_instance_that_starts_again_is_found_where_it_was(orders, instances):
    a, b = start(orders, instances, "a"), start(orders, instances, "b")
    share(a, b)
    orders.wait_idle(instances)
    known = kept_by(b)
    assert known

    assert b.stop() == 0
    start_again(b)
    wait_until(lambda: ready(url(b)), SECONDS, b.tail)

    addresses = [entry["address"] for entry in b.said("listening for http")]
    assert len(addresses) == 2 and addresses[0] == addresses[1]
    for name, features in known.items():
        answer = wait_until(lambda name=name: (got := get(url(a), f"/customers/{name}")).status_code != 503 and got,
                            SECONDS, f"a says who keeps {name}")
        assert answer.status_code == 200 and answer.json()["record"]["features"] == features
