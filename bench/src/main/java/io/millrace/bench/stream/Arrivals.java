package io.millrace.bench.stream;

import java.util.SplittableRandom;

/**
 * When the streams of an open loop are due, as nanoseconds from the start: a renewal process of gamma-distributed gaps,
 * whose rate grows linearly from 0 during the ramp. Deterministic for a seed.
 */
public final class Arrivals {
    private static final double NS_PER_S = 1e9;

    private final double rate;
    private final double shape;
    private final double rampS;
    private final SplittableRandom random;
    private double arrivals;

    /**
     * @param rate streams a second
     * @param burstiness the shape of the gamma distribution of gaps, as in vLLM: 1 is Poisson, less is burstier, more
     *     is steadier, infinity is constant
     * @param rampNs the time over which the rate grows from 0
     */
    public Arrivals(double rate, double burstiness, long rampNs, long seed) {
        if (!(rate > 0) || rate > 1e6) {
            throw new IllegalArgumentException("rate: " + rate + " (expected: > 0, <= 1000000)");
        }
        if (!(burstiness > 0)) {
            throw new IllegalArgumentException("burstiness: " + burstiness + " (expected: > 0)");
        }
        this.rate = rate;
        shape = burstiness;
        rampS = rampNs / NS_PER_S;
        random = new SplittableRandom(seed);
    }

    /** The time of the next arrival. At a constant rate, the first one is at 0, because its gap follows it. */
    public long nextNs() {
        double at = arrivals;
        arrivals += gap();
        if (!Double.isInfinite(shape)) {
            at = arrivals;
        }
        return (long) (secondsUntil(at) * NS_PER_S);
    }

    /**
     * The time at which that many streams are expected to have begun. The mean rate of a ramp is half of the full rate.
     */
    private double secondsUntil(double expected) {
        double inRamp = rate * rampS / 2;
        return expected <= inRamp ? Math.sqrt(2 * rampS * expected / rate) : expected / rate + rampS / 2;
    }

    /** A gap in units of the mean gap. */
    private double gap() {
        if (Double.isInfinite(shape)) {
            return 1;
        }
        return shape == 1 ? random.nextExponential() : gamma(shape) / shape;
    }

    // G. Marsaglia, W. W. Tsang, "A simple method for generating gamma variables", ACM TOMS 26 (2000)
    private double gamma(double k) {
        if (k < 1) {
            return gamma(k + 1) * Math.pow(1 - random.nextDouble(), 1 / k);
        }
        double d = k - 1.0 / 3;
        double c = 1 / Math.sqrt(9 * d);
        while (true) {
            double x = random.nextGaussian();
            double v = 1 + c * x;
            v = v * v * v;
            if (v > 0 && Math.log(1 - random.nextDouble()) < 0.5 * x * x + d - d * v + d * Math.log(v)) {
                return d * v;
            }
        }
    }
}
