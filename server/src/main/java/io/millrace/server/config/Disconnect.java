package io.millrace.server.config;

import java.time.Duration;
import java.util.Objects;

/**
 * What becomes of the upstream's answer when its client leaves.
 *
 * @param policy whether it is cancelled or read on
 * @param maxFrames of output read on at most; then it is cancelled
 * @param maxTime for which it is read on at most; then it is cancelled
 */
public record Disconnect(Policy policy, int maxFrames, Duration maxTime) {
    /** Cancelled at once. */
    public static final Disconnect CANCEL = new Disconnect(Policy.CANCEL, 10_000, Duration.ofSeconds(60));

    /** Read on for 10,000 frames of output or 60 s. */
    public static final Disconnect READ_ON = CANCEL.withPolicy(Policy.READ_ON);

    /** What is done. */
    public enum Policy {
        /** The upstream's connection is closed at once. */
        CANCEL,
        /** The answer is read to its end, within bounds, so that its usage is exact. */
        READ_ON
    }

    public Disconnect {
        Objects.requireNonNull(policy, "policy");
        Checks.range("maxFrames", maxFrames, 1, Integer.MAX_VALUE);
        Checks.positive("maxTime", maxTime);
    }

    /** This with another {@code policy}. */
    public Disconnect withPolicy(Policy policy) {
        return new Disconnect(policy, maxFrames, maxTime);
    }

    /** This with another {@code maxFrames}. */
    public Disconnect withMaxFrames(int maxFrames) {
        return new Disconnect(policy, maxFrames, maxTime);
    }

    /** This with another {@code maxTime}. */
    public Disconnect withMaxTime(Duration maxTime) {
        return new Disconnect(policy, maxFrames, maxTime);
    }
}
