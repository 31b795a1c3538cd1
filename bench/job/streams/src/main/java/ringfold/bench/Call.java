package ringfold.bench;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.apache.kafka.common.utils.ByteUtils;

/**
 * What the job reads of a call record (schemas/call.avsc behind the registry's five bytes). Read by
 * hand: no Avro library is as quick, so the comparison is not decided by one.
 */
record Call(long startedAt, double durationSeconds, boolean dropped) {
    private static final int HEADER_SIZE = 5;
    private static final int DROPPED = 2;

    static Call decode(byte[] message) {
        ByteBuffer in = ByteBuffer.wrap(message).order(ByteOrder.LITTLE_ENDIAN);
        in.position(HEADER_SIZE);
        skipText(in); // cdr_id
        skipText(in); // customer_id, which is the key
        long startedAt = ByteUtils.readVarlong(in);
        ByteUtils.readVarlong(in); // direction
        if (ByteUtils.readVarlong(in) == 1) {
            skipText(in); // called
        }
        double duration = in.getDouble();
        boolean dropped = ByteUtils.readVarlong(in) == DROPPED;
        return new Call(startedAt, duration, dropped);
    }

    private static void skipText(ByteBuffer in) {
        int size = (int) ByteUtils.readVarlong(in);
        in.position(in.position() + size);
    }
}
