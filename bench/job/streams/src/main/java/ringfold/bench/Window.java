package ringfold.bench;

import java.nio.ByteBuffer;
import java.util.Arrays;
import org.apache.kafka.common.utils.ByteUtils;

/** A sum over the last length of event time, by bucket, ascending: ringfold's count and sum. */
final class Window {
    private final long length;
    private final long grain;
    private long[] indexes = new long[4];
    private double[] sums = new double[4];
    private int count;

    Window(long length, long grain) {
        this.length = length;
        this.grain = grain;
    }

    private long oldest(long now) {
        return Math.floorDiv(now - length + 1, grain);
    }

    void add(long time, long now, double number) {
        long index = Math.floorDiv(time, grain);
        drop(oldest(now));
        if (index < oldest(now)) {
            return;
        }
        int place = count;
        while (place > 0 && indexes[place - 1] > index) {
            place--;
        }
        if (place > 0 && indexes[place - 1] == index) {
            sums[place - 1] += number;
            return;
        }
        insert(place, index, number);
    }

    private void drop(long oldest) {
        int gone = 0;
        while (gone < count && indexes[gone] < oldest) {
            gone++;
        }
        System.arraycopy(indexes, gone, indexes, 0, count - gone);
        System.arraycopy(sums, gone, sums, 0, count - gone);
        count -= gone;
    }

    private void insert(int place, long index, double number) {
        if (count == indexes.length) {
            indexes = Arrays.copyOf(indexes, 2 * count);
            sums = Arrays.copyOf(sums, 2 * count);
        }
        System.arraycopy(indexes, place, indexes, place + 1, count - place);
        System.arraycopy(sums, place, sums, place + 1, count - place);
        indexes[place] = index;
        sums[place] = number;
        count++;
    }

    double value(long now) {
        long oldest = oldest(now);
        double sum = 0.0;
        for (int i = 0; i < count; i++) {
            if (indexes[i] >= oldest) {
                sum += sums[i];
            }
        }
        return sum;
    }

    int sizeMax() {
        return 5 + count * (10 + Double.BYTES);
    }

    void write(ByteBuffer out) {
        ByteUtils.writeVarint(count, out);
        for (int i = 0; i < count; i++) {
            ByteUtils.writeVarlong(indexes[i], out);
            out.putDouble(sums[i]);
        }
    }

    void read(ByteBuffer in) {
        count = ByteUtils.readVarint(in);
        if (count > indexes.length) {
            indexes = new long[count];
            sums = new double[count];
        }
        for (int i = 0; i < count; i++) {
            indexes[i] = ByteUtils.readVarlong(in);
            sums[i] = in.getDouble();
        }
    }
}
