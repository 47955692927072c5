package io.millrace.codec.dialect;

import static java.util.Objects.requireNonNull;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Reads keys and values from JSON bytes in one pass, without allocation. Each byte is read once, and strings eight
 * bytes at a time. The cursor tracks the depth, so it never confuses a key with the same text in a string or in a
 * nested object.
 *
 * <p>The cursor is before a value. The caller enters it ({@link #enterObject}, {@link #enterArray}), reads it, or skips
 * it. Then the cursor is after it. Only the grammar that is needed is checked. Bytes that do not follow this grammar
 * make the cursor {@linkplain #broken() broken}: it then reports no further keys or elements.
 *
 * <p>All inspectors of a thread share one cursor: see {@link InspectorScratch}.
 */
final class JsonCursor {
    private static final int MAX_DIGITS = 18;
    private static final ObjectMapper MAPPER = new ObjectMapper();
    private static final byte[] NO_BYTES = {};

    private final Map<Dialect, FrameShapes> shapes = new EnumMap<>(Dialect.class);
    private final FrameSpans spans = new FrameSpans();
    private byte[] bytes = NO_BYTES;
    private int start;
    private int position;
    private int end;
    private int tokenStart;
    private int tokenEnd;
    private boolean broken;

    JsonCursor() {
        for (Dialect dialect : Dialect.values()) {
            shapes.put(dialect, new FrameShapes());
        }
    }

    /** Moves the cursor to other bytes. */
    JsonCursor over(byte[] newBytes, int from, int to) {
        bytes = newBytes;
        start = from;
        end = to;
        spans.clear();
        moveTo(from);
        return this;
    }

    /** The shapes of this dialect's frames that this thread has seen. */
    FrameShapes shapes(Dialect dialect) {
        return requireNonNull(shapes.get(dialect));
    }

    /** The skipped values, and the numbers that were read. */
    FrameSpans spans() {
        return spans;
    }

    byte[] bytes() {
        return bytes;
    }

    int start() {
        return start;
    }

    int position() {
        return position;
    }

    int end() {
        return end;
    }

    /** The begin of the last key or string, after its quote. */
    int tokenStart() {
        return tokenStart;
    }

    /** The end of the last key or string, before its quote. */
    int tokenEnd() {
        return tokenEnd;
    }

    /** Moves before the value at {@code index}. The cursor is no longer broken. */
    void moveTo(int index) {
        if (index < position) {
            spans.stepBack();
        }
        position = index;
        broken = false;
        skipWhiteSpace();
    }

    /** Whether the bytes ended early or are no JSON. */
    boolean broken() {
        return broken;
    }

    /** Enters the next value if it is an object. Otherwise skips it and returns {@code false}. */
    boolean enterObject() {
        return enter('{');
    }

    /** Enters the next value if it is an array. Otherwise skips it and returns {@code false}. */
    boolean enterArray() {
        return enter('[');
    }

    /** Moves to the value of the next key of the innermost object, or after the object. */
    boolean nextKey() {
        if (!nextItem('}')) {
            return false;
        }
        if (bytes[position] != '"' || !readToken()) {
            return fail();
        }
        skipWhiteSpace();
        if (position >= end || bytes[position] != ':') {
            return fail();
        }
        position++;
        skipWhiteSpace();
        return true;
    }

    /** Moves to the next element of the innermost array, or after the array. */
    boolean nextElement() {
        return nextItem(']');
    }

    /** Whether the last key or string is {@code expected}. */
    boolean tokenIs(byte[] expected) {
        return tokenEnd - tokenStart == expected.length
                && Arrays.equals(bytes, tokenStart, tokenEnd, expected, 0, expected.length);
    }

    /** The last string. Returns {@code previous} itself if it is equal, so that repetitions allocate nothing. */
    String token(@Nullable String previous) {
        if (previous != null && JsonBytes.isText(bytes, tokenStart, tokenEnd, previous)) {
            return previous;
        }
        if (JsonBytes.contains(bytes, tokenStart, tokenEnd, '\\')) {
            try {
                return MAPPER.readValue(bytes, tokenStart - 1, tokenEnd - tokenStart + 2, String.class);
            } catch (IOException e) {
                return new String(bytes, tokenStart, tokenEnd - tokenStart, StandardCharsets.UTF_8);
            }
        }
        return new String(bytes, tokenStart, tokenEnd - tokenStart, StandardCharsets.UTF_8);
    }

    /** Whether the next value is none of {@code null, false, 0, "", {}, []}. Does not move. */
    boolean truthyAhead() {
        if (position >= end) {
            return false;
        }
        return switch (bytes[position]) {
            case '"', '{', '[' -> filledAhead();
            case 't', '-', '1', '2', '3', '4', '5', '6', '7', '8', '9' -> true;
            default -> false;
        };
    }

    /** Whether the next value is a non-empty string, complete or not. Does not move. */
    boolean textAhead() {
        return position + 1 < end && bytes[position] == '"' && bytes[position + 1] != '"';
    }

    /** Whether the next value is a non-empty string, object or array, complete or not. Does not move. */
    boolean filledAhead() {
        if (position >= end) {
            return false;
        }
        return switch (bytes[position]) {
            case '"' -> textAhead();
            case '{' -> firstInside() != '}';
            case '[' -> firstInside() != ']';
            default -> false;
        };
    }

    /** Whether the next value is a string, complete or not. Does not move. */
    boolean stringAhead() {
        return position < end && bytes[position] == '"';
    }

    /** Whether the next value is an object. Does not move. */
    boolean objectAhead() {
        return position < end && bytes[position] == '{';
    }

    /** Reads the next value as the token if it is a string. Otherwise skips it and returns {@code false}. */
    boolean readString() {
        if (position < end && bytes[position] == '"') {
            return readToken();
        }
        skipValue();
        return false;
    }

    /**
     * Reads the next value as the token if it is a string or a number. Otherwise skips it and returns {@code false}.
     */
    boolean readStringOrNumber() {
        if (position < end && (bytes[position] == '-' || JsonBytes.isDigit(bytes[position]))) {
            int from = position;
            skipValue();
            tokenStart = from;
            tokenEnd = position;
            return true;
        }
        return readString();
    }

    /** Reads the integer part of the next value; {@code -1} if it is no number, negative or has more than 18 digits. */
    long readCount() {
        long value = -1;
        int from = position;
        while (position < end && JsonBytes.isDigit(bytes[position])) {
            value = Math.max(value, 0) * 10 + (bytes[position] - '0');
            if (++position - from > MAX_DIGITS) {
                value = -1;
                break;
            }
        }
        if (position == from) {
            skipValue();
        } else {
            position = JsonBytes.afterScalar(bytes, position, end);
        }
        return value;
    }

    /**
     * Reads a number as {@link #readCount} does, and notes it as the number {@code which}, which may differ between
     * frames of one shape.
     */
    long readNumber(int which) {
        int from = position;
        long value = readCount();
        if (value >= 0) {
            spans.noteNumber(which, value, bytes, from, position);
        }
        return value;
    }

    /** Skips the next value. */
    void skipValue() {
        if (position >= end) {
            fail();
            return;
        }
        switch (bytes[position]) {
            case '"' -> {
                int from = position;
                if (readToken() && tokenStart < tokenEnd) {
                    spans.note(from, tokenEnd, FrameShape.FILLED_TEXT);
                }
            }
            case '{', '[' -> skipContainer();
            default -> {
                int from = position;
                position = JsonBytes.afterScalar(bytes, from, end);
                if (position == from) {
                    fail();
                } else {
                    spans.noteInteger(bytes, from, position, FrameShape.INTEGER);
                }
            }
        }
    }

    /** Skips the next value, which may have any type. If it is a string, it may be empty. */
    void ignoreValue() {
        int from = position;
        if (from < end && bytes[from] == '"') {
            if (readToken()) {
                spans.note(from, tokenEnd, FrameShape.TEXT);
            }
        } else {
            skipValue();
        }
    }

    private boolean enter(char opening) {
        if (position < end && bytes[position] == opening) {
            position++;
            return true;
        }
        skipValue();
        return false;
    }

    private boolean nextItem(char closing) {
        int from = position;
        skipWhiteSpace();
        if (position < end && bytes[position] == ',') {
            position++;
            skipWhiteSpace();
        }
        if (position >= end) {
            return fail();
        }
        if (bytes[position] == closing) {
            spans.notePadding(bytes, from, position);
            position++;
            return false;
        }
        return true;
    }

    // <here>"...": on the opening quote
    private boolean readToken() {
        int from = position + 1;
        int close = JsonBytes.closingQuote(bytes, from, end);
        if (close >= end) {
            return fail();
        }
        tokenStart = from;
        tokenEnd = close;
        position = close + 1;
        return true;
    }

    private void skipContainer() {
        byte[] all = bytes;
        int to = end;
        int at = position;
        int depth = 0;
        do {
            switch (all[at]) {
                case '"' -> {
                    int from = at;
                    at = JsonBytes.closingQuote(all, from + 1, to);
                    spans.note(from, at, FrameShape.TEXT);
                }
                case '{', '[' -> depth++;
                case '}', ']' -> depth--;
                default -> {}
            }
            at++;
        } while (depth > 0 && at < to);
        if (depth > 0) {
            fail();
        } else {
            position = at;
        }
    }

    private int firstInside() {
        int at = JsonBytes.afterWhiteSpace(bytes, position + 1, end);
        return at < end ? bytes[at] : -1;
    }

    private void skipWhiteSpace() {
        position = JsonBytes.afterWhiteSpace(bytes, position, end);
    }

    private boolean fail() {
        broken = true;
        position = end;
        return false;
    }
}
