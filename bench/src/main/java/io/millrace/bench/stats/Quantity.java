package io.millrace.bench.stats;

import java.util.Locale;
import java.util.regex.Pattern;

/** Reads and writes times such as {@code 800ms}, {@code 1.5s}, {@code 200us}, {@code 2m}, {@code 1h}. */
public final class Quantity {
    private static final Pattern TIME = Pattern.compile("([0-9]*\\.?[0-9]+)\\s*(ns|us|µs|ms|s|m|h)");
    private static final double LONGEST_NS = 1e18;

    private Quantity() {}

    /**
     * The time in nanoseconds.
     *
     * @throws IllegalArgumentException if the text is no time or has no unit
     */
    public static long nanos(String text) {
        var match = TIME.matcher(text.strip());
        if (!match.matches()) {
            throw new IllegalArgumentException(text + " (expected: a time such as 800ms, 1.5s or 2m)");
        }
        double ns = Double.parseDouble(match.group(1)) * unitNs(match.group(2));
        if (ns > LONGEST_NS) {
            throw new IllegalArgumentException(text + " (expected: less than 30 years)");
        }
        return Math.round(ns);
    }

    /** The time in its largest whole unit, such as {@code 500ms}. */
    public static String text(long ns) {
        if (ns == 0) {
            return "0s";
        }
        for (String unit : new String[] {"h", "m", "s", "ms", "us"}) {
            double size = unitNs(unit);
            if (ns >= size && ns % (long) size == 0) {
                return (long) (ns / size) + unit;
            }
        }
        return String.format(Locale.ROOT, "%.6gms", ns / 1e6);
    }

    private static double unitNs(String unit) {
        return switch (unit) {
            case "ns" -> 1;
            case "us", "µs" -> 1e3;
            case "ms" -> 1e6;
            case "s" -> 1e9;
            case "m" -> 60e9;
            default -> 3600e9;
        };
    }
}
