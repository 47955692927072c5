package io.millrace.bench.stats;

import org.HdrHistogram.Histogram;

/** The values of one metric, in its unit. Percentiles are NaN if there is no value. */
public final class Distribution {
    private static final double Z_95 = 1.959964;
    private static final double ROUNDING = 1e-6;

    private final Metric.Unit unit;
    private final Histogram histogram;

    /** @param histogram the recorded values; it must not be changed afterwards */
    Distribution(Metric.Unit unit, Histogram histogram) {
        this.unit = unit;
        this.histogram = histogram;
    }

    /** How many values there are. */
    public long count() {
        return histogram.getTotalCount();
    }

    /** The percentile: {@code percent} per cent of the values do not exceed it. */
    public double percentile(double percent) {
        return count() == 0 ? Double.NaN : histogram.getValueAtPercentile(percent) / unit.scale();
    }

    /**
     * The percentile. It is NaN if less than one value lies above it, because then it would only be the largest value.
     */
    public double told(double percent) {
        return count() * (100 - percent) < 100 - ROUNDING ? Double.NaN : percentile(percent);
    }

    /** The mean. */
    public double mean() {
        return count() == 0 ? Double.NaN : histogram.getMean() / unit.scale();
    }

    /** The standard deviation. */
    public double deviation() {
        return count() == 0 ? Double.NaN : histogram.getStdDeviation() / unit.scale();
    }

    /** The smallest value. */
    public double min() {
        return count() == 0 ? Double.NaN : histogram.getMinValue() / unit.scale();
    }

    /** The largest value. */
    public double max() {
        return count() == 0 ? Double.NaN : histogram.getMaxValue() / unit.scale();
    }

    /**
     * The lower end of the 95% confidence interval of the median: the value of rank n/2 - 1.96 sqrt(n)/2. This assumes
     * that the values are independent of each other.
     */
    public double medianLow() {
        return ofRank(count() / 2.0 - Z_95 * Math.sqrt((double) count()) / 2);
    }

    /** The upper end of the same interval: the value of rank n/2 + 1.96 sqrt(n)/2 + 1. */
    public double medianHigh() {
        return ofRank(count() / 2.0 + Z_95 * Math.sqrt((double) count()) / 2 + 1);
    }

    /** The recorded values, in nanoseconds or thousandths. It must not be changed. */
    public Histogram histogram() {
        return histogram;
    }

    private double ofRank(double rank) {
        if (count() == 0) {
            return Double.NaN;
        }
        double bounded = Math.max(1, Math.min((double) count(), Math.floor(rank)));
        // Half a rank less, so that rounding does not select the next value.
        return percentile(100 * (bounded - 0.5) / count());
    }
}
