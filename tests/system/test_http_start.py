"""The HTTP endpoint from the first moment on: before there is a broker, on a port that is taken, twice on one machine."""
import signal
import socket

import pytest
import requests

from harness import ringfold
from harness.kafka import Kafka
from harness.orders import App
from harness.process import free_ports, wait_until


@pytest.fixture
def config(tmp_path):
    """An application whose broker does not answer."""
    (port,) = free_ports(1)
    return ringfold.write_config(tmp_path / "ringfold.yaml", {
        "app": "alone",
        "kafka": {"bootstrap.servers": f"127.0.0.1:{port}"},
        "state": {"dir": "${STATE_DIR}", "memory": "64MiB"},
        "instance": "${INSTANCE}",
        "http": {"listen": "${HTTP_LISTEN}"},
        "sources": {"pings": {"topic": "pings", "format": "json", "schema": "ping.avsc"}},
        "features": {"pings_7d": {"count": "pings", "window": "7d"}},
    })


@pytest.fixture
def start(config, tmp_path, instances):
    (tmp_path / "ping.avsc").write_text('{"type":"record","name":"Ping","fields":[{"name":"x","type":"int"}]}',
                                        encoding="utf-8")

    def start_one(name, listen, **env):
        one = ringfold.Instance(config, tmp_path, {"HTTP_LISTEN": listen, **env}, name).start()
        instances.append(one)
        return one

    return start_one


def address(instance):
    said = wait_until(lambda: instance.said("listening for http"), 20, lambda: f"an address\n{instance.tail()}")
    return said[-1]["address"]


def test_health_is_answered_while_kafka_is_away(start):
    one = start("a", "127.0.0.1:0")
    url = f"http://{address(one)}"

    wait_until(lambda: requests.get(url + "/readyz", timeout=5).json()["reason"] == "waiting for kafka", 20, "the reason")
    ready = requests.get(url + "/readyz", timeout=5)
    assert (ready.status_code, ready.json()["state"]) == (503, "starting")
    assert requests.get(url + "/livez", timeout=5).status_code == 200
    assert "ringfold_ready 0" in requests.get(url + "/metrics", timeout=5).text
    customer = requests.get(url + "/customers/C1", timeout=5)
    assert (customer.status_code, customer.json()["detail"]) == (503, "no worker runs yet: waiting for kafka")

    one.signal(signal.SIGTERM)
    assert one.child.wait(20) == 0
    with pytest.raises(requests.exceptions.ConnectionError):
        requests.get(url + "/livez", timeout=5)


def test_a_port_that_another_program_has_is_an_error(start):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        one = start("a", f"127.0.0.1:{other.getsockname()[1]}")

        assert one.child.wait(20) == 2
    assert "http.listen is taken by another program (ADDRESS:0 takes any port that is free)" in one.output()


def test_the_second_of_one_name_on_a_machine_takes_another_port(start, tmp_path):
    (port,) = free_ports(1)
    state = {"STATE_DIR": str(tmp_path / "state"), "INSTANCE": "same"}
    first = start("a", f"127.0.0.1:{port}", **state)
    assert address(first) == f"127.0.0.1:{port}"

    second = start("b", f"127.0.0.1:{port}", **state)

    assert address(second) != address(first)
    (warning,) = second.said("another instance on this machine has the port of http.listen: this one took a free one")
    assert (warning["wanted"], warning["port"]) == (port, int(address(second).rsplit(":", 1)[1]))
    for one in (first, second):
        assert requests.get(f"http://{address(one)}/livez", timeout=5).status_code == 200

    before = address(second)
    second.stop()
    second.start()
    wait_until(lambda: len(second.said("listening for http")) == 2, 20, second.tail)
    assert address(second) == before, "where others know it"


def test_an_address_that_others_can_reach_is_refused_without_a_token(start, config, tmp_path):
    one = start("a", "0.0.0.0:0")

    assert one.child.wait(20) == 2
    assert "customers' data could be asked for over the network, by anyone" in one.output()
    done = ringfold.command("check", "-c", config, status=2, env={
        "HTTP_LISTEN": "0.0.0.0:0", "STATE_DIR": str(tmp_path), "INSTANCE": "a"})
    assert "listen on 127.0.0.1, or set http.token_file or http.tls.client_ca" in done.stderr


def test_where_kafka_goes_nobody_is_told_that_all_is_well(app, tmp_path, instances):
    """It says so itself, and once in the log; when Kafka is back it goes on."""
    kafka = Kafka(tmp_path / "kafka")
    kafka.format()
    kafka.start()
    one = App(app, kafka, None, tmp_path / app, sources={"pings": {
        "topic": f"{app}.pings", "format": "json", "schema": "ping.avsc", "kind": "ping", "time": "event.at"}},
              features={"pings": {"count": "ping"}}, rules={"often": {"when": "pings >= 100", "emit": "alert"}},
              outputs={"alert": {"topic": f"{app}.alerts", "format": "json"}})
    one.sources = [one.pings]
    one.create_topics(partitions=2)
    (port,) = free_ports(1)
    instances.append(one.instance(env={"HTTP_LISTEN": f"127.0.0.1:{port}"}).start())

    def ready():
        try:
            answer = requests.get(f"http://127.0.0.1:{port}/readyz", timeout=5)
        except requests.ConnectionError:
            return None
        return answer.status_code, answer.json()["reason"]

    try:
        wait_until(lambda: ready() == (200, "every partition that is ours is worked on"), 60, ready)
        kafka.stop()
        wait_until(lambda: ready() == (503, "kafka does not answer: nothing is read until it does"), 60, ready)
        wait_until(lambda: instances[0].said("kafka does not answer; what is read and folded waits for it"), 20, "a line")
        kafka.start()
        wait_until(lambda: ready() == (200, "every partition that is ours is worked on"), 60, ready)
        wait_until(lambda: len(instances[0].said("kafka answers again")) == 1, 20, "a line")
    finally:
        kafka.stop()
