"""Who does the job: each peer is started on a fresh state and commits offsets under its own group."""
import pathlib
import subprocess

from harness import artefacts
from harness.artefacts import TOP
from harness.process import Process
from stage import ALERT_SCHEMA_ID, BUILD, CALLS

STREAMS = pathlib.Path(__file__).resolve().parent / "streams"
STREAMS_BUILD = TOP / "out" / "bench" / "streams"
# Kafka Streams where it is given what it can use: as many threads as ringfold, a cache over the store and
# RocksDB's buffers in the hundreds of megabytes, large fetches and large batches. The commit interval is the
# default of exactly_once_v2 and ringfold's too.
TUNED = {
    "commit.interval.ms": 100,
    "statestore.cache.max.bytes": 256 << 20,
    "rocksdb.config.setter": "ringfold.bench.LargeStore",
    "buffered.records.per.partition": 20000,
    "main.consumer.max.poll.records": 20000,
    "main.consumer.max.partition.fetch.bytes": 8 << 20,
    "main.consumer.fetch.max.bytes": 64 << 20,
    "producer.linger.ms": 20,
    "producer.batch.size": 1 << 20,
    "producer.buffer.memory": 128 << 20,
    "producer.compression.type": "lz4",
}


class Raw:
    """librdkafka reading the topic, and nothing else."""
    alerts = None

    def __init__(self, stage, name, run, _options):
        self.group = f"bench-{name}-{run}"
        self.stage = stage
        self.directory = stage.directory / self.group

    def start(self):
        self.directory.mkdir()
        return Process([BUILD / "bench_job_raw_consumer", self.stage.kafka.bootstrap, self.group, CALLS],
                       self.directory / "raw.log").start()


class Ringfold:
    def __init__(self, stage, name, run, options):
        self.group = f"bench-{name}-{run}"
        self.alerts = f"{self.group}-alerts"
        self.stage = stage
        self.options = options
        self.directory = stage.directory / self.group

    def start(self):
        return self.stage.start_ringfold(self.group, self.directory, self.options.memory, self.options.workers)


class Streams:
    """Kafka Streams with its defaults, but for exactly once."""
    tuning = {}
    java = []

    def __init__(self, stage, name, run, options):
        self.group = f"bench-{name}-{run}"
        self.alerts = f"{self.group}-alerts"
        self.stage = stage
        self.options = options
        self.directory = stage.directory / self.group

    def properties(self):
        return {"application.id": self.group, "bootstrap.servers": self.stage.kafka.bootstrap,
                "processing.guarantee": "exactly_once_v2", "state.dir": self.directory / "state", **self.tuning}

    def start(self):
        build_streams()
        self.directory.mkdir()
        self.stage.kafka.create_topics(self.alerts, partitions=self.stage.partitions)
        file = self.directory / "streams.properties"
        lines = [f"{key}={value}\n" for key, value in self.properties().items()]
        file.write_text("".join(lines), encoding="utf-8")
        classpath = f"{STREAMS_BUILD}/target/bench-streams-1.jar:{STREAMS_BUILD}/lib/*"
        return Process([artefacts.java(), *self.java, "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-cp", classpath,
                        "ringfold.bench.Job", file, CALLS, self.alerts, ALERT_SCHEMA_ID],
                       self.directory / "streams.log").start()


class StreamsTuned(Streams):
    tuning = TUNED
    java = ["-Xmx1g", "-Xms1g", "-XX:+UseParallelGC"]

    def properties(self):
        return {**super().properties(), "num.stream.threads": self.options.workers}


PEERS = {"raw": Raw, "ringfold": Ringfold, "streams": Streams, "streams-tuned": StreamsTuned}
_built = []


def build_streams():
    if not _built:
        subprocess.run(["mvn", "-q", "-B", "-Dstyle.color=never", "-f", STREAMS / "pom.xml", "package", f"-Ddestination={STREAMS_BUILD}"],
                       check=True)
        _built.append(True)
