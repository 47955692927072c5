package io.millrace.server.mock;

import java.util.SplittableRandom;
import java.util.concurrent.atomic.LongAdder;

/**
 * When the frames of one answer are due, as with a model: it reads the prompt first, and then each step makes one token for
 * every answer that is in progress, which takes the longer the more there are.
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

    /** Nanoseconds to the first frame of an answer to that many tokens. */
    long firstNs(int promptTokens) {
        long prefill = prefillTokensPerSecond == 0 ? 0 : (long) (promptTokens * NS_PER_S / prefillTokensPerSecond);
        return ttft.nextNs(random) + prefill;
    }

    /**
     * Nanoseconds to the next frame.
     *
     * @param active how many answers are in progress, this one included
     */
    long nextNs(LongAdder active) {
        long others = batchNs == 0 ? 0 : Math.max(0, active.sum() - 1);
        return gap.nextNs(random) + others * batchNs;
    }
}
