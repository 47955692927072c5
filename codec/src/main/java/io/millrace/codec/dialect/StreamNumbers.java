package io.millrace.codec.dialect;

import java.util.Arrays;

/**
 * The last value of each number that a stream reports, {@code -1} if there is none. {@link FrameShape} has the indices.
 */
final class StreamNumbers {
    private final long[] values = new long[FrameShape.NUMBERS];

    StreamNumbers() {
        Arrays.fill(values, -1);
    }

    long get(int which) {
        return values[which];
    }

    /**
     * Reads the next value as one of the numbers. Other values are skipped. This removes the total, because an older
     * total does not belong to newer counts.
     */
    void read(JsonCursor json, int which) {
        long number = json.readNumber(which);
        if (number >= 0 || which == FrameShape.TOTAL_TOKENS) {
            values[which] = number;
        }
    }

    /** Sets a number; {@code -1} changes nothing. */
    void take(int which, long number) {
        if (number >= 0) {
            values[which] = number;
        }
    }

    /** Sets all numbers of a frame; {@code -1} changes nothing. */
    void takeAll(long[] numbers) {
        for (int i = 0; i < FrameShape.NUMBERS; i++) {
            take(i, numbers[i]);
        }
    }

    /** The token counts, a new record each time. */
    Usage usage() {
        return new Usage(
                get(FrameShape.INPUT_TOKENS),
                wholeOutput(),
                get(FrameShape.CACHED_TOKENS),
                get(FrameShape.REASONING_TOKENS),
                get(FrameShape.CACHE_WRITE_TOKENS));
    }

    /**
     * The output tokens with reasoning, which some servers count only in the total. A difference of exactly the cached
     * tokens is not reasoning: some servers leave cached tokens out of the prompt.
     */
    private long wholeOutput() {
        long input = get(FrameShape.INPUT_TOKENS);
        long output = get(FrameShape.OUTPUT_TOKENS);
        long more = input < 0 || output < 0 ? 0 : get(FrameShape.TOTAL_TOKENS) - input - output;
        return more > 0 && more != get(FrameShape.CACHED_TOKENS) ? output + more : output;
    }
}
