package io.millrace.bench.stream;

import java.util.Objects;
import java.util.function.Consumer;

/**
 * How much load, and for how long. An open loop begins streams when they are due, whatever became of those before; a closed
 * loop keeps a number of streams going. A ramp and a warm-up stand before the measured part. Immutable.
 */
public final class LoadShape {
    private static final int MAX_CONCURRENCY = 100_000;

    private final double rate;
    private final double burstiness;
    private final int concurrency;
    private final long rampNs;
    private final long warmupNs;
    private final long durationNs;
    private final long requests;
    private final long drainNs;

    private LoadShape(Builder builder) {
        rate = builder.rate;
        burstiness = builder.burstiness;
        concurrency = builder.concurrency;
        rampNs = builder.rampNs;
        warmupNs = builder.warmupNs;
        durationNs = builder.durationNs;
        requests = builder.requests;
        drainNs = builder.drainNs;
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

    /** A closed loop of that many streams at once, without end unless said otherwise. */
    public static Builder closed(int concurrency) {
        return new Builder().concurrency(concurrency);
    }

    /** An open loop of that many streams a second, without end unless said otherwise. */
    public static Builder open(double rate) {
        return new Builder().rate(rate);
    }

    /** This load with other values. */
    public LoadShape with(Consumer<Builder> change) {
        var builder = new Builder();
        builder.rate = rate;
        builder.burstiness = burstiness;
        builder.concurrency = concurrency;
        builder.rampNs = rampNs;
        builder.warmupNs = warmupNs;
        builder.durationNs = durationNs;
        builder.requests = requests;
        builder.drainNs = drainNs;
        change.accept(builder);
        return builder.build();
    }

    /** Whether streams begin when they are due, and not when others end. */
    public boolean isOpen() {
        return rate > 0;
    }

    /** Streams a second of an open loop; 0 for a closed loop. */
    public double rate() {
        return rate;
    }

    /** Of an open loop's arrivals, see {@link Arrivals}. */
    public double burstiness() {
        return burstiness;
    }

    /** Streams at once: how many a closed loop keeps, and the most of an open loop, 0 for no bound. */
    public int concurrency() {
        return concurrency;
    }

    /** Over which the load grows. */
    public long rampNs() {
        return rampNs;
    }

    /** After the ramp, before the measured part. */
    public long warmupNs() {
        return warmupNs;
    }

    /** What is not measured, at the start. */
    public long leadNs() {
        return rampNs + warmupNs;
    }

    /** Of the measured part; {@link Long#MAX_VALUE} for no bound. */
    public long durationNs() {
        return durationNs;
    }

    /** Streams in the measured part; {@link Long#MAX_VALUE} for no bound. */
    public long requests() {
        return requests;
    }

    /** How long streams may go on after the measured part. */
    public long drainNs() {
        return drainNs;
    }

    /** Its rate or its number of streams, for people. */
    public String label() {
        return isOpen() ? trim(rate) + "/s" : concurrency + (concurrency == 1 ? " stream" : " streams");
    }

    private static String trim(double value) {
        return value == Math.rint(value) ? Long.toString((long) value) : Objects.toString(value);
    }

    /** Collects the values of a load; each means what the method of that name in {@link LoadShape} says. */
    public static final class Builder {
        private double rate;
        private double burstiness = 1;
        private int concurrency;
        private long rampNs;
        private long warmupNs;
        private long durationNs = Long.MAX_VALUE;
        private long requests = Long.MAX_VALUE;
        private long drainNs;

        private Builder() {}

        /** See {@link LoadShape#rate}. */
        public Builder rate(double rate) {
            this.rate = rate;
            return this;
        }

        /** See {@link LoadShape#burstiness}. */
        public Builder burstiness(double burstiness) {
            this.burstiness = burstiness;
            return this;
        }

        /** See {@link LoadShape#concurrency}. */
        public Builder concurrency(int concurrency) {
            this.concurrency = concurrency;
            return this;
        }

        /** See {@link LoadShape#rampNs}. */
        public Builder rampNs(long rampNs) {
            this.rampNs = rampNs;
            return this;
        }

        /** See {@link LoadShape#warmupNs}. */
        public Builder warmupNs(long warmupNs) {
            this.warmupNs = warmupNs;
            return this;
        }

        /** See {@link LoadShape#durationNs}. */
        public Builder durationNs(long durationNs) {
            this.durationNs = durationNs;
            return this;
        }

        /** See {@link LoadShape#requests}. */
        public Builder requests(long requests) {
            this.requests = requests;
            return this;
        }

        /** See {@link LoadShape#drainNs}. */
        public Builder drainNs(long drainNs) {
            this.drainNs = drainNs;
            return this;
        }

        /** The load; throws {@link IllegalArgumentException} if a value is out of its range. */
        public LoadShape build() {
            return new LoadShape(this);
        }
    }
}
