package io.millrace.bench.stats;

import java.util.List;

/**
 * A mean of independent values with its 95% confidence interval by Student's distribution. The interval is infinite if
 * there is only one value.
 *
 * @param mean the mean of the values
 * @param low the low end of the interval
 * @param high the high end of the interval
 * @param count the number of values
 */
public record Estimate(double mean, double low, double high, int count) {
    // Two-sided 95% points of Student's t for 1 to 30 degrees of freedom.
    private static final double[] T = {
        12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131,
        2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042
    };
    private static final double Z = 1.96;

    /** The estimate from these values. NaN values are left out. */
    public static Estimate of(List<Double> values) {
        var known = values.stream().filter(Double::isFinite).toList();
        int n = known.size();
        if (n == 0) {
            return new Estimate(Double.NaN, Double.NaN, Double.NaN, 0);
        }
        double mean = known.stream().mapToDouble(Double::doubleValue).sum() / n;
        if (n == 1) {
            return new Estimate(mean, Double.NEGATIVE_INFINITY, Double.POSITIVE_INFINITY, 1);
        }
        double squares = known.stream()
                .mapToDouble(value -> (value - mean) * (value - mean))
                .sum();
        double error = Math.sqrt(squares / (n - 1) / n) * (n - 1 <= T.length ? T[n - 2] : Z);
        return new Estimate(mean, mean - error, mean + error, n);
    }

    /** Whether the interval does not include zero. */
    public boolean isSure() {
        return low > 0 || high < 0;
    }
}
