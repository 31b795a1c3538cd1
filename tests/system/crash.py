#!/usr/bin/env python3
"""Kills ringfold under load and compares what it did with an offline reference.

Random kills, kills at each failpoint of the commit protocol, a broker killed and started again, and an instance that
is stopped for longer than its session while another one takes over. Everything random comes from the seed.
"""
import argparse
import dataclasses
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time

from harness.kafka import Kafka
from harness.orders import App, generate, verify
from harness.registry import Registry

# Where the process can be told to kill itself: around each step of the commit protocol. The number: how often the
# place is passed in about ten seconds of load, of which a random time is chosen.
FAILPOINTS = {
    "after_restore": 4,
    "after_produce_outbox": 100,
    "before_produce": 50, "before_state": 50, "after_produce": 50,
    "before_send_offsets": 50, "after_send_offsets": 50,
    "before_commit": 50, "after_commit": 50,
    "before_store_write": 500, "after_store_write": 500,
    "before_checkpoint": 3, "after_checkpoint": 3,
}
FAILPOINT_SECONDS_MAX = 60
CHUNK = 100          # events between two looks at the clock
PAUSE_SECONDS = 9    # longer than session.timeout.ms of the application under test


class Load:
    """Events at a steady rate from a thread of its own, until told to end."""

    def __init__(self, app, seed, rate):
        self.app, self.seed, self.rate = app, seed, rate
        self.count = 0
        self.error = None
        self.ending = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)

    def start(self):
        self.thread.start()
        return self

    def end(self):
        self.ending.set()
        self.thread.join(120)
        if self.error is not None:
            raise self.error

    def _run(self):
        try:
            begun = time.monotonic()
            while not self.ending.is_set():
                self.app.produce(generate(self.seed + self.count, CHUNK, first=self.count))
                self.count += CHUNK
                time.sleep(max(0.0, begun + self.count / self.rate - time.monotonic()))
        except Exception as error:  # told by end(), on the thread that can do something about it
            self.error = error


@dataclasses.dataclass
class Tally:
    random: int = 0
    failpoints: dict = dataclasses.field(default_factory=dict)
    broker: int = 0
    pauses: int = 0
    unreached: list = dataclasses.field(default_factory=list)

    @property
    def kills(self):
        return self.random + sum(self.failpoints.values())


class Run:
    """One run of the driver: a cluster, a registry, an application, a load, and what is done to them."""

    def __init__(self, directory, seed, rate, settings=None):
        self.rng = random.Random(seed)
        self.kafka = Kafka(directory / "kafka")
        self.registry = Registry(directory / "registry")
        self.directory, self.seed, self.rate, self.settings = directory, seed, rate, settings or {}
        self.tally = Tally()
        self.app = self.load = self.daemon = None

    def __enter__(self):
        self.kafka.format()
        self.kafka.start()
        self.registry.start()
        self.app = App("crash", self.kafka, self.registry, self.directory / "app", workers=2, **self.settings)
        self.app.create_topics(partitions=4)
        self.daemon = self.app.instance("a").start()
        self.load = Load(self.app, self.seed, self.rate).start()
        return self

    def __exit__(self, *_):
        self.load.ending.set()
        self.daemon.kill()
        self.registry.kill()
        self.kafka.stop()

    def kill_at_random(self):
        time.sleep(0.2 + 2.5 * self.rng.random() ** 2)
        self.daemon.assert_running()
        self.daemon.kill()
        self.tally.random += 1
        self.daemon.start()

    def kill_at(self, failpoint):
        """Starts with the failpoint set; the process then kills itself there."""
        self.daemon.kill()
        nth = 1 + int(FAILPOINTS[failpoint] * self.rng.random())
        armed = self.app.instance("a", {"RINGFOLD_FAILPOINT": f"{failpoint}:kill:{nth}"})
        armed.start()
        try:
            armed.child.wait(FAILPOINT_SECONDS_MAX)
            self.tally.failpoints[failpoint] = self.tally.failpoints.get(failpoint, 0) + 1
        except subprocess.TimeoutExpired:
            self.tally.unreached.append(failpoint)
        finally:
            armed.kill()
            self.daemon.start()

    def kill_broker(self):
        time.sleep(self.rng.random())
        self.kafka.brokers[0].kill()
        time.sleep(self.rng.random())
        self.kafka.start()
        self.tally.broker += 1

    def pause_while_another_takes_over(self):
        other = self.app.instance("b").start()
        try:
            time.sleep(2)
            self.daemon.pause()
            time.sleep(PAUSE_SECONDS)
            self.daemon.resume()
            time.sleep(2)
            self.daemon.assert_running()
            other.assert_running()
            other.stop()
        finally:
            other.kill()
        self.tally.pauses += 1

    def finish(self):
        """Ends the load, lets everything be folded and returns what is wrong, as lines."""
        self.load.end()
        self.app.wait_idle([self.daemon], seconds=180)
        status = self.daemon.stop()
        wrong = [] if status == 0 else [f"the last instance ended with status {status}"]
        wrong += [f"failpoint {name} was not reached" for name in self.tally.unreached]
        return wrong + verify(self.app)


def crash(run, kills, failpoints=(), brokers=1, pauses=1, say=lambda _: None):
    """`kills` kills, of which one at each failpoint; the other misfortunes are spread evenly among them."""
    steps = [lambda name=name: run.kill_at(name) for name in failpoints][:kills]
    steps += [run.kill_at_random] * (kills - len(steps))
    run.rng.shuffle(steps)
    for number in range(brokers):
        steps.insert((number + 1) * len(steps) // (brokers + 1), run.kill_broker)
    for number in range(pauses):
        steps.insert((2 * number + 1) * len(steps) // (2 * pauses), run.pause_while_another_takes_over)
    for number, step in enumerate(steps, 1):
        step()
        if number % 10 == 0:
            say(f"{number} of {len(steps)} steps, {run.load.count} events")
    return run.finish()


def report(run, wrong):
    tally = run.tally
    yield f"seed {run.seed}: {tally.kills} kills, {tally.random} at random and " \
          f"{sum(tally.failpoints.values())} at {len(tally.failpoints)} failpoints; " \
          f"{tally.broker} of the broker; {tally.pauses} pauses with a takeover; {run.load.count} events"
    for what, figures in (("records restored per restart and partition", run.daemon.restored()),
                          ("milliseconds from start to ready", run.daemon.ready_ms())):
        if figures:
            yield f"{what}: mean {sum(figures) / len(figures):.0f}, most {max(figures)} ({len(figures)} times)"
    yield from wrong[:50]
    yield f"{len(wrong)} differences"


def main():
    parser = argparse.ArgumentParser(prog="tests/system/crash", description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rate", type=int, default=1000, help="events a second (default 1000)")
    parser.add_argument("--brokers", type=int, default=2, help="kills of the broker (default 2)")
    parser.add_argument("--pauses", type=int, default=2, help="pauses with a takeover (default 2)")
    parser.add_argument("--keep", action="store_true", help="leave topics, stores and logs behind")
    options = parser.parse_args()

    directory = pathlib.Path(tempfile.mkdtemp(prefix="ringfold-crash-"))
    say = lambda text: print(text, file=sys.stderr, flush=True)
    say(f"seed {options.seed}, everything in {directory}")
    with Run(directory, options.seed, options.rate) as run:
        wrong = crash(run, options.kills, FAILPOINTS, options.brokers, options.pauses, say)
        print("\n".join(report(run, wrong)), flush=True)
    if not wrong and not options.keep:
        shutil.rmtree(directory)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
