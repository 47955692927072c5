package io.millrace.server.config;

import java.time.Duration;
import java.util.Objects;

/**
 * What happens to the upstream's answer when its client leaves.
 *
 * @param policy whether it is cancelled or read on
 * @param maxFrames of output read on at most; then it is cancelled
 * @param maxTime for which it is read on at most; then it is cancelled
 */
public record Disconnect(Policy policy, int maxFrames, Duration maxTime)
        implements Settings<Disconnect, Disconnect.Builder> {
    /** The answer is cancelled at once. */
    public static final Disconnect CANCEL = Builders.build(Disconnect.class, new Builder());

    /** The answer is read on for at most 10,000 frames of output or 60 s. */
    public static final Disconnect READ_ON = CANCEL.with(d -> d.policy = Policy.READ_ON);

    /** The action. */
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

    /** The components by name; the values of a new one are the defaults. */
    public static final class Builder {
        public Policy policy = Policy.CANCEL;
        public int maxFrames = 10_000;
        public Duration maxTime = Duration.ofSeconds(60);
    }
}
