package ringfold.bench;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Properties;
import java.util.concurrent.CountDownLatch;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler.StreamThreadExceptionResponse;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.processor.api.RecordMetadata;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.Stores;

/**
 * The job of ../ringfold.yaml on Kafka Streams: fold by customer in a RocksDB store with a
 * changelog, alerts to a topic, exactly once.
 *
 * <p>usage: Job PROPERTIES CALLS_TOPIC ALERTS_TOPIC ALERT_SCHEMA_ID
 */
public final class Job {
    private static final String STORE = "customers";

    private Job() {
    }

    private static final class Fold implements Processor<String, byte[], String, byte[]> {
        private final String app;
        private final int alertSchemaId;
        private ProcessorContext<String, byte[]> context;
        private KeyValueStore<String, Customer> customers;

        Fold(String app, int alertSchemaId) {
            this.app = app;
            this.alertSchemaId = alertSchemaId;
        }

        @Override
        public void init(ProcessorContext<String, byte[]> processorContext) {
            context = processorContext;
            customers = processorContext.getStateStore(STORE);
        }

        @Override
        public void process(Record<String, byte[]> call) {
            Customer customer = customers.get(call.key());
            if (customer == null) {
                customer = new Customer();
            }
            customer.fold(Call.decode(call.value()));
            if (customer.fires()) {
                RecordMetadata source = context.recordMetadata().orElseThrow();
                byte[] alert = Alert.encode(app, alertSchemaId, call.key(), customer, source);
                context.forward(call.withValue(alert));
            }
            customers.put(call.key(), customer);
        }
    }

    private static Topology topology(String app, String calls, String alerts, int alertSchemaId) {
        Topology topology = new Topology();
        topology.addSource(
                "calls",
                Serdes.String().deserializer(),
                Serdes.ByteArray().deserializer(),
                calls);
        topology.addProcessor("fold", () -> new Fold(app, alertSchemaId), "calls");
        topology.addStateStore(
                Stores.keyValueStoreBuilder(
                                Stores.persistentKeyValueStore(STORE),
                                Serdes.String(),
                                Customer.serde())
                        .withCachingEnabled(),
                "fold");
        topology.addSink(
                "alerts",
                alerts,
                Serdes.String().serializer(),
                Serdes.ByteArray().serializer(),
                "fold");
        return topology;
    }

    public static void main(String[] arguments) throws Exception {
        Properties properties = new Properties();
        try (var reader = Files.newBufferedReader(Path.of(arguments[0]))) {
            properties.load(reader);
        }
        String app = properties.getProperty("application.id");
        Topology topology =
                topology(app, arguments[1], arguments[2], Integer.parseInt(arguments[3]));
        KafkaStreams streams = new KafkaStreams(topology, properties);
        CountDownLatch ended = new CountDownLatch(1);
        streams.setUncaughtExceptionHandler(
                error -> StreamThreadExceptionResponse.SHUTDOWN_CLIENT);
        streams.setStateListener(
                (now, before) -> {
                    if (now == KafkaStreams.State.ERROR || now == KafkaStreams.State.NOT_RUNNING) {
                        ended.countDown();
                    }
                });
        Runtime.getRuntime().addShutdownHook(new Thread(streams::close));
        streams.start();
        ended.await();
    }
}
