package io.millrace.server.balance;

import java.util.concurrent.TimeUnit;

/**
 * The moving average of an origin's time to first token. Its weight falls with its age, so that an origin without traffic
 * is tried again. Not thread-safe.
 */
final class MovingTtft {
    private static final double LEAST_WEIGHT = 0.1;
    private static final double LEAST_BELIEF = 0.05;
    private static final double MEMORY_NS = TimeUnit.SECONDS.toNanos(5);

    private double averageNs;
    private boolean known;
    private int waiting;
    private long sampledNs;
    private long waitedFromNs;

    /** An attempt waits for its first output. */
    void onStart(long nowNs) {
        if (waiting++ == 0) {
            waitedFromNs = nowNs;
        }
    }

    /** An attempt has its first output, or has failed. */
    void onWaited(long nowNs) {
        waiting--;
        waitedFromNs = nowNs;
    }

    /** An attempt has ended without a result for the average. */
    void onGivenUp() {
        waiting--;
    }

    /** Adds a time to the average. */
    void sample(long ttftNs, long nowNs) {
        double belief = known ? belief(nowNs) : 0;
        double weight = belief < LEAST_BELIEF ? 1 : Math.max(LEAST_WEIGHT, 1 - belief);
        averageNs = weight == 1 ? ttftNs : averageNs + weight * (ttftNs - averageNs);
        known = true;
        sampledNs = nowNs;
    }

    /** Forgets the average. Attempts that wait are still counted. */
    void forget() {
        known = false;
    }

    /**
     * The expected time. Where the average has little weight, the time of the faster origin in the comparison counts. It
     * is at least the longest present wait, so that a silent origin is avoided long before its attempts fail.
     */
    double expectedNs(double fasterNs, long nowNs) {
        long untilNs = waiting == 0 || nowNs - waitedFromNs < 0 ? nowNs : waitedFromNs;
        double belief = known ? belief(untilNs) : 0;
        double expected = belief < LEAST_BELIEF ? fasterNs : fasterNs + belief * (averageNs - fasterNs);
        return waiting == 0 ? expected : Math.max(expected, (double) (nowNs - waitedFromNs));
    }

    /** The average, or {@code otherwise} if there is none. */
    double averageNs(double otherwise) {
        return known ? averageNs : otherwise;
    }

    /** The weight of the average: 1 at its last sample, then it falls. */
    private double belief(long nowNs) {
        return Math.exp(-Math.max(0, nowNs - sampledNs) / MEMORY_NS);
    }
}
