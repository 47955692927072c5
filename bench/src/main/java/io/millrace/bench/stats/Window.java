package io.millrace.bench.stats;

import io.millrace.bench.stream.LoadShape;

/**
 * Counts what one lane begins, completes and reads during the measured part of a run, whichever stream it belongs to. If
 * the run ends by time, the part ends then. If it ends by a number of requests, the part ends when the last of them
 * begins. Lives on one event loop.
 */
final class Window {
    private final long lengthNs;
    private final Counts counts = new Counts();
    private Counts atLastBegin = new Counts();
    private long fromNs = Long.MAX_VALUE;
    private long lastBeginNs = Long.MAX_VALUE;

    /** What happened from the beginning of the measured part until some time. */
    static final class Counts {
        long begun;
        long completed;
        long good;
        long outputs;

        void add(Counts other) {
            begun += other.begun;
            completed += other.completed;
            good += other.good;
            outputs += other.outputs;
        }

        private Counts copy() {
            var copy = new Counts();
            copy.add(this);
            return copy;
        }
    }

    Window(LoadShape shape) {
        lengthNs = shape.durationNs();
    }

    void start(long measuredFromNs) {
        fromNs = measuredFromNs;
        lastBeginNs = measuredFromNs;
    }

    void onBegin(long nowNs) {
        if (contains(nowNs)) {
            counts.begun++;
            atLastBegin = counts.copy();
            lastBeginNs = nowNs;
        }
    }

    void onOutput(long nowNs) {
        if (contains(nowNs)) {
            counts.outputs++;
        }
    }

    void onCompleted(long nowNs, boolean good) {
        if (contains(nowNs)) {
            counts.completed++;
            counts.good += good ? 1 : 0;
        }
    }

    /** All that was counted, in the measured time or, without a limit of time, until the end of the run. */
    Counts counts() {
        return counts;
    }

    /** What had been counted when the last stream began. */
    Counts atLastBegin() {
        return atLastBegin;
    }

    /** From the beginning of the measured part to the last begin of a stream. */
    long untilLastBeginNs() {
        return lastBeginNs - fromNs;
    }

    private boolean contains(long nowNs) {
        return fromNs != Long.MAX_VALUE && nowNs - fromNs >= 0 && nowNs - fromNs < lengthNs;
    }
}
