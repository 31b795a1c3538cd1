"""Apache Kafka itself, KRaft mode, one broker or three, on random ports of the loopback."""
import pathlib
import subprocess
import uuid

from confluent_kafka import Consumer, IsolationLevel, KafkaException, TopicPartition
from confluent_kafka.admin import (AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource, NewPartitions, NewTopic,
                                   OffsetSpec, ResourceType)

from harness import artefacts
from harness.process import Process, free_ports, wait_until

START_SECONDS_MAX = 90
ANSWER_SECONDS_MAX = 60
LOGGING = ["-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-Dorg.slf4j.simpleLogger.showDateTime=true"]
PROPERTIES = """\
process.roles=broker,controller
node.id={node}
controller.quorum.voters={voters}
controller.listener.names=CONTROLLER
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
inter.broker.listener.name=PLAINTEXT
log.dirs={directory}/log
auto.create.topics.enable=false
num.partitions=1
default.replication.factor={replicas}
min.insync.replicas={in_sync}
offsets.topic.replication.factor={replicas}
offsets.topic.num.partitions=4
transaction.state.log.replication.factor={replicas}
transaction.state.log.min.isr={in_sync}
transaction.state.log.num.partitions=4
group.initial.rebalance.delay.ms=0
broker.session.timeout.ms=3000
broker.heartbeat.interval.ms=500
group.min.session.timeout.ms=1000
log.flush.interval.messages=9223372036854775807
log.cleaner.backoff.ms=1000
num.network.threads=2
num.io.threads=4
"""


def patiently(ask):
    """What ask() returns, once the brokers are done with what they are doing: electing, loading, starting."""
    errors = []

    def answered():
        try:
            return [ask()]
        except (KafkaException, TimeoutError) as error:
            errors.append(error)
            return None

    return wait_until(answered, ANSWER_SECONDS_MAX, lambda: f"an answer: {errors[-1]}")[0]


class Broker(Process):
    def __init__(self, cluster, node):
        self.node = node
        self.directory = cluster.directory / f"broker-{node}"
        self.port = cluster.ports[node - 1]
        self.directory.mkdir(parents=True)
        properties = self.directory / "server.properties"
        replicas = min(3, len(cluster.ports))
        properties.write_text(PROPERTIES.format(
            node=node, port=self.port, controller_port=cluster.controller_ports[node - 1], voters=cluster.voters,
            directory=self.directory, replicas=replicas, in_sync=max(1, replicas - 1)) + cluster.extra,
            encoding="utf-8")
        super().__init__([artefacts.java(), "-Xmx512m", "-Xms256m", "-XX:+UseSerialGC",
                          *LOGGING, "-cp", artefacts.kafka_classpath(cluster.version), "kafka.Kafka", properties],
                         self.directory / "broker.log", cwd=self.directory)
        self.properties = properties


class Kafka:
    """A cluster. Brokers keep their ports and their data over kill and start."""

    def __init__(self, directory, brokers=1, extra="", version=None):
        self.version = version  # None: that of the pom
        self.directory = pathlib.Path(directory)
        ports = free_ports(2 * brokers)
        self.ports, self.controller_ports = ports[:brokers], ports[brokers:]
        self.voters = ",".join(f"{node}@127.0.0.1:{port}" for node, port in enumerate(self.controller_ports, 1))
        self.extra = extra
        self.bootstrap = ",".join(f"127.0.0.1:{port}" for port in self.ports)
        self.brokers = [Broker(self, node) for node in range(1, brokers + 1)]
        self._admin = None
        self._readers = {}  # by group: consumers that never join it

    def format(self):
        cluster_id = str(uuid.uuid4())
        for broker in self.brokers:
            self.java("kafka.tools.StorageTool", "format", "-t", cluster_id, "-c", str(broker.properties))

    def start(self):
        for broker in self.brokers:
            broker.start()
        self.wait_ready()
        return self

    def stop(self):
        for broker in self.brokers:
            broker.kill()

    def wait_ready(self):
        """Until every broker answers and has found the others."""
        def ready():
            for broker in self.brokers:
                if not broker.running:
                    raise RuntimeError(f"broker {broker.node} ended with status {broker.status}\n{broker.tail()}")
            try:
                return len(self.admin.list_topics(timeout=2).brokers) == len(self.brokers)
            except KafkaException:
                return False

        wait_until(ready, START_SECONDS_MAX, lambda: f"the brokers are up\n{self.brokers[0].tail()}")

    @property
    def admin(self):
        if self._admin is None:
            self._admin = AdminClient({"bootstrap.servers": self.bootstrap, "log_level": 0,
                                       "reconnect.backoff.max.ms": 200})
        return self._admin

    def create_topics(self, *names, partitions=4, config=None):
        replicas = min(3, len(self.brokers))
        topics = [NewTopic(name, partitions, replicas, config=config or {}) for name in names]
        for done in self.admin.create_topics(topics).values():
            done.result(30)
        for name in names:
            wait_until(lambda name=name: self.partition_count(name) == partitions, 30, f"topic {name}")
            self.end_offsets(name)  # every partition has a leader that knows it

    def configure_topic(self, name, settings):
        resource = ConfigResource(ResourceType.TOPIC, name, incremental_configs=[
            ConfigEntry(key, str(value), incremental_operation=AlterConfigOpType.SET) for key, value in settings.items()])
        self.admin.incremental_alter_configs([resource])[resource].result(30)

    def delete_topic(self, name):
        for done in self.admin.delete_topics([name]).values():
            done.result(30)
        wait_until(lambda: self.partition_count(name) == 0, 30, f"{name} is gone")

    def add_partitions(self, name, count):
        for done in self.admin.create_partitions([NewPartitions(name, count)]).values():
            done.result(30)

    def partition_count(self, name):
        """0: there is no such topic."""
        topic = self.admin.list_topics(timeout=10).topics.get(name)
        return len(topic.partitions) if topic is not None and topic.error is None else 0

    def topics(self):
        return sorted(name for name in self.admin.list_topics(timeout=10).topics if not name.startswith("__"))

    def topic_config(self, name):
        resource = ConfigResource(ResourceType.TOPIC, name)
        return {key: entry.value for key, entry in self.admin.describe_configs([resource])[resource].result(30).items()}

    def end_offsets(self, topic, isolation=IsolationLevel.READ_UNCOMMITTED):
        """Partition → the offset after the last message: the high watermark, or the last stable offset."""
        wanted = {TopicPartition(topic, index): OffsetSpec.latest() for index in range(self.partition_count(topic))}

        def ask():
            found = self.admin.list_offsets(wanted, isolation_level=isolation)
            return {partition.partition: done.result(30).offset for partition, done in found.items()}

        return patiently(ask)

    def committed_offsets(self, group, topic):
        """Partition → committed offset of a group; a pending transaction is waited for. Partitions without are absent."""
        if group not in self._readers:
            self._readers[group] = Consumer({"bootstrap.servers": self.bootstrap, "group.id": group, "log_level": 0,
                                             "isolation.level": "read_committed", "enable.auto.commit": False})
        wanted = [TopicPartition(topic, index) for index in range(self.partition_count(topic))]
        found = patiently(lambda: self._readers[group].committed(wanted, timeout=10))
        return {one.partition: one.offset for one in found if one.offset >= 0}

    def open_transactions(self):
        """Transactional ids whose transaction is under way, as the transaction coordinator sees them."""
        lines = self.tool("org.apache.kafka.tools.TransactionsCommand", "list").splitlines()
        rows = [line.split("\t") for line in lines[1:]]
        columns = [title.strip() for title in lines[0].split("\t")] if lines else []
        listed = [dict(zip(columns, (cell.strip() for cell in row))) for row in rows]
        return sorted(row["TransactionalId"] for row in listed
                      if row.get("TransactionState") in ("Ongoing", "PrepareCommit", "PrepareAbort"))

    def hanging_transactions(self, topic):
        """Partitions of `topic` whose last stable offset is behind their high watermark."""
        high, stable = self.end_offsets(topic), self.end_offsets(topic, IsolationLevel.READ_COMMITTED)
        return {index: (stable[index], high[index]) for index in high if stable[index] != high[index]}

    def java(self, main, *arguments, seconds=60):
        """Runs a class of Kafka and returns its standard output."""
        command = [artefacts.java(), "-Xmx256m", "-XX:TieredStopAtLevel=1", *LOGGING,
                   "-cp", artefacts.kafka_classpath(self.version), main, *arguments]
        done = subprocess.run(command, capture_output=True, text=True, timeout=seconds, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"{main} {' '.join(arguments)}: exit {done.returncode}\n{done.stdout}{done.stderr}")
        return done.stdout

    def tool(self, main, *arguments):
        """One of Kafka's tools that take --bootstrap-server."""
        return self.java(main, "--bootstrap-server", self.bootstrap, *arguments)

    def group_description(self, group):
        """What kafka-consumer-groups says of a group."""
        return self.tool("org.apache.kafka.tools.consumer.group.ConsumerGroupCommand", "--describe", "--group", group)

    def dump_log(self, topic, partition, broker=1):
        """What kafka-dump-log says of a partition's segments: batches, producers, control records."""
        directory = self.brokers[broker - 1].directory / "log" / f"{topic}-{partition}"
        files = ",".join(str(path) for path in sorted(directory.glob("*.log")))
        return self.java("kafka.tools.DumpLogSegments", "--print-data-log", "--files", files)

    def groups(self):
        return sorted(group.group_id for group in self.admin.list_consumer_groups().result(30).valid)
