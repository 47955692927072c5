package io.millrace.server.config.file;

import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Durations such as {@code 250ms} and sizes such as {@code 64KiB}, read and written. */
final class Quantities {
    private static final Pattern DURATION = Pattern.compile("(\\d{1,12})\\s*(ms|s|m|h|d)");
    private static final Pattern SIZE = Pattern.compile("(\\d{1,15})\\s*(B|KiB|MiB|GiB)?");
    static final Shape DURATION_SHAPE =
            Shape.pattern("^\\d{1,12}\\s*(ms|s|m|h|d)$").or(new Shape.Plain(Map.of("const", 0)));
    static final Shape SIZE_SHAPE =
            Shape.pattern("^\\d{1,15}\\s*(B|KiB|MiB|GiB)?$").or(Shape.WHOLE);
    private static final String[] SIZE_UNITS = {"B", "KiB", "MiB", "GiB"};

    private Quantities() {}

    /** A number and one of ms, s, m, h, d; or 0. */
    static Duration duration(String text) {
        if (text.equals("0")) {
            return Duration.ZERO;
        }
        Matcher matcher = DURATION.matcher(text);
        if (!matcher.matches()) {
            throw new IllegalArgumentException("'" + text + "' (expected: a duration such as 15s, 250ms or 10m)");
        }
        long amount = Long.parseLong(matcher.group(1));
        return switch (matcher.group(2)) {
            case "ms" -> Duration.ofMillis(amount);
            case "s" -> Duration.ofSeconds(amount);
            case "m" -> Duration.ofMinutes(amount);
            case "h" -> Duration.ofHours(amount);
            default -> Duration.ofDays(amount);
        };
    }

    /** A duration, or {@code p95}, which is empty. */
    static Optional<Duration> delay(String text) {
        if (text.equals("p95")) {
            return Optional.empty();
        }
        try {
            return Optional.of(duration(text));
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException("'" + text + "' (expected: off, p95 or a duration)", e);
        }
    }

    /** The text of a duration in the largest unit that is exact, as {@link #duration} reads it. */
    static String format(Duration duration) {
        long millis = duration.toMillis();
        if (millis % 1000 != 0) {
            return millis + "ms";
        }
        long seconds = millis / 1000;
        if (seconds % 3600 == 0 && seconds != 0) {
            return seconds / 3600 + "h";
        }
        return seconds % 60 == 0 && seconds >= 600 ? seconds / 60 + "m" : seconds + "s";
    }

    /** A number of bytes, or a number and one of B, KiB, MiB, GiB. */
    static long size(String text) {
        Matcher matcher = SIZE.matcher(text);
        if (!matcher.matches()) {
            throw new IllegalArgumentException("'" + text + "' (expected: a size such as 65536, 64KiB or 32MiB)");
        }
        long amount = Long.parseLong(matcher.group(1));
        int unit = 0;
        while (matcher.group(2) != null && !SIZE_UNITS[unit].equals(matcher.group(2))) {
            unit++;
        }
        if (amount > Long.MAX_VALUE >> (10 * unit)) {
            throw new IllegalArgumentException("'" + text + "' (expected: less than 8 EiB)");
        }
        return amount << (10 * unit);
    }

    /** The text of a size in the largest unit that is exact, as {@link #size} reads it. */
    static String formatSize(long bytes) {
        int unit = 0;
        long amount = bytes;
        while (amount != 0 && unit < SIZE_UNITS.length - 1 && amount % 1024 == 0) {
            amount /= 1024;
            unit++;
        }
        return amount + SIZE_UNITS[unit];
    }
}
