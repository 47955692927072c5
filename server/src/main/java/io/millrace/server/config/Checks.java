package io.millrace.server.config;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** Checks the range of settings. The message has the setting, the given value and the expected one. */
public final class Checks {
    private static final Duration LONGEST = Duration.ofDays(7);

    private Checks() {}

    /** More than zero, at most seven days. */
    public static void positive(String name, Duration value) {
        if (value.isZero() || value.isNegative()) {
            throw new IllegalArgumentException(name + ": " + value + " (expected: > 0)");
        }
        atMostAWeek(name, value);
    }

    /** Zero to seven days. */
    public static void notNegative(String name, Duration value) {
        if (value.isNegative()) {
            throw new IllegalArgumentException(name + ": " + value + " (expected: >= 0)");
        }
        atMostAWeek(name, value);
    }

    /** Between {@code min} and {@code max}, both included. */
    public static void range(String name, long value, long min, long max) {
        if (value < min || value > max) {
            throw new IllegalArgumentException(name + ": " + value + " (expected: " + min + " to " + max + ")");
        }
    }

    /** Between 0 and 1, both included. */
    public static void fraction(String name, double value) {
        if (!(value >= 0 && value <= 1)) {
            throw new IllegalArgumentException(name + ": " + value + " (expected: 0 to 1)");
        }
    }

    /** Not longer than another setting. */
    public static void atMost(String name, Duration value, String limitName, Duration limit) {
        if (value.compareTo(limit) > 0) {
            throw new IllegalArgumentException(
                    name + ": " + value + " (expected: <= " + limitName + ", " + limit + ")");
        }
    }

    /** Neither null nor blank; returns the value. */
    public static String notBlank(String name, @Nullable String value) {
        if (value == null || value.isBlank()) {
            throw new IllegalArgumentException(name + ": '" + value + "' (expected: some text)");
        }
        return value;
    }

    /** A field name of RFC 9110 section 5.1. */
    public static void headerName(String name, @Nullable String value) {
        String text = notBlank(name, value);
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            boolean token = c < 128 && (Character.isLetterOrDigit(c) || "!#$%&'*+-.^_`|~".indexOf(c) >= 0);
            if (!token) {
                throw new IllegalArgumentException(name + ": '" + value + "' (expected: a header name)");
            }
        }
    }

    private static void atMostAWeek(String name, Duration value) {
        if (value.compareTo(LONGEST) > 0) {
            throw new IllegalArgumentException(name + ": " + value + " (expected: at most " + LONGEST + ")");
        }
    }
}
