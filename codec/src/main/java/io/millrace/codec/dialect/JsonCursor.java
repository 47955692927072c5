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
 * Reads keys and values from JSON bytes in one pass, without allocation. Each byte is read once, and strings eight bytes at a
 * time. The cursor knows the depth of each key, so a key inside a string or a nested object is never taken for another.
 *
 * <p>The cursor is before a value. The caller enters it ({@link #enterObject}, {@link #enterArray}), reads it, or skips it; the
 * cursor is then after it. Only the grammar that is needed is checked. Bytes that cannot be followed make the cursor
 * {@linkplain #broken() broken}: there are no further keys or elements then.
 *
 * <p>There is one per thread, which all inspectors of that thread share: see {@link InspectorScratch}.
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

    /** Turns to other bytes. */
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

    /** What was skipped, and the numbers that were read. */
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

    /** Where the key or string read last begins, behind its quote. */
    int tokenStart() {
        return tokenStart;
    }

    /** Where the key or string read last ends, before its quote. */
    int tokenEnd() {
        return tokenEnd;
    }

    /** Stands before the value at {@code index}, and is whole again. */
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

    /** Enters the object ahead; any other value is skipped and {@code false} returned. */
    boolean enterObject() {
        return enter('{');
    }

    /** Enters the array ahead; any other value is skipped and {@code false} returned. */
    boolean enterArray() {
        return enter('[');
    }

    /** Moves to the value of the next key of the object entered last, or behind that object. */
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

    /** Moves to the next element of the array entered last, or behind that array. */
    boolean nextElement() {
        return nextItem(']');
    }

    /** Whether the key or string read last is {@code expected}. */
    boolean tokenIs(byte[] expected) {
        return tokenEnd - tokenStart == expected.length
                && Arrays.equals(bytes, tokenStart, tokenEnd, expected, 0, expected.length);
    }

    /** The string read last, or {@code previous} itself if it is the same (so that repeats allocate nothing). */
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

    /** Whether the value ahead is none of {@code null, false, 0, "", {}, []}. Does not move. */
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

    /** Whether a non-empty string lies ahead, complete or not. Does not move. */
    boolean textAhead() {
        return position + 1 < end && bytes[position] == '"' && bytes[position + 1] != '"';
    }

    /** Whether a string, object or array with something in it lies ahead, complete or not. Does not move. */
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

    /** Whether a string lies ahead, complete or not. Does not move. */
    boolean stringAhead() {
        return position < end && bytes[position] == '"';
    }

    /** Whether an object lies ahead, complete or not. Does not move. */
    boolean objectAhead() {
        return position < end && bytes[position] == '{';
    }

    /** Reads the string ahead as the token; any other value is skipped and {@code false} returned. */
    boolean readString() {
        if (position < end && bytes[position] == '"') {
            return readToken();
        }
        skipValue();
        return false;
    }

    /** Reads the string or number ahead as the token; any other value is skipped and {@code false} returned. */
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

    /** Reads the whole part of the number ahead; {@code -1} if it is no number, negative or beyond 18 digits. */
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

    /** Reads the number ahead as {@link #readCount} does, and remembers it as {@code which} of those that may differ. */
    long readNumber(int which) {
        int from = position;
        long value = readCount();
        if (value >= 0) {
            spans.noteNumber(which, value, bytes, from, position);
        }
        return value;
    }

    /** Skips the value ahead. */
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

    /** Skips the value ahead, which may be anything. If it is a string, it may be empty. */
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

    // <here>"...", standing on the opening quote
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
