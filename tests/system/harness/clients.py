"""Kafka clients that are not ours: confluent-kafka with its Avro serializers, and kcat."""
import dataclasses
import shutil
import subprocess
import time

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer, AvroSerializer
from confluent_kafka.serialization import MessageField, SerializationContext

from harness import artefacts

READ_SECONDS_MAX = 60


@dataclasses.dataclass
class Message:
    """One message as a consumer saw it."""
    partition: int
    offset: int
    key: bytes
    value: object
    headers: dict
    timestamp: int


class Sender:
    """A producer that is kept. send() returns when all messages are stored."""

    def __init__(self, kafka):
        self.failed = []
        self.producer = Producer({"bootstrap.servers": kafka.bootstrap, "linger.ms": 5, "enable.idempotence": True,
                                  "message.max.bytes": 20_000_000, "log_level": 2})

    def send(self, topic, messages):
        """(key, value) or (key, value, options); options are arguments of Producer.produce: headers, timestamp, ..."""
        for key, value, *options in messages:
            self._produce(topic, key, value, options[0] if options else {})
            self.producer.poll(0)
        left = self.producer.flush(READ_SECONDS_MAX)
        if self.failed or left:
            raise RuntimeError(f"{topic}: {len(self.failed)} messages refused, {left} not sent: {self.failed[:3]}")

    def _produce(self, topic, key, value, options):
        while True:
            try:
                return self.producer.produce(topic, key=key, value=value, on_delivery=self._stored, **options)
            except BufferError:
                self.producer.poll(0.1)

    def _stored(self, error, _):
        if error is not None:
            self.failed.append(error)


def produce(kafka, topic, messages):
    Sender(kafka).send(topic, messages)


def avro_serializer(registry_url, topic, schema_text):
    """record → bytes in the registry's wire format. Registers the schema under <topic>-value."""
    serializer = AvroSerializer(SchemaRegistryClient({"url": registry_url}), schema_text)
    context = SerializationContext(topic, MessageField.VALUE)
    return lambda record: serializer(record, context)


def avro_deserializer(registry_url, topic):
    """bytes → record, with the schema that its writer registered."""
    deserializer = AvroDeserializer(SchemaRegistryClient({"url": registry_url}))
    context = SerializationContext(topic, MessageField.VALUE)
    return lambda value: None if value is None else deserializer(value, context)


def read_all(kafka, topic, decode=None, isolation="read_committed"):
    """Every message of a topic that is there now, by partition and offset."""
    partitions = kafka.partition_count(topic)
    consumer = Consumer({"bootstrap.servers": kafka.bootstrap, "group.id": "system-tests", "enable.auto.commit": False,
                         "isolation.level": isolation, "enable.partition.eof": True, "fetch.wait.max.ms": 50,
                         "auto.offset.reset": "earliest"})
    messages = []
    try:
        consumer.assign([TopicPartition(topic, index, 0) for index in range(partitions)])
        left = set(range(partitions))
        end = time.monotonic() + READ_SECONDS_MAX
        while left:
            message = consumer.poll(1)
            if message is not None and message.error() is None:
                value = message.value()
                messages.append(Message(message.partition(), message.offset(), message.key(),
                                        decode(value) if decode else value, dict(message.headers() or []),
                                        message.timestamp()[1]))
            elif message is not None and message.error().code() == KafkaError._PARTITION_EOF:
                left.discard(message.partition())
            elif message is not None and not message.error().retriable():
                raise KafkaException(message.error())
            if time.monotonic() > end:
                raise TimeoutError(f"{topic}: partitions {sorted(left)} were not read to their end")
    finally:
        consumer.close()
    return sorted(messages, key=lambda one: (one.partition, one.offset))


def compacted(messages):
    """Key → last value, as compaction would leave it; a null value takes the key away."""
    table = {}
    for message in messages:
        table[message.key] = message.value
    return {key: value for key, value in table.items() if value is not None}


def kcat(kafka, topic, line_format="%k"):
    """The lines that kcat prints of a topic, read committed."""
    if shutil.which("kcat") is None:
        raise artefacts.Unreachable("there is no kcat")
    done = subprocess.run(["kcat", "-b", kafka.bootstrap, "-C", "-t", topic, "-o", "beginning", "-e", "-q",
                           "-X", "isolation.level=read_committed", "-f", line_format + "\n"],
                          capture_output=True, timeout=READ_SECONDS_MAX, check=True)
    return done.stdout.decode("utf-8", "replace").splitlines()
