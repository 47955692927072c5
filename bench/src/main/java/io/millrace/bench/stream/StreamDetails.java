package io.millrace.bench.stream;

import java.util.Arrays;
import java.util.function.LongConsumer;

/**
 * The gaps, reads and transits of one stream. They are kept until its outcome is known, because only those of a stream
 * that came to its end count. Lives on one event loop, and is used for one stream after another.
 */
public final class StreamDetails {
    /** Nothing. */
    static final StreamDetails NONE = new StreamDetails();

    private final Values gaps = new Values();
    private final Values reads = new Values();
    private final Values transits = new Values();

    StreamDetails() {}

    /** For each gap between two outputs, its nanoseconds. */
    public void forEachGap(LongConsumer action) {
        gaps.forEach(action);
    }

    /** For each read that brought output, how many frames with output it brought. */
    public void forEachRead(LongConsumer action) {
        reads.forEach(action);
    }

    /** For each frame with the mock's stamp, the nanoseconds since then. */
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

    /** Four bytes a value: seven digits are more than a histogram keeps. */
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
