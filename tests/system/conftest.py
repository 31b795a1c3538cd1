"""Fixtures: one broker and one registry for the whole run; tests tell their topics apart by name."""
import itertools

import pytest

from harness import artefacts
from harness.kafka import Kafka
from harness.registry import FakeRegistry, Registry

numbers = itertools.count(1)


def reachable(get):
    """What get() returns; where it cannot be had the test is skipped, by name."""
    try:
        return get()
    except artefacts.Unreachable as error:
        pytest.skip(f"unreachable: {error}")


@pytest.fixture(scope="session")
def kafka(tmp_path_factory):
    cluster = reachable(lambda: Kafka(tmp_path_factory.mktemp("kafka")))
    cluster.format()
    cluster.start()
    yield cluster
    cluster.stop()


@pytest.fixture(scope="session")
def registry(tmp_path_factory):
    one = reachable(lambda: Registry(tmp_path_factory.mktemp("registry")))
    one.start()
    yield one
    one.kill()


@pytest.fixture
def fake_registry():
    one = FakeRegistry().up()
    yield one
    one.down()


@pytest.fixture(scope="session")
def lifetimes_python():
    return reachable(artefacts.lifetimes_python)


@pytest.fixture
def app():
    """A name that no other test has, for the application and its topics."""
    return f"t{next(numbers)}"


@pytest.fixture
def instances():
    """A list for daemons: whatever is in it at the end is killed."""
    started = []
    yield started
    for one in started:
        one.kill()
