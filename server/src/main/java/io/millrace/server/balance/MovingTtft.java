package io.millrace.server.balance;

import java.util.concurrent.TimeUnit;

/**
 * An origin's moving time to first token, and how much it still says: what is not seen again is believed less and less, so
 * that an origin that drew no traffic is tried again. Not thread-safe.
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

    /** An attempt waits no more, whatever came of it. */
    void onWaited(long nowNs) {
        waiting--;
        waitedFromNs = nowNs;
    }

    /** An attempt waits no more, and that says nothing. */
    void onGivenUp() {
        waiting--;
    }

    /** Takes a time into the average. */
    void sample(long ttftNs, long nowNs) {
        double belief = known ? belief(nowNs) : 0;
        double weight = belief < LEAST_BELIEF ? 1 : Math.max(LEAST_WEIGHT, 1 - belief);
        averageNs = weight == 1 ? ttftNs : averageNs + weight * (ttftNs - averageNs);
        known = true;
        sampledNs = nowNs;
    }

    /** Forgets everything but who waits. */
    void forget() {
        known = false;
    }

    /**
     * The time to expect, as far as it is known, and where it is not, that of the faster origin that it is compared with;
     * never less than what is waited for already, so that a silent origin is left long before its attempts fail.
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

    /** How much the average still says: 1 when it was sampled, less and less after. */
    private double belief(long nowNs) {
        return Math.exp(-Math.max(0, nowNs - sampledNs) / MEMORY_NS);
    }
}
