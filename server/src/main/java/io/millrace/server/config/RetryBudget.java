package io.millrace.server.config;

/**
 * Keeps retries from making an outage worse: limits the retries of an upstream in relation to its requests.
 *
 * @param ratio of the requests of the last ten seconds
 * @param perSecond on top of that, in the mean of the last ten seconds, so that a quiet upstream may be retried, too
 */
public record RetryBudget(double ratio, int perSecond) implements Settings<RetryBudget, RetryBudget.Builder> {
    /** A fifth of the requests, and one a second. */
    public static final RetryBudget DEFAULT = Builders.build(RetryBudget.class, new Builder());

    public RetryBudget {
        Checks.fraction("ratio", ratio);
        Checks.range("perSecond", perSecond, 0, 1_000_000);
    }

    /** The components by name; the values of a new one are the defaults. */
    public static final class Builder {
        public double ratio = 0.2;
        public int perSecond = 1;
    }
}
