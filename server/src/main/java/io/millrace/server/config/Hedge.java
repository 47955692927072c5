package io.millrace.server.config;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * When a second attempt joins a first attempt that has no output yet. The first output wins.
 *
 * @param delay without output after which it starts; null is the upstream's own 95th percentile
 * @param maxShare the most hedges among all requests, a fraction
 */
public record Hedge(@Nullable Duration delay, double maxShare) implements Settings<Hedge, Hedge.Builder> {
    /** After the upstream's own 95th percentile, for at most one request in twenty. */
    public static final Hedge P95 = Builders.build(Hedge.class, new Builder());

    public Hedge {
        if (delay != null) {
            Checks.positive("delay", delay);
        }
        Checks.fraction("maxShare", maxShare);
    }

    /** The components by name; the values of a new one are the defaults. */
    public static final class Builder {
        public @Nullable Duration delay;
        public double maxShare = 0.05;
    }
}
