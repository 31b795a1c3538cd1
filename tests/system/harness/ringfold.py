"""ringfold: the commands, and the daemon that is started, killed and started again."""
import json
import os
import pathlib
import subprocess
import time

import yaml

from harness.artefacts import TOP
from harness.process import Process, wait_until

IDLE_SECONDS_MAX = 120
VISIBLE_SECONDS_MAX = 10


def binary():
    return os.environ.get("RINGFOLD") or str(TOP / "build" / "ringfold")


def command(*arguments, env=None, seconds=120, status=0, stdin=None):
    """Runs one command to its end and returns it. `status`: the exit status it must have, None for any."""
    done = subprocess.run([binary(), *map(str, arguments)], capture_output=True, text=True, timeout=seconds,
                          env={**os.environ, **(env or {})}, input=stdin, check=False)
    if status is not None and done.returncode != status:
        raise AssertionError(f"ringfold {' '.join(map(str, arguments))}: exit status {done.returncode} instead of "
                             f"{status}\n{done.stderr[-4000:]}")
    return done


def rows(text):
    """NDJSON to objects."""
    return [json.loads(line) for line in text.splitlines() if line]


def customers(text):
    """The rows of --customers and of `customer --all`: customer → features."""
    return {row["customer"]: row["features"] for row in rows(text)}


def write_config(path, config):
    """A configuration from nested dictionaries."""
    path = pathlib.Path(path)
    path.write_text(yaml.safe_dump(config, sort_keys=False, allow_unicode=True), encoding="utf-8")
    return path


def _entry(line):
    """A line of the log; one that a kill cut in two says nothing."""
    try:
        return json.loads(line)
    except ValueError:
        return {}


class Instance(Process):
    """One daemon: `ringfold run -c CONFIG`."""

    def __init__(self, config, directory, env=None, name="a", arguments=()):
        directory = pathlib.Path(directory)
        directory.mkdir(parents=True, exist_ok=True)
        self.name = name
        super().__init__([binary(), "run", "-c", config, *arguments], directory / f"ringfold-{name}.log",
                         env={"STATE_DIR": str(directory / f"state-{name}"), "INSTANCE": name, "HTTP_LISTEN": "off",
                              **(env or {})})

    def said(self, message):
        """The log's lines with this message, as objects."""
        lines = (line for line in self.output().splitlines() if line.startswith("{"))
        return [entry for entry in map(_entry, lines) if entry.get("msg") == message]

    def restored(self):
        """Records read back from the changelog, for each task at each start."""
        return [entry["restored_records"] for entry in self.said("task ready")]

    def ready_ms(self):
        """How long that took."""
        return [entry["milliseconds"] for entry in self.said("task ready")]

    def assert_running(self):
        assert self.running, f"ringfold {self.name} ended with status {self.status}\n{self.tail()}"


def backlog(kafka, group, topics):
    """(topic, partition) → messages that the group has not committed yet; those without any are left out."""
    left = {}
    for topic in topics:
        committed = kafka.committed_offsets(group, topic)
        for partition, end in kafka.end_offsets(topic).items():
            if end > committed.get(partition, 0):
                left[topic, partition] = end - committed.get(partition, 0)
    return left


def wait_visible(kafka, group, sources):
    """Until what was committed can be read. A commit is answered, and its offsets are seen, before the broker has marked it
    in every partition; until then a reader of committed messages sees nothing of it there. What is not marked for long is
    another matter, and that of the test."""
    own = [topic for topic in kafka.topics() if topic.startswith((f"{group}.", f"{group}-")) and topic not in sources]
    end = time.monotonic() + VISIBLE_SECONDS_MAX
    while any(kafka.hanging_transactions(topic) for topic in own) and time.monotonic() < end:
        time.sleep(0.05)


def wait_idle(kafka, group, topics, instances=(), seconds=IDLE_SECONDS_MAX):
    """Until everything in the topics is folded, committed, and can be read. An instance that ends meanwhile is an error."""
    def idle():
        for instance in instances:
            instance.assert_running()
        return not backlog(kafka, group, topics)

    def what():
        words = "".join(f"\n{one.name}: {one.tail(15)}" for one in instances)
        return f"all of {topics} is folded; left: {backlog(kafka, group, topics)}{words}"

    wait_until(idle, seconds, what, every=0.1)
    wait_visible(kafka, group, topics)
