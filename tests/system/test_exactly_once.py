"""Restart, scale-out, zombies and lost disks: after each, everything is as an offline reference says it must be."""
import shutil
import time

import pytest

from harness import ringfold
from harness.kafka import Kafka
from harness.orders import App, assert_exact, generate
from harness.process import wait_until

EVENTS = 4000


@pytest.fixture
def orders(app, kafka, registry, tmp_path):
    one = App(app, kafka, registry, tmp_path / app)
    one.create_topics(partitions=4)
    return one


def members(kafka, group):
    """Client ids of the group's members that have partitions."""
    found = kafka.admin.describe_consumer_groups([group])[group].result(30).members
    return [one for one in found if one.assignment.topic_partitions]


def wait_members(kafka, group, count):
    wait_until(lambda: len(members(kafka, group)) == count, 60, f"{count} members of {group} have partitions")


def test_one_instance_folds_everything_once(orders, instances):
    orders.produce(generate(1, EVENTS))
    instances.append(orders.instance().start())

    orders.wait_idle(instances)
    assert instances[0].stop() == 0

    assert_exact(orders)


def test_two_workers_of_one_process_share_the_partitions(app, kafka, registry, tmp_path, instances):
    orders = App(app, kafka, registry, tmp_path, workers=2)
    orders.create_topics(partitions=4)
    instances.append(orders.instance().start())
    wait_members(kafka, app, 2)

    orders.produce(generate(2, EVENTS))
    orders.wait_idle(instances)

    assert_exact(orders)


def test_a_graceful_restart_loses_and_doubles_nothing(orders, instances):
    instances.append(orders.instance().start())
    for part in range(3):
        orders.produce(generate(3, EVENTS // 3, first=part * (EVENTS // 3)))
        time.sleep(0.5)
        assert instances[0].stop() == 0, instances[0].tail()
        instances[0].start()
    orders.wait_idle(instances)

    assert_exact(orders)


def test_a_second_instance_takes_its_share_and_gives_it_back(orders, kafka, instances):
    instances.append(orders.instance("a").start())
    orders.produce(generate(4, EVENTS // 4))
    orders.wait_idle(instances)

    instances.append(orders.instance("b").start())
    wait_members(kafka, orders.name, 2)
    orders.produce(generate(4, EVENTS // 4, first=EVENTS // 4))
    orders.wait_idle(instances)
    assert instances[1].stop() == 0
    orders.produce(generate(4, EVENTS // 2, first=EVENTS // 2))
    orders.wait_idle(instances[:1])

    assert_exact(orders)


def test_when_one_of_two_is_killed_the_other_takes_over(orders, kafka, instances):
    instances += [orders.instance("a").start(), orders.instance("b").start()]
    wait_members(kafka, orders.name, 2)
    orders.produce(generate(5, EVENTS // 2))

    instances[0].kill()
    orders.produce(generate(5, EVENTS // 2, first=EVENTS // 2))
    orders.wait_idle(instances[1:])
    assert_exact(orders)

    instances[0].start()
    wait_members(kafka, orders.name, 2)
    orders.produce(generate(6, EVENTS // 2, first=EVENTS))
    orders.wait_idle(instances)
    assert_exact(orders)


def test_a_zombie_commits_nothing_and_comes_back_by_itself(orders, kafka, instances):
    """Stopped for longer than the session and the transaction may last, while the other one takes over."""
    instances += [orders.instance("a").start(), orders.instance("b").start()]
    wait_members(kafka, orders.name, 2)
    orders.produce(generate(7, EVENTS))
    time.sleep(0.3)

    instances[0].pause()
    orders.wait_idle(instances[1:])
    instances[0].resume()
    wait_members(kafka, orders.name, 2)
    orders.produce(generate(8, EVENTS, first=EVENTS))
    orders.wait_idle(instances)

    assert_exact(orders)


def test_a_broker_killed_in_the_middle_is_waited_for(app, registry, tmp_path, instances):
    kafka = Kafka(tmp_path / "kafka")
    kafka.format()
    kafka.start()
    try:
        orders = App(app, kafka, registry, tmp_path / app)
        orders.create_topics(partitions=4)
        instances.append(orders.instance().start())
        orders.produce(generate(9, EVENTS))

        kafka.brokers[0].kill()
        time.sleep(1)
        kafka.start()
        orders.produce(generate(9, EVENTS, first=EVENTS))
        orders.wait_idle(instances)

        assert instances[0].running
        assert_exact(orders)
    finally:
        kafka.stop()


def test_a_lost_disk_is_rebuilt_from_the_changelog(orders, instances):
    instances.append(orders.instance().start())
    orders.produce(generate(10, EVENTS))
    orders.wait_idle(instances)
    instances[0].kill()
    shutil.rmtree(orders.directory / "state-a")

    instances[0].start()
    orders.produce(generate(10, EVENTS, first=EVENTS))
    orders.wait_idle(instances)

    assert_exact(orders)


def test_unequal_partition_counts_are_refused_by_name(app, kafka, registry, tmp_path):
    orders = App(app, kafka, registry, tmp_path)
    kafka.create_topics(orders.orders, partitions=4)
    kafka.create_topics(orders.pings, partitions=3)

    done = ringfold.command("topics", "check", "-c", orders.config, env=orders.env, status=None)

    assert done.returncode != 0
    said = done.stdout + done.stderr
    assert orders.pings in said
    assert "4" in said and "3" in said


def test_who_is_asked_to_stop_while_the_group_rebalances_does_not_wait_for_it(orders, instances):
    """It is given its new partitions while it leaves, and must not ask a handle that closes where to begin."""
    a, b = orders.instance("a").start(), orders.instance("b")
    instances += [a, b]
    orders.produce(generate(5, 400))
    wait_until(lambda: a.said("task ready"), 60, a.tail)
    a.pause()
    b.start()
    wait_until(lambda: b.said("task ready"), 60, b.tail)
    revoked = len(b.said("partitions revoked"))
    a.resume()
    wait_until(lambda: len(b.said("partitions revoked")) > revoked, 60, b.tail, every=0.005)

    began = time.monotonic()
    assert b.stop() == 0
    assert time.monotonic() - began < 15, b.tail()
    orders.wait_idle([a])
    assert_exact(orders)
