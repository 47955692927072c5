package io.millrace.bench.doctor;

import io.millrace.bench.doctor.StreamView.Output;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * The times of a paced stream. A <em>clump</em> is a group of outputs that came within {@value #TOGETHER_MS} ms of each
 * other.
 *
 * @param ailment the fault that delays tokens, {@code null} if there is none
 * @param outputs the number of outputs
 * @param clumps the number of clumps
 * @param heldP50Ms the delay of the median output compared with the fastest one, NaN without stamps
 * @param heldMaxMs the delay of the slowest output compared with the fastest one, NaN without stamps
 * @param gapMs the median time between two clumps
 */
record Pacing(@Nullable Ailment ailment, int outputs, int clumps, double heldP50Ms, double heldMaxMs, double gapMs) {
    private static final double NS_PER_MS = 1e6;
    private static final double TOGETHER_MS = 4;
    private static final int FEWEST = 12;

    /** A median delay from which on a buffer is suspected. A busy machine alone delays tokens by less. */
    private static final double HELD_MS = 40;

    /** The share of the time between clumps that must be in gaps of one length, to be a comb. */
    private static final double ALIKE = 0.5;

    /** Delayed acknowledgements hold at most every other token, so more than half of the clumps remain. */
    private static final double PAIRED = 0.85;

    /** If nothing on the way holds tokens, they arrive in the time in which they were made. */
    private static final double HURRIED = 0.6;

    /**
     * Signs of a buffer without stamps: the stream has more tokens a second than a model makes, and the wait before it
     * was longer than the stream.
     */
    private static final double MOST_PER_MS = 1;

    static Pacing of(List<Output> outputs, boolean stamped, long sentNs, long endNs) {
        if (outputs.size() < FEWEST) {
            return new Pacing(null, outputs.size(), outputs.size(), Double.NaN, Double.NaN, Double.NaN);
        }
        double[] at = outputs.stream()
                .mapToDouble(output -> output.atNs() / NS_PER_MS)
                .toArray();
        double[] gaps = gapsBetweenClumps(at);
        int clumps = gaps.length + 1;
        double gap = median(gaps);
        if (!stamped) {
            double waitMs = (outputs.get(0).atNs() - sentNs) / NS_PER_MS;
            Ailment guess = guess(outputs, gaps, waitMs, (endNs - sentNs) / NS_PER_MS);
            return new Pacing(guess, outputs.size(), clumps, Double.NaN, Double.NaN, gap);
        }
        double[] made = outputs.stream()
                .mapToDouble(output -> output.madeNs() / NS_PER_MS)
                .toArray();
        double[] held = new double[at.length];
        Arrays.setAll(held, i -> at[i] - made[i]);
        double fastest = Arrays.stream(held).min().orElse(0);
        Arrays.setAll(held, i -> held[i] - fastest);
        int madeClumps = gapsBetweenClumps(made).length + 1;
        double median = median(held);
        double most = Arrays.stream(held).max().orElse(0);
        Ailment ailment = clumps <= PAIRED * madeClumps ? comb(gaps) : null;
        if (ailment == null && median >= HELD_MS) {
            if (clumps <= madeClumps / 2) {
                ailment = clumps <= 2 && span(at) < HELD_MS ? Ailment.HELD : Ailment.BUFFERED;
            }
            if (span(at) >= HELD_MS && span(at) < HURRIED * span(made) && reads(at) > outputs.size() / 2) {
                ailment = Ailment.RECHUNKED;
            }
        }
        return new Pacing(ailment, outputs.size(), clumps, median, most, gap);
    }

    private static double span(double[] at) {
        return at[at.length - 1] - at[0];
    }

    /** How many different times there are. */
    private static long reads(double[] at) {
        return Arrays.stream(at).distinct().count();
    }

    /** A description of the observed times, for people. */
    String evidence() {
        String held = Double.isNaN(heldP50Ms)
                ? ""
                : String.format(
                        Locale.ROOT,
                        "; the median token was held for %.0f ms, the slowest for %.0f ms",
                        heldP50Ms,
                        heldMaxMs);
        String every = Double.isNaN(gapMs) ? "" : String.format(Locale.ROOT, ", one every %.0f ms", gapMs);
        return outputs + " tokens came in " + clumps + " clumps" + every + held;
    }

    /** Without stamps, only the pattern can be judged. Models also send in bursts, so the pattern must be clear. */
    private static @Nullable Ailment guess(List<Output> outputs, double[] gaps, double waitMs, double totalMs) {
        int clumps = gaps.length + 1;
        double[] at = outputs.stream()
                .mapToDouble(output -> output.atNs() / NS_PER_MS)
                .toArray();
        boolean hurried = outputs.size() >= 2 * FEWEST && outputs.size() > MOST_PER_MS * span(at);
        if (hurried && reads(at) > outputs.size() / 2 && waitMs > 2 * span(at)) {
            return Ailment.RECHUNKED;
        }
        if (clumps <= 2 && outputs.size() >= 2 * FEWEST && waitMs > 1_000 && totalMs - waitMs < 0.1 * waitMs) {
            return Ailment.HELD;
        }
        if (clumps <= 2) {
            return Ailment.BURST;
        }
        if (clumps > outputs.size() / 2) {
            return null;
        }
        Ailment comb = comb(gaps);
        if (comb != null) {
            return comb;
        }
        return evenBytes(outputs) ? Ailment.BUFFERED : null;
    }

    /** Whether all clumps have the same size, which is then the size of a buffer. */
    private static boolean evenBytes(List<Output> outputs) {
        List<Double> sizes = new ArrayList<>();
        double size = 0;
        for (int i = 0; i < outputs.size(); i++) {
            if (i > 0 && (outputs.get(i).atNs() - outputs.get(i - 1).atNs()) / NS_PER_MS > TOGETHER_MS) {
                sizes.add(size);
                size = 0;
            }
            size += outputs.get(i).bytes();
        }
        double[] all = sizes.stream().skip(1).mapToDouble(Double::doubleValue).toArray();
        double median = median(all);
        long alike = Arrays.stream(all)
                .filter(one -> Math.abs(one - median) < 0.15 * median)
                .count();
        return all.length >= 3 && median > 1_000 && alike >= 0.7 * all.length;
    }

    /**
     * Behind HAProxy, pieces wait for the kernel's 200 ms and sometimes for an acknowledgement. The fault with the
     * longer share of time is returned.
     */
    private static @Nullable Ailment comb(double[] gaps) {
        if (timeShare(gaps, 36, 56) >= ALIKE) {
            return Ailment.DELAYED_ACK;
        }
        return timeShare(gaps, 190, 245) >= ALIKE ? Ailment.CORKED : null;
    }

    /** The share of all time that passed in gaps between {@code from} and {@code to}. */
    private static double timeShare(double[] gaps, double from, double to) {
        double inside =
                Arrays.stream(gaps).filter(gap -> gap >= from && gap <= to).sum();
        return gaps.length < 4 ? 0 : inside / Arrays.stream(gaps).sum();
    }

    private static double[] gapsBetweenClumps(double[] atMs) {
        List<Double> gaps = new ArrayList<>();
        double begin = atMs[0];
        for (int i = 1; i < atMs.length; i++) {
            if (atMs[i] - atMs[i - 1] > TOGETHER_MS) {
                gaps.add(atMs[i] - begin);
                begin = atMs[i];
            }
        }
        return gaps.stream().mapToDouble(Double::doubleValue).toArray();
    }

    private static double median(double[] values) {
        if (values.length == 0) {
            return Double.NaN;
        }
        double[] sorted = values.clone();
        Arrays.sort(sorted);
        return sorted[sorted.length / 2];
    }
}
