package io.millrace.server.config;

import java.time.Duration;

/**
 * When a second attempt joins a first one that has no output yet; the first output wins.
 *
 * @param delay without output after which it starts; null is the upstream's own 95th percentile
 * @param maxShare the most hedges among all requests, a fraction
 */
public record Hedge(Duration delay, double maxShare) {
    /** After the upstream's own 95th percentile, for at most one request in twenty. */
    public static final Hedge P95 = new Hedge(null, 0.05);

    public Hedge {
        if (delay != null) {
            Checks.positive("delay", delay);
        }
        Checks.fraction("maxShare", maxShare);
    }

    /** This with another {@code delay}; null is the upstream's own 95th percentile. */
    public Hedge withDelay(Duration delay) {
        return new Hedge(delay, maxShare);
    }

    /** This with another {@code maxShare}. */
    public Hedge withMaxShare(double maxShare) {
        return new Hedge(delay, maxShare);
    }
}
