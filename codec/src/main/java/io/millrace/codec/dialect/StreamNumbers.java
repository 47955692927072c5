package io.millrace.codec.dialect;

import java.util.Arrays;

/** The numbers that a stream reports: each as it was seen last, {@code -1} if it was not seen. {@link FrameShape} numbers them. */
final class StreamNumbers {
    private final long[] values = new long[FrameShape.NUMBERS];

    StreamNumbers() {
        Arrays.fill(values, -1);
    }

    long get(int which) {
        return values[which];
    }

    /**
     * Reads the value ahead as one of the numbers. Anything but a number is skipped. Then there is no total: an older one does
     * not belong to newer counts.
     */
    void read(JsonCursor json, int which) {
        long number = json.readNumber(which);
        if (number >= 0 || which == FrameShape.TOTAL_TOKENS) {
            values[which] = number;
        }
    }

    /** Takes a number; {@code -1} changes nothing. */
    void take(int which, long number) {
        if (number >= 0) {
            values[which] = number;
        }
    }

    /** Takes all numbers of a frame; those that are {@code -1} change nothing. */
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
     * Some servers leave reasoning out of the answer's tokens: only the total has it. Others leave cached tokens out of the
     * prompt's.
     */
    private long wholeOutput() {
        long input = get(FrameShape.INPUT_TOKENS);
        long output = get(FrameShape.OUTPUT_TOKENS);
        long more = input < 0 || output < 0 ? 0 : get(FrameShape.TOTAL_TOKENS) - input - output;
        return more > 0 && more != get(FrameShape.CACHED_TOKENS) ? output + more : output;
    }
}
