package io.millrace.server.config;

/**
 * Keeps retries from multiplying an outage: how many an upstream may get beside its requests.
 *
 * @param ratio of the requests of the last ten seconds
 * @param perSecond on top of that, in the mean of the last ten seconds, so that a quiet upstream may be retried, too
 */
public record RetryBudget(double ratio, int perSecond) {
    /** A fifth of the requests, and one a second. */
    public static final RetryBudget DEFAULT = new RetryBudget(0.2, 1);

    public RetryBudget {
        Checks.fraction("ratio", ratio);
        Checks.range("perSecond", perSecond, 0, 1_000_000);
    }

    /** This with another {@code ratio}. */
    public RetryBudget withRatio(double ratio) {
        return new RetryBudget(ratio, perSecond);
    }

    /** This with another {@code perSecond}. */
    public RetryBudget withPerSecond(int perSecond) {
        return new RetryBudget(ratio, perSecond);
    }
}
