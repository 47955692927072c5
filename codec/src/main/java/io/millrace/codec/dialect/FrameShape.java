package io.millrace.codec.dialect;

import java.util.Arrays;

/**
 * An output frame that was parsed in full, with the places of the values that were skipped. A frame that differs only
 * in those values has the same meaning and need not be parsed.
 *
 * <p>Most frames of a stream differ only in the token, and then one comparison is enough. The values that may differ
 * are so restricted that no inspector can see a difference: see the kinds of {@linkplain FrameSpans spans}. All other
 * bytes, such as keys and names of types, must be equal. Immutable.
 */
final class FrameShape {
    /** The longest frame, in bytes, that is kept as a shape. */
    static final int MAX_FRAME_BYTES = 1024;

    /** The kind of a span: a string that is not empty, including its quotes. */
    static final int FILLED_TEXT = 0;

    /** The kind of a span: a string that may be empty, including its quotes. */
    static final int TEXT = 1;

    /** The kind of a span: an integer of at most 18 digits without a leading zero, and the byte after it. */
    static final int INTEGER = 2;

    /** The kind of a span: any number of spaces, and the bracket after them. */
    static final int PADDING = 3;

    /**
     * The kind of a span: an integer as above that is the first of the numbers that are read. The kinds of the other
     * numbers follow.
     */
    static final int FIRST_NUMBER = 4;

    /** How many numbers are read. */
    static final int NUMBERS = 7;

    /** The number of a Responses frame. */
    static final int SEQUENCE_NUMBER = 0;

    /** The number for {@link Usage#inputTokens}. */
    static final int INPUT_TOKENS = 1;

    /** The number for {@link Usage#outputTokens}. */
    static final int OUTPUT_TOKENS = 2;

    /** The number for {@link Usage#cachedTokens}. */
    static final int CACHED_TOKENS = 3;

    /** The number for {@link Usage#reasoningTokens}. */
    static final int REASONING_TOKENS = 4;

    /** The number for {@link Usage#cacheWriteTokens}. */
    static final int CACHE_WRITE_TOKENS = 5;

    /** The number of tokens of prompt and answer together. */
    static final int TOTAL_TOKENS = 6;

    /** A span has three values: its begin, its end and its kind. */
    static final int SPAN = 3;

    private static final int MAX_DIGITS = 18;

    private final long mark;
    private final byte[] frame;
    private final int[] spans;
    private final int[] numberSpans;
    private final long[] numbers;

    /**
     * Makes a shape of the frame that {@code walked} has just read.
     *
     * @param mark what an inspector needs to repeat the frame's effect on its stream
     */
    FrameShape(long mark, JsonCursor walked) {
        this.mark = mark;
        frame = Arrays.copyOfRange(walked.bytes(), walked.start(), walked.end());
        spans = walked.spans().relativeTo(walked.start());
        numberSpans = walked.spans().numberSpans().clone();
        numbers = walked.spans().numbers().clone();
    }

    /** The mark that the constructor was given. */
    long mark() {
        return mark;
    }

    /**
     * Whether the frame {@code bytes[from, to)} has this shape.
     *
     * @param matched receives the frame's numbers, {@code -1} for each that it does not have; its content is undefined
     *     without a match
     */
    boolean match(byte[] bytes, int from, int to, long[] matched) {
        System.arraycopy(numbers, 0, matched, 0, NUMBERS);
        int at = from;
        int shapeAt = 0;
        int span = 0;
        int same;
        while ((same = Arrays.mismatch(frame, shapeAt, frame.length, bytes, at, to)) >= 0) {
            int differs = shapeAt + same;
            while (span < spans.length && spans[span + 1] < differs) {
                span += SPAN;
            }
            if (span == spans.length || spans[span] > differs) {
                return false;
            }
            int value = at + spans[span] - shapeAt;
            int kind = spans[span + 2];
            at = endOfValue(kind, bytes, value, to);
            if (at < 0 || at >= to) {
                return false;
            }
            if (kind >= FIRST_NUMBER && numberSpans[kind - FIRST_NUMBER] == span) {
                matched[kind - FIRST_NUMBER] = integer(bytes, value, at);
            }
            shapeAt = spans[span + 1];
            span += SPAN;
        }
        return true;
    }

    /** Whether {@code bytes[from, to)} could be in an {@link #INTEGER} span. */
    static boolean isInteger(byte[] bytes, int from, int to) {
        return endOfInteger(bytes, from, to) == to;
    }

    /** The end of the value at {@code from}; {@code -1} or {@code to} if the value is not of the kind. */
    private static int endOfValue(int kind, byte[] bytes, int from, int to) {
        return switch (kind) {
            case FILLED_TEXT -> endOfText(bytes, from, to, 1);
            case TEXT -> endOfText(bytes, from, to, 0);
            case PADDING -> endOfPadding(bytes, from, to);
            default -> endOfInteger(bytes, from, to);
        };
    }

    private static int endOfText(byte[] bytes, int from, int to, int least) {
        if (from >= to || bytes[from] != '"') {
            return -1;
        }
        int close = JsonBytes.closingQuote(bytes, from + 1, to);
        return close > from + least ? close : -1;
    }

    private static int endOfInteger(byte[] bytes, int from, int to) {
        int at = from;
        while (at < to && bytes[at] >= '0' && bytes[at] <= '9') {
            at++;
        }
        return at > from && bytes[from] != '0' && at - from <= MAX_DIGITS ? at : -1;
    }

    private static int endOfPadding(byte[] bytes, int from, int to) {
        int at = from;
        while (at < to && bytes[at] == ' ') {
            at++;
        }
        return at;
    }

    private static long integer(byte[] bytes, int from, int to) {
        long value = 0;
        for (int at = from; at < to; at++) {
            value = value * 10 + (bytes[at] - '0');
        }
        return value;
    }
}
