package io.millrace.codec.dialect;

import java.util.Arrays;

/**
 * The values that a cursor skipped in a frame, and the numbers that it read. {@link FrameShape} is made from them. A
 * span is the begin, the end and the kind of a string, of an integer, or of the padding before a closing bracket. Spans
 * are in ascending order. Some may be missing. None is from before a step back.
 */
final class FrameSpans {
    private static final int MAX_SPANS = 64;

    private final int[] spans = new int[FrameShape.SPAN * MAX_SPANS];
    private int length;
    private final long[] numbers = new long[FrameShape.NUMBERS];
    private final int[] numberSpans = new int[FrameShape.NUMBERS];
    private final long[] matched = new long[FrameShape.NUMBERS];
    private boolean numbersUsed = true;

    /** Begins another frame. */
    void clear() {
        stepBack();
        if (numbersUsed) {
            numbersUsed = false;
            Arrays.fill(numbers, -1);
        }
    }

    /** Removes all spans, because the cursor stepped back. */
    void stepBack() {
        length = 0;
        if (numbersUsed) {
            Arrays.fill(numberSpans, -1);
        }
    }

    /** A copy of the spans, with indices relative to {@code start}. */
    int[] relativeTo(int start) {
        int[] relative = Arrays.copyOf(spans, length);
        for (int i = 0; i < length; i += FrameShape.SPAN) {
            relative[i] -= start;
            relative[i + 1] -= start;
        }
        return relative;
    }

    /** The index of the span of each of the {@linkplain #numbers() numbers}, {@code -1} if it has none. */
    int[] numberSpans() {
        return numberSpans;
    }

    /** The last value of each number, {@code -1} if there is none. */
    long[] numbers() {
        return numbers;
    }

    /** Receives the numbers of a frame that is compared with a shape. */
    long[] matched() {
        return matched;
    }

    /** Notes a span, if there is room. */
    boolean note(int from, int to, int kind) {
        int at = length;
        if (at == spans.length) {
            return false;
        }
        spans[at] = from;
        spans[at + 1] = to;
        spans[at + 2] = kind;
        length = at + FrameShape.SPAN;
        return true;
    }

    /** Notes {@code bytes[from, to)} if it is an integer that another integer may replace. */
    boolean noteInteger(byte[] bytes, int from, int to, int kind) {
        return FrameShape.isInteger(bytes, from, to) && note(from, to, kind);
    }

    /** Notes {@code bytes[from, to)} if it has only spaces. */
    void notePadding(byte[] bytes, int from, int to) {
        for (int at = from; at < to; at++) {
            if (bytes[at] != ' ') {
                return;
            }
        }
        note(from, to, FrameShape.PADDING);
    }

    /** Notes that {@code bytes[from, to)} is the value of one of the numbers. */
    void noteNumber(int which, long value, byte[] bytes, int from, int to) {
        numbersUsed = true;
        numbers[which] = value;
        boolean noted = noteInteger(bytes, from, to, FrameShape.FIRST_NUMBER + which);
        numberSpans[which] = noted ? length - FrameShape.SPAN : -1;
    }
}
