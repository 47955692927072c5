package io.millrace.bench.stats;

import java.util.Arrays;

/**
 * Counts over time, in a bounded number of parts of equal length. When all parts are used, each pair of neighbours is
 * merged into one part. Lives on one event loop.
 */
public final class Series {
    private static final int PARTS = 600;
    private static final long FIRST_WIDTH_NS = 250_000_000;

    private final long baseNs;
    private final long[] begun = new long[PARTS];
    private final long[] completed = new long[PARTS];
    private final long[] failed = new long[PARTS];
    private final long[] outputs = new long[PARTS];
    private final long[] firsts = new long[PARTS];
    private final long[] firstsSumNs = new long[PARTS];
    private final long[] firstsMaxNs = new long[PARTS];
    private long widthNs = FIRST_WIDTH_NS;
    private int used;

    Series(long baseNs) {
        this.baseNs = baseNs;
    }

    void onBegin(long nowNs) {
        begun[part(nowNs)]++;
    }

    void onEnd(long nowNs, boolean error) {
        (error ? failed : completed)[part(nowNs)]++;
    }

    void onOutput(long nowNs) {
        outputs[part(nowNs)]++;
    }

    void onFirst(long nowNs, long ttftNs) {
        int part = part(nowNs);
        firsts[part]++;
        firstsSumNs[part] += ttftNs;
        firstsMaxNs[part] = Math.max(firstsMaxNs[part], ttftNs);
    }

    /** Adds the series of another event loop of the same run. */
    void add(Series other) {
        while (widthNs < other.widthNs) {
            widen();
        }
        int ratio = (int) (widthNs / other.widthNs);
        for (int i = 0; i < other.used; i++) {
            int part = i / ratio;
            used = Math.max(used, part + 1);
            begun[part] += other.begun[i];
            completed[part] += other.completed[i];
            failed[part] += other.failed[i];
            outputs[part] += other.outputs[i];
            firsts[part] += other.firsts[i];
            firstsSumNs[part] += other.firstsSumNs[i];
            firstsMaxNs[part] = Math.max(firstsMaxNs[part], other.firstsMaxNs[i]);
        }
    }

    /** How many parts there are. */
    public int size() {
        return used;
    }

    /** How long a part is, in seconds. */
    public double widthSeconds() {
        return widthNs / 1e9;
    }

    /** Streams that were due in a part. */
    public long begun(int part) {
        return begun[part];
    }

    /** Streams that completed or were left. */
    public long completed(int part) {
        return completed[part];
    }

    /** Streams that failed. */
    public long failed(int part) {
        return failed[part];
    }

    /** Output frames that were read. */
    public long outputs(int part) {
        return outputs[part];
    }

    /**
     * The mean time to first token of the streams whose first token came in the part, in milliseconds; NaN if there
     * were none.
     */
    public double meanTtftMs(int part) {
        return firsts[part] == 0 ? Double.NaN : firstsSumNs[part] / 1e6 / firsts[part];
    }

    /**
     * The longest time to first token of the streams whose first token came in the part, in milliseconds; NaN if there
     * were none.
     */
    public double maxTtftMs(int part) {
        return firsts[part] == 0 ? Double.NaN : firstsMaxNs[part] / 1e6;
    }

    private int part(long nowNs) {
        long sinceNs = Math.max(0, nowNs - baseNs);
        while (sinceNs / widthNs >= PARTS) {
            widen();
        }
        int part = (int) (sinceNs / widthNs);
        used = Math.max(used, part + 1);
        return part;
    }

    private void widen() {
        widthNs *= 2;
        for (var counts : new long[][] {begun, completed, failed, outputs, firsts, firstsSumNs}) {
            fold(counts, false);
        }
        fold(firstsMaxNs, true);
        used = (used + 1) / 2;
    }

    private static void fold(long[] values, boolean most) {
        for (int i = 0; i < PARTS / 2; i++) {
            long a = values[2 * i];
            long b = values[2 * i + 1];
            values[i] = most ? Math.max(a, b) : a + b;
        }
        Arrays.fill(values, PARTS / 2, PARTS, 0);
    }
}
