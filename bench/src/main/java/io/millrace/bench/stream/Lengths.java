package io.millrace.bench.stream;

import java.util.SplittableRandom;

/**
 * A distribution of lengths: {@code 200} (fixed), {@code uniform:100-300}, {@code normal:200:50}, {@code exp:200}. A
 * length is at least 1.
 */
public record Lengths(Shape shape, double a, double b, long most) {
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
        return of(text, MOST);
    }

    /** Parses a distribution of lengths up to {@code most}. */
    public static Lengths of(String text, long most) {
        try {
            int colon = text.indexOf(':');
            String rest = text.substring(colon + 1);
            return switch (colon < 0 ? "" : text.substring(0, colon)) {
                case "" -> new Lengths(Shape.FIXED, amount(rest, most), 0, most);
                case "exp" -> new Lengths(Shape.EXPONENTIAL, amount(rest, most), 0, most);
                case "uniform" -> pair(Shape.UNIFORM, rest, '-', most);
                case "normal" -> pair(Shape.NORMAL, rest, ':', most);
                default -> throw new IllegalArgumentException(text);
            };
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(
                    text + " (expected: NUMBER, uniform:FROM-TO, normal:MEAN:DEVIATION or exp:MEAN)", e);
        }
    }

    /** The next length. */
    public int next(SplittableRandom random) {
        return (int) Math.min(MOST, nextLong(random));
    }

    /** The next length, which may be longer than an int. */
    public long nextLong(SplittableRandom random) {
        double length = switch (shape) {
            case FIXED -> a;
            case UNIFORM -> a + (b - a) * random.nextDouble();
            case NORMAL -> a + b * random.nextGaussian();
            case EXPONENTIAL -> a * random.nextExponential();
        };
        return Math.max(1, Math.min(most, Math.round(length)));
    }

    private static Lengths pair(Shape shape, String text, char separator, long most) {
        int cut = text.indexOf(separator);
        if (cut < 0) {
            throw new IllegalArgumentException(text);
        }
        return new Lengths(shape, amount(text.substring(0, cut), most), amount(text.substring(cut + 1), most), most);
    }

    private static double amount(String text, long most) {
        double value = Double.parseDouble(text);
        if (!(value >= 0) || value > most) {
            throw new IllegalArgumentException(text);
        }
        return value;
    }
}
