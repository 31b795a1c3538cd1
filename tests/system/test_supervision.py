"""What systemd hears of the daemon over its life, and that only the workers' progress feeds the watchdog."""
import json
import time

import pytest

from harness import clients
from harness.kafka import Kafka
from harness.orders import App, rfc3339
from harness.process import wait_until
from harness.supervisor import Supervisor

WATCHDOG_SECONDS = 3
PINGS = {  # no registry is needed
    "features": {"pings": {"count": "ping"}},
    "rules": {"often": {"when": "pings >= 3", "emit": "alert", "cooldown": "1d"}},
}


@pytest.fixture
def supervisor(tmp_path):
    one = Supervisor(tmp_path, WATCHDOG_SECONDS)
    yield one
    one.close()


def pings_app(app, kafka, directory):
    one = App(app, kafka, None, directory, **PINGS, outputs={"alert": {"topic": f"{app}.alerts", "format": "json"}},
              sources={"pings": {"topic": f"{app}.pings", "format": "json", "schema": "ping.avsc", "kind": "ping",
                                 "time": "event.at"}})
    one.sources = [one.pings]
    return one


def ping(kafka, app, count=10):
    now = rfc3339(int(time.time() * 1000))
    clients.produce(kafka, app.pings, [(b"C%d" % (i % 4), json.dumps({"customer_id": f"C{i % 4}", "at": now}).encode())
                                       for i in range(count)])


def test_a_life_is_told_from_waiting_to_stopping(app, tmp_path, supervisor, instances):
    kafka = Kafka(tmp_path / "kafka")
    kafka.format()
    kafka.start()
    orders = pings_app(app, kafka, tmp_path / app)
    orders.create_topics(partitions=4)
    kafka.stop()
    instances.append(orders.instance(env=supervisor.env).start())
    try:
        wait_until(lambda: supervisor.heard("EXTEND_TIMEOUT_USEC"), 30, "the wait for kafka extends the start")
        assert any(text.startswith("waiting: ") for text in supervisor.heard("STATUS")), supervisor.messages
        assert not supervisor.heard("READY")
        kafka.start()
        wait_until(lambda: supervisor.heard("READY") == ["1"], 60, instances[0].tail)
        wait_until(lambda: "running, tasks: 4" in supervisor.heard("STATUS"), 60, lambda: supervisor.messages)
        ping(kafka, orders)
        orders.wait_idle(instances)

        assert instances[0].stop() == 0
        wait_until(lambda: supervisor.heard("STOPPING") == ["1"], 5, "STOPPING=1")
        assert supervisor.heard("STATUS")[-1].startswith("stopping")
    finally:
        kafka.stop()


def test_what_only_the_operator_can_mend_ends_it_with_the_status_that_is_not_started_again(app, tmp_path, kafka, instances):
    orders = pings_app(app, kafka, tmp_path / app)
    orders.create_topics(partitions=1)
    instances.append(orders.instance().start())
    ping(kafka, orders)
    orders.wait_idle(instances)
    assert instances[0].stop() == 0

    def reset():
        kafka.tool("org.apache.kafka.tools.consumer.group.ConsumerGroupCommand", "--group", app, "--topic", orders.pings,
                   "--reset-offsets", "--to-earliest", "--execute")
        return kafka.committed_offsets(app, orders.pings).get(0) == 0

    wait_until(reset, 60, "the static member is forgotten, and the offsets are reset")
    instances[0].start()
    wait_until(lambda: not instances[0].running, 30, instances[0].tail)

    assert instances[0].status == 2, instances[0].tail()
    assert "the offsets were reset" in instances[0].said("cannot go on")[0]["error"]


def test_the_watchdog_is_fed_while_the_broker_is_away_and_not_by_a_worker_that_is_stuck(app, tmp_path, supervisor,
                                                                                        instances):
    kafka = Kafka(tmp_path / "kafka")
    kafka.format()
    kafka.start()
    orders = pings_app(app, kafka, tmp_path / app)
    orders.create_topics(partitions=1)
    instances.append(orders.instance(env={**supervisor.env, "RINGFOLD_FAILPOINT": "before_fold:sleep=9000:20"}).start())
    try:
        wait_until(lambda: "running, tasks: 1" in supervisor.heard("STATUS"), 60, instances[0].tail)
        ping(kafka, orders)
        orders.wait_idle(instances)

        kafka.stop()
        away = time.monotonic()
        time.sleep(2 * WATCHDOG_SECONDS)
        assert len(supervisor.heard("WATCHDOG", away)) >= 4, "a broker that is away is no reason to be restarted"
        kafka.start()

        def is_stuck():
            ping(kafka, orders, 1)
            return instances[0].said("a worker does not come round: the watchdog is not fed")

        wait_until(is_stuck, 60, instances[0].tail, every=0.2)
        stuck = time.monotonic()
        time.sleep(WATCHDOG_SECONDS)
        assert not supervisor.heard("WATCHDOG", stuck), "systemd would have ended it by now"
        wait_until(lambda: supervisor.heard("WATCHDOG", stuck), 30, "the worker has come round again")
    finally:
        kafka.stop()
