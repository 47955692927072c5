package io.millrace.bench.stats;

import org.HdrHistogram.Histogram;

/** The counts of a short part of a run, for a live view. */
public final class Progress {
    private static final int DIGITS = 2;

    final Histogram ttft = new Histogram(DIGITS);
    final Histogram gap = new Histogram(DIGITS);
    long begun;
    long ended;
    long failed;
    long outputs;

    /** Adds the counts of another lane. */
    public void add(Progress other) {
        ttft.add(other.ttft);
        gap.add(other.gap);
        begun += other.begun;
        ended += other.ended;
        failed += other.failed;
        outputs += other.outputs;
    }

    /** Streams that were due. */
    public long begun() {
        return begun;
    }

    /** Streams that completed. */
    public long ended() {
        return ended;
    }

    /** Streams that failed. */
    public long failed() {
        return failed;
    }

    /** Frames with output. */
    public long outputs() {
        return outputs;
    }

    /** Times to first token, from the scheduled start. */
    public Distribution ttft() {
        return new Distribution(Metric.Unit.MS, ttft);
    }

    /** Gaps between outputs. */
    public Distribution gap() {
        return new Distribution(Metric.Unit.MS, gap);
    }
}
