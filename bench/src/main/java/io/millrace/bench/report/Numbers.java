package io.millrace.bench.report;

import io.millrace.bench.stats.Distribution;
import java.util.Locale;

/** Formats numbers for people. */
final class Numbers {
    private Numbers() {}

    /** Three or four significant digits; a dash if there is no value. */
    static String of(double value) {
        if (Double.isNaN(value)) {
            return "-";
        }
        double size = Math.abs(value);
        int decimals = size >= 100 || size == 0 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 3;
        return fixed(value, decimals);
    }

    /**
     * A percentile. It is a dash if less than one value lies above it, because then it would only be the largest value.
     */
    static String tail(Distribution values, double percent) {
        return of(values.told(percent));
    }

    static String fixed(double value, int decimals) {
        return Double.isNaN(value) ? "-" : String.format(Locale.ROOT, "%,." + decimals + "f", value);
    }

    static String percent(double share) {
        return Double.isNaN(share) ? "-" : String.format(Locale.ROOT, "%.1f%%", 100 * share);
    }
}
