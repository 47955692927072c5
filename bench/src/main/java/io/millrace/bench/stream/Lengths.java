package io.millrace.bench.stream;

import java.util.SplittableRandom;

/**
 * A distribution of lengths: {@code 200} (fixed), {@code uniform:100-300}, {@code normal:200:50}, {@code exp:200}. A
 * length is at least 1.
 */
public record Lengths(Shape shape, double a, double b) {
    private static final int MOST = 1_000_000;

    /** Its form. */
    public enum Shape {
        FIXED,
        UNIFORM,
        NORMAL,
        EXPONENTIAL
    }

    /**
     * Parses a distribution.
     *
     * @throws IllegalArgumentException with the expected form
     */
    public static Lengths parse(String text) {
        try {
            int colon = text.indexOf(':');
            String rest = text.substring(colon + 1);
            return switch (colon < 0 ? "" : text.substring(0, colon)) {
                case "" -> new Lengths(Shape.FIXED, amount(rest), 0);
                case "exp" -> new Lengths(Shape.EXPONENTIAL, amount(rest), 0);
                case "uniform" -> pair(Shape.UNIFORM, rest, '-');
                case "normal" -> pair(Shape.NORMAL, rest, ':');
                default -> throw new IllegalArgumentException(text);
            };
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(
                    text + " (expected: NUMBER, uniform:FROM-TO, normal:MEAN:DEVIATION or exp:MEAN)", e);
        }
    }

    /** The next length. */
    public int next(SplittableRandom random) {
        double length = switch (shape) {
            case FIXED -> a;
            case UNIFORM -> a + (b - a) * random.nextDouble();
            case NORMAL -> a + b * random.nextGaussian();
            case EXPONENTIAL -> a * random.nextExponential();
        };
        return (int) Math.max(1, Math.min(MOST, Math.round(length)));
    }

    private static Lengths pair(Shape shape, String text, char separator) {
        int cut = text.indexOf(separator);
        if (cut < 0) {
            throw new IllegalArgumentException(text);
        }
        return new Lengths(shape, amount(text.substring(0, cut)), amount(text.substring(cut + 1)));
    }

    private static double amount(String text) {
        double value = Double.parseDouble(text);
        if (!(value >= 0) || value > MOST) {
            throw new IllegalArgumentException(text);
        }
        return value;
    }
}
