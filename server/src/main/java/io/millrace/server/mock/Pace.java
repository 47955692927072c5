package io.millrace.server.mock;

import java.util.SplittableRandom;

/**
 * The pauses between output frames: {@code 20} (fixed), {@code exp:20}, {@code uniform:10-30} or {@code normal:20:5},
 * all in milliseconds.
 */
record Pace(Shape shape, double a, double b) {
    enum Shape {
        FIXED,
        EXPONENTIAL,
        UNIFORM,
        NORMAL
    }

    private static final double NS_PER_MS = 1e6;

    /** @throws IllegalArgumentException without a message of use: the caller names key and value */
    static Pace parse(String text) {
        int colon = text.indexOf(':');
        if (colon < 0) {
            return new Pace(Shape.FIXED, amount(text), 0);
        }
        String rest = text.substring(colon + 1);
        return switch (text.substring(0, colon)) {
            case "exp" -> new Pace(Shape.EXPONENTIAL, amount(rest), 0);
            case "uniform" -> pair(Shape.UNIFORM, rest, '-');
            case "normal" -> pair(Shape.NORMAL, rest, ':');
            default -> throw new IllegalArgumentException(text);
        };
    }

    private static Pace pair(Shape shape, String text, char separator) {
        int cut = text.indexOf(separator);
        if (cut < 0) {
            throw new IllegalArgumentException(text);
        }
        return new Pace(shape, amount(text.substring(0, cut)), amount(text.substring(cut + 1)));
    }

    private static double amount(String text) {
        double value = Double.parseDouble(text);
        if (!(value >= 0) || value > 1e9) {
            throw new IllegalArgumentException(text);
        }
        return value;
    }

    /** The next pause in nanoseconds, never negative. */
    long nextNs(SplittableRandom random) {
        double ms = switch (shape) {
            case FIXED -> a;
            case EXPONENTIAL -> a * random.nextExponential();
            case UNIFORM -> a + (b - a) * random.nextDouble();
            case NORMAL -> a + b * random.nextGaussian();
        };
        return Math.max(0, (long) (ms * NS_PER_MS));
    }
}
