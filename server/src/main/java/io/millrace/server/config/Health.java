package io.millrace.server.config;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * The rules that eject an origin whose attempts fail, and let it serve again.
 *
 * @param consecutiveFailures the failures in a row that eject it; 0 turns this off
 * @param failureRate the fraction of failed attempts within {@code window} that ejects it; 0 turns this off
 * @param minRequests the attempts within {@code window} that the rate needs
 * @param window the time for the rate
 * @param ejection the time of the first ejection; it is doubled for each further one
 * @param maxEjection the longest ejection
 * @param slowStart the time over which an origin that serves again regains its share
 * @param probePath the path of an active check; a status below 400 is a success; null for no active checks
 * @param probeInterval the time between two active checks of an origin
 */
public record Health(
        int consecutiveFailures,
        double failureRate,
        int minRequests,
        Duration window,
        Duration ejection,
        Duration maxEjection,
        Duration slowStart,
        @Nullable String probePath,
        Duration probeInterval)
        implements Settings<Health, Health.Builder> {
    /** Five failures in a row or half of at least 20 attempts in 10 s eject for 5 s to 300 s; no active check. */
    public static final Health DEFAULT = Builders.build(Health.class, new Builder());

    public Health {
        Checks.range("consecutiveFailures", consecutiveFailures, 0, 1_000_000);
        Checks.fraction("failureRate", failureRate);
        Checks.range("minRequests", minRequests, 1, 1_000_000);
        Checks.positive("window", window);
        Checks.positive("ejection", ejection);
        Checks.positive("maxEjection", maxEjection);
        Checks.notNegative("slowStart", slowStart);
        Checks.positive("probeInterval", probeInterval);
        Checks.atMost("ejection", ejection, "maxEjection", maxEjection);
        if (probePath != null && !isPath(probePath)) {
            throw new IllegalArgumentException("path: '" + probePath + "' (expected: a path such as /health)");
        }
    }

    /** A request target of RFC 9112 section 3.2.1 in its origin form: visible ASCII that begins with a slash. */
    private static boolean isPath(String path) {
        return path.startsWith("/") && path.chars().allMatch(c -> c > ' ' && c < 0x7f && c != '#');
    }

    /** The components by name; the values of a new one are the defaults. */
    public static final class Builder {
        public int consecutiveFailures = 5;
        public double failureRate = 0.5;
        public int minRequests = 20;
        public Duration window = Duration.ofSeconds(10);
        public Duration ejection = Duration.ofSeconds(5);
        public Duration maxEjection = Duration.ofMinutes(5);
        public Duration slowStart = Duration.ofSeconds(10);
        public @Nullable String probePath;
        public Duration probeInterval = Duration.ofSeconds(10);
    }
}
