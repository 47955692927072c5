package io.millrace.server.mock;

import java.util.SplittableRandom;
import java.util.concurrent.atomic.LongAdder;

/**
 * The times at which the frames of one answer are due, as with a model. A model first reads the prompt. Then each step
 * makes one token for every answer in progress. A step takes longer if more answers are in progress.
 */
final class Rhythm {
    private static final double NS_PER_S = 1e9;

    private final Pace ttft;
    private final Pace gap;
    private final int prefillTokensPerSecond;
    private final long batchNs;
    private final SplittableRandom random;

    Rhythm(MockSpec spec, SplittableRandom random) {
        ttft = spec.ttft();
        gap = spec.pace();
        prefillTokensPerSecond = spec.count(SpecKey.PREFILL_TPS, 0);
        batchNs = spec.nanos(SpecKey.BATCH_MS);
        this.random = random;
    }

    /** Nanoseconds until the first frame of an answer to a prompt of that many tokens. */
    long firstNs(int promptTokens) {
        long prefill = prefillTokensPerSecond == 0 ? 0 : (long) (promptTokens * NS_PER_S / prefillTokensPerSecond);
        return ttft.nextNs(random) + prefill;
    }

    /**
     * Nanoseconds until the next frame.
     *
     * @param active the number of answers in progress, including this one
     */
    long nextNs(LongAdder active) {
        long others = batchNs == 0 ? 0 : Math.max(0, active.sum() - 1);
        return gap.nextNs(random) + others * batchNs;
    }
}
