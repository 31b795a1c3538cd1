"""A real Prometheus scrapes a running instance under load: alerts fire for what they are for and go quiet again, and every
query of the dashboard gives what it promises."""
import re
import shutil
import subprocess
import threading

import pytest
import requests
from confluent_kafka import Producer

from conftest import reachable
from harness import artefacts, clients
from harness.artefacts import TOP
from harness.dashboard import queries
from harness.orders import App, generate
from harness.process import free_ports, wait_until
from harness.prometheus import Prometheus

LAG_SECONDS = 4
STANDSTILL_MS = 15000


class Load:
    """A few orders each tenth of a second, until it is stopped."""

    def __init__(self, orders):
        self.orders, self.first, self.ending = orders, 0, threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self):
        while not self.ending.wait(0.1):
            self.orders.produce(generate(5, 20, first=self.first))
            self.first += 20

    def stop(self):
        self.ending.set()
        self.thread.join()


@pytest.fixture(scope="module")
def watched(kafka, registry, tmp_path_factory):
    """An application, where it listens, and the Prometheus that asks it."""
    directory = tmp_path_factory.mktemp("watched")
    orders = App("watched", kafka, registry, directory)
    orders.create_topics(partitions=2)
    (port,) = free_ports(1)
    target = f"127.0.0.1:{port}"
    prometheus = reachable(lambda: Prometheus(directory / "prometheus", target, LAG_SECONDS))
    load = Load(orders)
    yield orders, target, prometheus.start(), load
    load.stop()
    prometheus.kill()


def start(orders, target, failpoint=""):
    return orders.instance(env={"HTTP_LISTEN": target, "RINGFOLD_FAILPOINT": failpoint}).start()


def test_alerts_fire_for_what_they_are_for_and_go_quiet_again(watched, kafka):
    orders, target, prometheus, load = watched
    # Some twenty seconds of commits, then one that takes long.
    instance = start(orders, target, f"before_commit:sleep={STANDSTILL_MS}:150")
    try:
        wait_until(lambda: prometheus.query("ringfold_ready == 1"), 60, instance.tail)
        prometheus.wait_quiet(30)

        prometheus.wait_firing("RingfoldLagSecondsHigh", "RingfoldNoCommits")
        assert prometheus.firing()["RingfoldLagSecondsHigh"]["severity"] == "page"
        prometheus.wait_quiet()

        clients.produce(kafka, orders.orders, [(b"C1", b"not avro")] * 3)
        prometheus.wait_firing("RingfoldDeadLetters")
        assert prometheus.firing()["RingfoldDeadLetters"]["reason"] == "record"
        prometheus.wait_quiet()

        assert instance.stop() == 0
        prometheus.wait_firing("RingfoldTargetDown")
        shutil.rmtree(orders.directory / "state-a")
        stranger = Producer({"bootstrap.servers": kafka.bootstrap, "transactional.id": "stranger"})
        stranger.init_transactions(30)
        stranger.begin_transaction()
        stranger.produce(orders.changelog, b"x", b"x", partition=0)  # the changelog cannot be read beyond it
        stranger.flush(30)
        instance = start(orders, target)
        prometheus.wait_firing("RingfoldRestoreStuck")
        assert prometheus.firing()["RingfoldRestoreStuck"]["task"] == "0"
        stranger.abort_transaction(30)
        prometheus.wait_quiet()
    finally:
        instance.kill()


def test_every_query_of_the_dashboard_finds_what_it_asks_for(watched):
    orders, target, prometheus, load = watched
    instance = start(orders, target)
    try:
        # Half a minute: the first time that the stores are made durable is among what is told.
        wait_until(lambda: prometheus.query("ringfold_store_last_checkpoint_timestamp_seconds") and
                   prometheus.query("ringfold_ready == 1 and on () sum(rate(ringfold_records_total[5s])) > 0"), 60,
                   instance.tail)
        names = set(prometheus.ask("label/__name__/values"))
        for title, query in queries(TOP / "deploy" / "grafana" / "ringfold.json"):
            result = prometheus.query(query)
            for name in re.findall(r"\b(?:ringfold|process)_[a-z0-9_]+", query):
                assert name in names, f"{title}: there is no {name}"
            assert result or "> 0" in query or "rule_timed" in query, f"{title}: {query} gives nothing"

        text = subprocess.run([reachable(lambda: artefacts.prometheus("promtool")), "check", "metrics"], timeout=60,
                              input=fetch(target), capture_output=True, text=True, check=False)
        assert text.returncode == 0 and not text.stdout + text.stderr, text.stdout + text.stderr
    finally:
        instance.kill()


def fetch(target):
    return requests.get(f"http://{target}/metrics", timeout=10).text
