package ringfold.bench;

import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Arrays;
import org.apache.kafka.common.serialization.Deserializer;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.serialization.Serializer;
import org.apache.kafka.common.utils.ByteUtils;

/** What is known of one customer, and the features and the rule of ringfold.yaml. */
final class Customer {
    private static final long HOUR = Duration.ofHours(1).toMillis();
    private static final long DAY = Duration.ofDays(1).toMillis();
    private static final long HALF_LIFE = 7 * DAY;
    private static final long COOLDOWN = 7 * DAY;
    private static final int PLAIN_SIZE_MAX = 64;

    private final Window calls7d = new Window(7 * DAY, HOUR);
    private final Window dropped7d = new Window(7 * DAY, HOUR);
    private final Window minutes28d = new Window(28 * DAY, 6 * HOUR);
    private double callRate;
    private long callRateAt = Long.MIN_VALUE;
    private long asOf = Long.MIN_VALUE;
    private long lastFired = Long.MIN_VALUE;
    private long firedCount;

    void fold(Call call) {
        long time = call.startedAt();
        asOf = Math.max(asOf, time);
        calls7d.add(time, asOf, 1.0);
        if (call.dropped()) {
            dropped7d.add(time, asOf, 1.0);
        }
        minutes28d.add(time, asOf, call.durationSeconds() / 60.0);
        decay(time);
    }

    private void decay(long time) {
        if (callRateAt == Long.MIN_VALUE) {
            callRate = 1.0;
            callRateAt = time;
        } else if (time >= callRateAt) {
            callRate = callRate * weight(time - callRateAt) + 1.0;
            callRateAt = time;
        } else {
            callRate += weight(callRateAt - time);
        }
    }

    private static double weight(long elapsed) {
        return Math.pow(2.0, -(double) elapsed / HALF_LIFE);
    }

    /** True where the rule fires; it is then silent for the cooldown. */
    boolean fires() {
        if (dropped() < 3 || minutes() <= 20.0) {
            return false;
        }
        if (lastFired != Long.MIN_VALUE && asOf - lastFired < COOLDOWN) {
            return false;
        }
        lastFired = asOf;
        firedCount++;
        return true;
    }

    long firedCount() {
        return firedCount;
    }

    long dropped() {
        return (long) dropped7d.value(asOf);
    }

    double minutes() {
        return minutes28d.value(asOf);
    }

    long asOf() {
        return asOf;
    }

    private byte[] write() {
        int sizeMax =
                PLAIN_SIZE_MAX + calls7d.sizeMax() + dropped7d.sizeMax() + minutes28d.sizeMax();
        ByteBuffer out = ByteBuffer.allocate(sizeMax);
        out.putDouble(callRate);
        for (long number : new long[] {callRateAt, asOf, lastFired, firedCount}) {
            ByteUtils.writeVarlong(number, out);
        }
        calls7d.write(out);
        dropped7d.write(out);
        minutes28d.write(out);
        return Arrays.copyOf(out.array(), out.position());
    }

    private static Customer read(byte[] bytes) {
        ByteBuffer in = ByteBuffer.wrap(bytes);
        Customer customer = new Customer();
        customer.callRate = in.getDouble();
        customer.callRateAt = ByteUtils.readVarlong(in);
        customer.asOf = ByteUtils.readVarlong(in);
        customer.lastFired = ByteUtils.readVarlong(in);
        customer.firedCount = ByteUtils.readVarlong(in);
        customer.calls7d.read(in);
        customer.dropped7d.read(in);
        customer.minutes28d.read(in);
        return customer;
    }

    static Serde<Customer> serde() {
        Serializer<Customer> writer =
                (topic, customer) -> customer == null ? null : customer.write();
        Deserializer<Customer> reader = (topic, bytes) -> bytes == null ? null : read(bytes);
        return Serdes.serdeFrom(writer, reader);
    }
}
