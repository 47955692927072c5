package io.millrace.bench.compare;

import java.util.Arrays;
import java.util.Locale;

/**
 * One figure over all rounds.
 *
 * @param rounds how many values there were
 */
record Spread(double median, double min, double max, int rounds) {
    /** The spread of one or more values. */
    static Spread of(double... values) {
        double[] sorted = values.clone();
        Arrays.sort(sorted);
        int middle = sorted.length / 2;
        double median = sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
        return new Spread(median, sorted[0], sorted[sorted.length - 1], sorted.length);
    }

    /** The median, followed by the smallest and the largest value if there were several rounds. */
    String text(int decimals) {
        String text = number(median, decimals);
        return rounds == 1 ? text : text + " (" + number(min, decimals) + "–" + number(max, decimals) + ")";
    }

    static String number(double value, int decimals) {
        return String.format(Locale.ROOT, "%,." + decimals + "f", value);
    }
}
