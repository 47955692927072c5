package io.millrace.server.limit;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * A bucket that refills steadily, as the generic cell rate algorithm. It is one number: the time at which the bucket
 * will be full again. Taking units moves that time into the future by their cost. The bucket is empty if that time is
 * as far away as a whole refill takes. Any thread may use it.
 */
final class Gcra {
    /** Less than a unit, which rounding may lose. */
    private static final double ROUNDING = 1e-6;

    private final AtomicLong fullAtNs;
    private final @Nullable Tally tally;

    /**
     * How fast a bucket refills, and how much it holds.
     *
     * @param unitNs nanoseconds for one unit
     * @param units in a full bucket
     */
    record Rate(double unitNs, long units) {
        /**
         * A rate of this many units in a {@code period}, and at most {@code burst} at once; null if there is no limit.
         */
        static @Nullable Rate of(double units, TimeUnit period, long burst) {
            return units > 0 ? new Rate(period.toNanos(1) / units, burst) : null;
        }

        /** The part of one node, if {@code nodes} share the bucket equally. It takes as long to refill. */
        Rate share(int nodes) {
            return nodes == 1 ? this : new Rate(unitNs * nodes, Math.max(1, units / nodes));
        }

        long ns(long cost) {
            return (long) (cost * unitNs);
        }

        /** The time in which an empty bucket becomes full. */
        long fullNs() {
            return ns(units);
        }
    }

    /** A full bucket of this process. */
    Gcra(long nowNs) {
        this(nowNs, null);
    }

    /** A full bucket, which counts in {@code tally} what is taken, if that is not null. */
    Gcra(long nowNs, @Nullable Tally tally) {
        fullAtNs = new AtomicLong(nowNs);
        this.tally = tally;
    }

    /**
     * Takes {@code cost} units, if the bucket has them.
     *
     * @return 0 if they were taken, else the nanoseconds after which there are so many
     */
    long take(Rate rate, long cost, long nowNs) {
        long costNs = rate.ns(cost);
        long mostNs = rate.fullNs();
        while (true) {
            long fullAt = fullAtNs.get();
            long missing = Math.max(0, fullAt - nowNs) + costNs;
            if (missing > mostNs) {
                return missing - mostNs;
            }
            if (fullAtNs.compareAndSet(fullAt, nowNs + missing)) {
                count(rate, cost, nowNs);
                return 0;
            }
        }
    }

    /** Takes {@code cost} units even if the bucket does not have them. A negative cost gives units back. */
    void settle(Rate rate, long cost, long nowNs) {
        long costNs = rate.ns(cost);
        if (costNs == 0) {
            return;
        }
        while (true) {
            long fullAt = fullAtNs.get();
            // A bucket gains nothing while it is full.
            long from = costNs > 0 ? nowNs + Math.max(0, fullAt - nowNs) : fullAt;
            if (fullAtNs.compareAndSet(fullAt, from + costNs)) {
                count(rate, cost, nowNs);
                return;
            }
        }
    }

    private void count(Rate rate, long units, long nowNs) {
        if (tally != null) {
            tally.add(units, rate.units(), nowNs);
        }
    }

    /** The time at which the bucket will be full, or was. */
    long fullAtNs() {
        return fullAtNs.get();
    }

    /**
     * Moves the time at which the bucket is full to {@code next}, from {@code seen}. What was taken since it was seen, at
     * {@code seenAtNs}, is taken from {@code next}, too.
     */
    void move(long seen, long seenAtNs, long next) {
        while (true) {
            long fullAt = fullAtNs.get();
            long moved = fullAt == seen ? next : fullAt + next - Math.max(seen, seenAtNs);
            if (fullAtNs.compareAndSet(fullAt, moved)) {
                return;
            }
        }
    }

    /** Nanoseconds until the bucket is full. */
    long untilFullNs(long nowNs) {
        return Math.max(0, fullAtNs.get() - nowNs);
    }

    /** Whole units in the bucket; 0 also if it is in debt. */
    long remaining(Rate rate, long nowNs) {
        double left = rate.fullNs() - untilFullNs(nowNs);
        return (long) Math.max(0, left / rate.unitNs() + ROUNDING);
    }
}
