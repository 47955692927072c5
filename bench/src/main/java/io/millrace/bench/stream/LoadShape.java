package io.millrace.bench.stream;

import java.util.Objects;
import java.util.function.Consumer;

/**
 * The amount and the duration of a load. An open loop begins streams when they are due, whether or not earlier ones
 * have ended. A closed loop keeps a number of streams in progress.
 *
 * @param rate streams per second of an open loop; 0 for a closed loop
 * @param burstiness of an open loop's arrivals, see {@link Arrivals}
 * @param concurrency the streams at once of a closed loop, or the most of an open loop, with 0 for no bound
 * @param rampNs the time over which the load grows
 * @param warmupNs the time after the ramp, before the measured part
 * @param durationNs the length of the measured part; {@link Long#MAX_VALUE} for no bound
 * @param requests the streams of the measured part; {@link Long#MAX_VALUE} for no bound
 * @param drainNs how long streams may go on after the measured part
 */
public record LoadShape(
        double rate,
        double burstiness,
        int concurrency,
        long rampNs,
        long warmupNs,
        long durationNs,
        long requests,
        long drainNs) {
    private static final int MAX_CONCURRENCY = 100_000;

    /** Checks every range. */
    public LoadShape {
        if (rate < 0 || rate > 1e6 || Double.isNaN(rate)) {
            throw new IllegalArgumentException("rate: " + rate + " (expected: > 0, <= 1000000)");
        }
        if (concurrency < (rate == 0 ? 1 : 0) || concurrency > MAX_CONCURRENCY) {
            throw new IllegalArgumentException(
                    "concurrency: " + concurrency + " (expected: 1-" + MAX_CONCURRENCY + ")");
        }
        if (rampNs < 0 || warmupNs < 0 || durationNs <= 0 || requests <= 0 || drainNs < 0) {
            throw new IllegalArgumentException("times and counts of a load (expected: not negative, some load)");
        }
    }

    /** A closed loop without end. */
    public static LoadShape closed(int concurrency) {
        return new LoadShape(0, 1, concurrency, 0, 0, Long.MAX_VALUE, Long.MAX_VALUE, 0);
    }

    /** An open loop without end, of Poisson arrivals. */
    public static LoadShape open(double rate) {
        return new LoadShape(rate, 1, 0, 0, 0, Long.MAX_VALUE, Long.MAX_VALUE, 0);
    }

    /** This load with changed values. */
    public LoadShape with(Consumer<Builder> change) {
        var values = new Builder(this);
        change.accept(values);
        return values.build();
    }

    /** Collects the values of a load. */
    public static final class Builder {
        public double rate;
        public double burstiness;
        public int concurrency;
        public long rampNs;
        public long warmupNs;
        public long durationNs;
        public long requests;
        public long drainNs;

        private Builder(LoadShape from) {
            rate = from.rate;
            burstiness = from.burstiness;
            concurrency = from.concurrency;
            rampNs = from.rampNs;
            warmupNs = from.warmupNs;
            durationNs = from.durationNs;
            requests = from.requests;
            drainNs = from.drainNs;
        }

        private LoadShape build() {
            return new LoadShape(rate, burstiness, concurrency, rampNs, warmupNs, durationNs, requests, drainNs);
        }
    }

    /** Whether it is an open loop. */
    public boolean isOpen() {
        return rate > 0;
    }

    /** The time before the measured part. */
    public long leadNs() {
        return rampNs + warmupNs;
    }

    /** Its rate or its number of streams, for people. */
    public String label() {
        return isOpen() ? trim(rate) + "/s" : concurrency + (concurrency == 1 ? " stream" : " streams");
    }

    private static String trim(double value) {
        return value == Math.rint(value) ? Long.toString((long) value) : Objects.toString(value);
    }
}
