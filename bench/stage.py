"""What every benchmark stands on: a broker, a registry, a topic full of calls, and a watch on a process's use."""
import contextlib
import dataclasses
import os
import pathlib
import platform
import shutil
import subprocess
import time

from confluent_kafka import Consumer, KafkaException, TopicPartition

from harness import ringfold
from harness.artefacts import TOP
from harness.kafka import Kafka
from harness.process import Process, wait_until
from harness.registry import FakeRegistry

CALLS = "calls"
CALL_SCHEMA_ID = 1
ALERT_SCHEMA_ID = 2
BUILD = TOP / "build-bench"
SAMPLE_SECONDS = 0.05
# Deletes a peer's topics from the disk soon after its run, and keeps the calls for ever.
BROKER_PROPERTIES = "log.retention.ms=-1\nlog.segment.delete.delay.ms=1000\n"
TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


def machine():
    """One line: what was measured on."""
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        models = [line.split(":", 1)[1].strip() for line in file if line.startswith("model name")]
    memory_gib = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{os.cpu_count()} x {models[0] if models else platform.machine()}, {memory_gib:.0f} GiB, {platform.release()}"


def cpu_seconds(pid):
    """User and system time of all threads of a process."""
    with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_SECOND


def memory_mib(pid, what):
    """VmRSS (resident now) or VmHWM (the most so far)."""
    with open(f"/proc/{pid}/status", encoding="utf-8") as file:
        for line in file:
            if line.startswith(what + ":"):
                return int(line.split()[1]) / 1024
    raise KeyError(what)


@dataclasses.dataclass
class Sample:
    """How far a consumer group is, and what that took so far."""
    seconds: float  # since the process was started
    events: int  # committed
    cpu: float  # seconds of the process
    broker_cpu: float
    resident_mib: float


class Stage:
    """Broker, registry and calls. Everything is under `directory`, which is emptied first; logs stay behind."""

    def __init__(self, directory, partitions):
        self.directory = pathlib.Path(directory)
        shutil.rmtree(self.directory, ignore_errors=True)
        self.directory.mkdir(parents=True)
        self.partitions = partitions
        self.kafka = Kafka(self.directory / "kafka", extra=BROKER_PROPERTIES)
        self.registry = FakeRegistry()
        self.events = 0

    def __enter__(self):
        self.kafka.format()
        self.kafka.start()
        for number, name in ((CALL_SCHEMA_ID, "call"), (ALERT_SCHEMA_ID, "churn_alert")):
            self.registry.put(number, (TOP / "schemas" / f"{name}.avsc").read_text(encoding="utf-8"))
        self.registry.subjects[f"{CALLS}-value"] = CALL_SCHEMA_ID
        self.registry.up()
        return self

    def __exit__(self, *_):
        self.registry.down()
        self.kafka.stop()
        for data in (self.directory / "kafka", *self.directory.glob("*/state")):
            shutil.rmtree(data, ignore_errors=True)

    def load(self, events, customers, hot_percent, seed):
        """Fills the topic; returns the generator's own words."""
        self.kafka.create_topics(CALLS, partitions=self.partitions)
        done = subprocess.run(
            [BUILD / "bench_job_generate", "--brokers", self.kafka.bootstrap, "--topic", CALLS,
             "--schema-id", str(CALL_SCHEMA_ID), "--events", str(events), "--customers", str(customers),
             "--hot", str(hot_percent), "--seed", str(seed)], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"the generator failed\n{done.stderr}")
        ends = self.kafka.end_offsets(CALLS)
        if sum(ends.values()) != events:
            raise RuntimeError(f"{sum(ends.values())} messages in the topic instead of {events}")
        self.events = events
        return done.stdout.strip()

    @contextlib.contextmanager
    def progress_of(self, group):
        """A function that says how many events a group has committed. It answers at once, also within a transaction.

        An onlooker's consumer and not the admin client: librdkafka 2.16 crashes where an admin client asks for offsets
        while the coordinator is still being loaded.
        """
        onlooker = Consumer({"bootstrap.servers": self.kafka.bootstrap, "group.id": group, "log_level": 0,
                             "isolation.level": "read_uncommitted", "enable.auto.commit": False})
        partitions = [TopicPartition(CALLS, index) for index in range(self.partitions)]

        def committed():
            try:
                return sum(max(0, one.offset) for one in onlooker.committed(partitions, timeout=10))
            except KafkaException:
                return 0  # the coordinator is not there yet

        try:
            yield committed
        finally:
            onlooker.close()

    def watch(self, process, group, seconds_max):
        """Samples until the group has committed every event, or time is up. The process is running and stays so."""
        samples = []
        start = time.monotonic()
        broker = self.kafka.brokers[0]
        with self.progress_of(group) as committed:
            while not samples or (samples[-1].events < self.events and samples[-1].seconds < seconds_max):
                events = committed()
                if not process.running:
                    raise RuntimeError(f"{process.command[0]} ended with status {process.status}\n{process.tail()}")
                samples.append(Sample(time.monotonic() - start, events, cpu_seconds(process.pid),
                                      cpu_seconds(broker.pid), memory_mib(process.pid, "VmRSS")))
                time.sleep(SAMPLE_SECONDS)
        return samples

    def ringfold_environment(self, app, directory, memory, workers):
        """What job/ringfold.yaml asks for."""
        return {"APP": app, "CALLS_TOPIC": CALLS, "KAFKA_BOOTSTRAP": self.kafka.bootstrap,
                "SCHEMA_REGISTRY": self.registry.url, "STATE_DIR": str(directory / "state"),
                "STATE_MEMORY": memory, "WORKERS": str(workers)}

    def start_ringfold(self, app, directory, memory, workers, more=None):
        """Its topics are made, and it is started. `more`: of the environment."""
        config = TOP / "bench" / "job" / "ringfold.yaml"
        environment = {**self.ringfold_environment(app, directory, memory, workers), **(more or {})}
        directory.mkdir(parents=True, exist_ok=True)
        ringfold.command("topics", "create", "-c", config, env=environment)
        # A new topic takes a moment to be known.
        wait_until(lambda: ringfold.command("topics", "check", "-c", config, env=environment, status=None).returncode == 0,
                   30, "ringfold's topics")
        return Process([ringfold.binary(), "run", "-c", config], directory / "ringfold.log", env=environment).start()

    def delete_topics(self, prefix):
        names = [name for name in self.kafka.topics() if name.startswith(prefix)]
        if names:
            for done in self.kafka.admin.delete_topics(names).values():
                done.result(30)


@contextlib.contextmanager
def ended(process):
    """The process is ended with SIGTERM, or killed where that takes too long."""
    try:
        yield process
    finally:
        try:
            process.stop(60)
        except TimeoutError as error:
            print(error)
