package ringfold.bench;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.apache.kafka.common.utils.ByteUtils;
import org.apache.kafka.streams.processor.api.RecordMetadata;

/** schemas/churn_alert.avsc as ringfold fills it, behind the registry's five bytes. */
final class Alert {
    private static final int SIZE_MAX = 1024;
    private static final int SEVERITY_HIGH = 2;

    private Alert() {
    }

    static byte[] encode(
            String app, int schemaId, String key, Customer customer, RecordMetadata source) {
        ByteBuffer out = ByteBuffer.allocate(SIZE_MAX);
        out.put((byte) 0).putInt(schemaId);
        String id = source.topic() + "-" + source.partition() + "-" + source.offset();
        putText(out, id);
        putText(out, app);
        putText(out, "service-failure");
        putText(out, "1");
        putText(out, key);
        ByteUtils.writeVarlong(SEVERITY_HIGH, out);
        ByteUtils.writeVarlong(0, out); // RAISED
        ByteUtils.writeVarlong(customer.firedCount(), out); // episode
        putText(out, id); // of the episode
        putText(out, customer.dropped() + " dropped calls in 7 days");
        ByteUtils.writeVarlong(customer.asOf(), out);
        ByteUtils.writeVarlong(2, out); // two reasons
        putText(out, "dropped_7d");
        putText(out, Long.toString(customer.dropped()));
        putText(out, "minutes_28d");
        putText(out, Double.toString(customer.minutes()));
        ByteUtils.writeVarlong(0, out); // end of the reasons
        putText(out, source.topic());
        ByteUtils.writeVarlong(source.partition(), out);
        ByteUtils.writeVarlong(source.offset(), out);
        ByteUtils.writeVarlong(0, out); // no pattern has matched
        return Arrays.copyOf(out.array(), out.position());
    }

    private static void putText(ByteBuffer out, String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        ByteUtils.writeVarlong(bytes.length, out);
        out.put(bytes);
    }
}
