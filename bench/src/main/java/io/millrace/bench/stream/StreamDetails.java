package io.millrace.bench.stream;

import java.util.Arrays;
import java.util.function.LongConsumer;

/**
 * The gaps, reads and transits of one stream. They are kept until its outcome is known, because only those of a
 * completed stream count. Lives on one event loop. One object serves one stream after another.
 */
public final class StreamDetails {
    /** No details. */
    static final StreamDetails NONE = new StreamDetails();

    private final Values gaps = new Values();
    private final Values reads = new Values();
    private final Values transits = new Values();

    StreamDetails() {}

    /** Calls {@code action} with the nanoseconds of each gap between two outputs. */
    public void forEachGap(LongConsumer action) {
        gaps.forEach(action);
    }

    /** Calls {@code action} with the number of output frames of each read that brought any. */
    public void forEachRead(LongConsumer action) {
        reads.forEach(action);
    }

    /** Calls {@code action} with the nanoseconds since the mock's stamp of each stamped frame. */
    public void forEachTransit(LongConsumer action) {
        transits.forEach(action);
    }

    void addGap(long gapNs) {
        gaps.add(gapNs);
    }

    void addRead(int outputs) {
        reads.add(outputs);
    }

    void addTransit(long transitNs) {
        transits.add(transitNs);
    }

    void clear() {
        gaps.clear();
        reads.clear();
        transits.clear();
    }

    /** Each value has four bytes: seven digits are more than a histogram keeps. */
    private static final class Values {
        private static final int FEW = 64;
        private static final int KEPT = 16 * 1024;

        private float[] values = new float[0];
        private int size;

        void add(long value) {
            if (size == values.length) {
                values = Arrays.copyOf(values, Math.max(FEW, 2 * size));
            }
            values[size++] = value;
        }

        void forEach(LongConsumer action) {
            for (int i = 0; i < size; i++) {
                action.accept(Math.round((double) values[i]));
            }
        }

        void clear() {
            size = 0;
            if (values.length > KEPT) {
                values = new float[0];
            }
        }
    }
}
