package io.millrace.server.mock;

import java.util.SplittableRandom;

/**
 * A pause and its distribution: {@code 20} (fixed), {@code exp:20}, {@code uniform:10-30}, {@code normal:20:5},
 * {@code lognormal:20:0.5} (median, and the deviation of the logarithm) or {@code bimodal:20:200:5} (20, but 200 in 5
 * of 100 cases), all in milliseconds. Lengths in tokens have the same form.
 */
record Pace(Shape shape, double a, double b, double percent) {
    /** No pause. */
    static final Pace NONE = fixed(0);

    enum Shape {
        FIXED,
        EXPONENTIAL,
        UNIFORM,
        NORMAL,
        LOG_NORMAL,
        BIMODAL
    }

    private static final double NS_PER_MS = 1e6;
    private static final long MAX_COUNT = 1_000_000;

    /** @throws IllegalArgumentException without a useful message: the caller adds key and value */
    static Pace parse(String text) {
        int colon = text.indexOf(':');
        if (colon < 0) {
            return fixed(amount(text));
        }
        String rest = text.substring(colon + 1);
        return switch (text.substring(0, colon)) {
            case "exp" -> new Pace(Shape.EXPONENTIAL, amount(rest), 0, 0);
            case "uniform" -> pair(Shape.UNIFORM, rest, '-');
            case "normal" -> pair(Shape.NORMAL, rest, ':');
            case "lognormal" -> pair(Shape.LOG_NORMAL, rest, ':');
            case "bimodal" -> bimodal(rest.split(":", -1));
            default -> throw new IllegalArgumentException(text);
        };
    }

    private static Pace pair(Shape shape, String text, char separator) {
        int cut = text.indexOf(separator);
        if (cut < 0) {
            throw new IllegalArgumentException(text);
        }
        return new Pace(shape, amount(text.substring(0, cut)), amount(text.substring(cut + 1)), 0);
    }

    private static Pace bimodal(String[] values) {
        if (values.length != 3) {
            throw new IllegalArgumentException(String.join(":", values));
        }
        double percent = amount(values[2]);
        if (percent > 100) {
            throw new IllegalArgumentException(values[2]);
        }
        return new Pace(Shape.BIMODAL, amount(values[0]), amount(values[1]), percent);
    }

    private static Pace fixed(double ms) {
        return new Pace(Shape.FIXED, ms, 0, 0);
    }

    static double amount(String text) {
        double value = Double.parseDouble(text);
        if (!(value >= 0) || value > 1e9) {
            throw new IllegalArgumentException(text);
        }
        return value;
    }

    /** The next pause in nanoseconds, never negative. */
    long nextNs(SplittableRandom random) {
        return Math.max(0, (long) (next(random) * NS_PER_MS));
    }

    /** The next length: at least 1. */
    int nextCount(SplittableRandom random) {
        return (int) Math.max(1, Math.min(MAX_COUNT, Math.round(next(random))));
    }

    private double next(SplittableRandom random) {
        return switch (shape) {
            case FIXED -> a;
            case EXPONENTIAL -> a * random.nextExponential();
            case UNIFORM -> a + (b - a) * random.nextDouble();
            case NORMAL -> a + b * random.nextGaussian();
            case LOG_NORMAL -> a * Math.exp(b * random.nextGaussian());
            case BIMODAL -> random.nextDouble() * 100 < percent ? b : a;
        };
    }
}
