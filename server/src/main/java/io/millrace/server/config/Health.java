package io.millrace.server.config;

import java.time.Duration;

/**
 * When an origin gets no requests for a while because its attempts fail, and how it comes back.
 *
 * @param consecutiveFailures without a success between them that eject it; 0 is none
 * @param failureRate of the attempts within {@code window} that ejects it, a fraction; 0 is none
 * @param minRequests within {@code window} below which the rate says nothing
 * @param window over which the rate is taken
 * @param ejection the first time; doubled each further time
 * @param maxEjection the longest time
 * @param slowStart over which an origin that came back gets its share again
 * @param probePath asked by an active check: an answer below 400 is a success; null is no active check
 * @param probeInterval between two active checks of an origin
 */
public record Health(
        int consecutiveFailures,
        double failureRate,
        int minRequests,
        Duration window,
        Duration ejection,
        Duration maxEjection,
        Duration slowStart,
        String probePath,
        Duration probeInterval) {
    /** Five failures in a row or half of at least 20 attempts in 10 s eject for 5 s to 300 s; no active check. */
    public static final Health DEFAULT = new Health(
            5,
            0.5,
            20,
            Duration.ofSeconds(10),
            Duration.ofSeconds(5),
            Duration.ofSeconds(300),
            Duration.ofSeconds(10),
            null,
            Duration.ofSeconds(10));

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

    /** This with another {@code consecutiveFailures}. */
    public Health withConsecutiveFailures(int consecutiveFailures) {
        return new Health(
                consecutiveFailures,
                failureRate,
                minRequests,
                window,
                ejection,
                maxEjection,
                slowStart,
                probePath,
                probeInterval);
    }

    /** This with another {@code failureRate}. */
    public Health withFailureRate(double failureRate) {
        return new Health(
                consecutiveFailures,
                failureRate,
                minRequests,
                window,
                ejection,
                maxEjection,
                slowStart,
                probePath,
                probeInterval);
    }

    /** This with another {@code minRequests}. */
    public Health withMinRequests(int minRequests) {
        return new Health(
                consecutiveFailures,
                failureRate,
                minRequests,
                window,
                ejection,
                maxEjection,
                slowStart,
                probePath,
                probeInterval);
    }

    /** This with another {@code window}. */
    public Health withWindow(Duration window) {
        return new Health(
                consecutiveFailures,
                failureRate,
                minRequests,
                window,
                ejection,
                maxEjection,
                slowStart,
                probePath,
                probeInterval);
    }

    /** This with another {@code ejection}. */
    public Health withEjection(Duration ejection) {
        return new Health(
                consecutiveFailures,
                failureRate,
                minRequests,
                window,
                ejection,
                maxEjection,
                slowStart,
                probePath,
                probeInterval);
    }

    /** This with another {@code maxEjection}. */
    public Health withMaxEjection(Duration maxEjection) {
        return new Health(
                consecutiveFailures,
                failureRate,
                minRequests,
                window,
                ejection,
                maxEjection,
                slowStart,
                probePath,
                probeInterval);
    }

    /** This with another {@code slowStart}. */
    public Health withSlowStart(Duration slowStart) {
        return new Health(
                consecutiveFailures,
                failureRate,
                minRequests,
                window,
                ejection,
                maxEjection,
                slowStart,
                probePath,
                probeInterval);
    }

    /** This with active checks of {@code probePath}; null is none. */
    public Health withProbePath(String probePath) {
        return new Health(
                consecutiveFailures,
                failureRate,
                minRequests,
                window,
                ejection,
                maxEjection,
                slowStart,
                probePath,
                probeInterval);
    }

    /** This with another {@code probeInterval}. */
    public Health withProbeInterval(Duration probeInterval) {
        return new Health(
                consecutiveFailures,
                failureRate,
                minRequests,
                window,
                ejection,
                maxEjection,
                slowStart,
                probePath,
                probeInterval);
    }

    /** A request target of RFC 9112 section 3.2.1 in its origin form: visible ASCII that begins with a slash. */
    private static boolean isPath(String path) {
        return path.startsWith("/") && path.chars().allMatch(c -> c > ' ' && c < 0x7f && c != '#');
    }
}
