package io.millrace.codec.dialect;

import static java.util.Objects.requireNonNull;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.netty.buffer.ByteBuf;
import io.netty.util.concurrent.FastThreadLocal;
import java.io.IOException;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
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
 * <p>There is one per thread, which all inspectors of that thread share. None keeps it beyond one frame.
 */
final class JsonCursor {
    private static final VarHandle LONGS = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);
    private static final long ONES = 0x0101010101010101L;
    private static final long HIGH_BITS = 0x8080808080808080L;
    private static final long QUOTES = '"' * ONES;
    private static final long BACKSLASHES = '\\' * ONES;
    private static final int MAX_DIGITS = 18;
    private static final int MAX_SPANS = 64;
    private static final int INITIAL_SCRATCH_BYTES = 4096;
    private static final int KEPT_SCRATCH_BYTES = 64 * 1024;
    private static final int SHORT_FRAMES_TO_SHRINK = 256;
    private static final ObjectMapper MAPPER = new ObjectMapper();
    private static final FastThreadLocal<JsonCursor> CURRENT = new FastThreadLocal<>() {
        @Override
        protected JsonCursor initialValue() {
            return new JsonCursor();
        }
    };

    private final Map<Dialect, FrameShapes> shapes = new EnumMap<>(Dialect.class);
    private final int[] spans = new int[FrameShape.SPAN * MAX_SPANS];
    private int spansLength;
    private final long[] numbers = new long[FrameShape.NUMBERS];
    private final long[] matched = new long[FrameShape.NUMBERS];
    private final int[] numberSpans = new int[FrameShape.NUMBERS];
    private boolean numbersUsed = true;
    private byte[] scratch = new byte[INITIAL_SCRATCH_BYTES];
    private byte[] bytes = scratch;
    private int shortFrames;
    private int start;
    private int position;
    private int end;
    private int tokenStart;
    private int tokenEnd;
    private boolean broken;

    private JsonCursor() {
        for (Dialect dialect : Dialect.values()) {
            shapes.put(dialect, new FrameShapes());
        }
    }

    /** This thread's cursor over {@code buf[from, to)}. The bytes are copied unless the buffer has an array. */
    static JsonCursor over(ByteBuf buf, int from, int to) {
        JsonCursor cursor = CURRENT.get();
        if (buf.hasArray()) {
            int offset = buf.arrayOffset();
            return cursor.over(buf.array(), offset + from, offset + to);
        }
        int length = to - from;
        cursor.fitScratch(length);
        if (buf.nioBufferCount() == 1) {
            // As getBytes does, without the view that it allocates if the JIT does not remove it.
            buf.internalNioBuffer(from, length).get(cursor.scratch, 0, length);
        } else {
            buf.getBytes(from, cursor.scratch, 0, length);
        }
        return cursor.over(cursor.scratch, 0, length);
    }

    /** Grows at once, and shrinks after a while without long frames, so that one long frame does not take memory for ever. */
    private void fitScratch(int length) {
        if (scratch.length < length) {
            scratch = new byte[Integer.highestOneBit(length) << 1];
        }
        if (length > KEPT_SCRATCH_BYTES || scratch.length <= KEPT_SCRATCH_BYTES) {
            shortFrames = 0;
        } else if (++shortFrames > SHORT_FRAMES_TO_SHRINK) {
            scratch = new byte[KEPT_SCRATCH_BYTES];
        }
    }

    /** Bytes that this thread's cursor keeps for the next frame. */
    static int keptBytes() {
        return CURRENT.get().scratch.length;
    }

    /** This thread's cursor over {@code bytes[from, to)}. */
    static JsonCursor overArray(byte[] bytes, int from, int to) {
        return CURRENT.get().over(bytes, from, to);
    }

    /** Turns to other bytes. */
    JsonCursor over(byte[] newBytes, int from, int to) {
        bytes = newBytes;
        start = from;
        end = to;
        forgetSpans();
        if (numbersUsed) {
            numbersUsed = false;
            Arrays.fill(numbers, -1);
        }
        moveTo(from);
        return this;
    }

    /** The shapes of this dialect's frames that this thread has seen. */
    FrameShapes shapes(Dialect dialect) {
        return requireNonNull(shapes.get(dialect));
    }

    /**
     * What was skipped: begin, end and kind of each string, integer and padding before a closing bracket, relative to
     * {@link #start}, ascending. Not all of them need be there, and none is from before a step back.
     */
    int[] spans() {
        int[] relative = Arrays.copyOf(spans, spansLength);
        for (int i = 0; i < spansLength; i += FrameShape.SPAN) {
            relative[i] -= start;
            relative[i + 1] -= start;
        }
        return relative;
    }

    /** Where in {@link #spans} each of the {@linkplain #numbers() numbers} is, {@code -1} if it is not there. */
    int[] numberSpans() {
        return numberSpans;
    }

    /** What {@link #readNumber} read last of each, {@code -1} if nothing. */
    long[] numbers() {
        return numbers;
    }

    /** Where a shape that is compared with these bytes writes their numbers. */
    long[] matched() {
        return matched;
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
            forgetSpans();
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

    /** Whether the string read last is {@code lowerCase}, whatever the case of its own letters. */
    boolean tokenIsLike(byte[] lowerCase) {
        if (tokenEnd - tokenStart != lowerCase.length) {
            return false;
        }
        for (int i = 0; i < lowerCase.length; i++) {
            byte b = bytes[tokenStart + i];
            if ((b >= 'A' && b <= 'Z' ? b | 0x20 : b) != lowerCase[i]) {
                return false;
            }
        }
        return true;
    }

    /** The string read last, or {@code previous} itself if it is the same (so that repeats allocate nothing). */
    String token(@Nullable String previous) {
        if (previous != null && sameAscii(previous)) {
            return previous;
        }
        if (hasBackslash()) {
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

    /** Whether these bytes lie ahead. Does not move. */
    boolean startsWith(byte[] prefix) {
        return FieldLines.startsWith(bytes, position, end, prefix);
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
        if (position < end && (bytes[position] == '-' || isDigit(bytes[position]))) {
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
        while (position < end && isDigit(bytes[position])) {
            value = Math.max(value, 0) * 10 + (bytes[position] - '0');
            if (++position - from > MAX_DIGITS) {
                value = -1;
                break;
            }
        }
        if (position == from) {
            skipValue();
        } else {
            skipScalar();
        }
        return value;
    }

    /** Reads the number ahead as {@link #readCount} does, and remembers it as {@code which} of those that may differ. */
    long readNumber(int which) {
        int from = position;
        long value = readCount();
        if (value >= 0) {
            numbersUsed = true;
            numbers[which] = value;
            numberSpans[which] =
                    noteInteger(from, FrameShape.FIRST_NUMBER + which) ? spansLength - FrameShape.SPAN : -1;
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
            case '"' -> skipString();
            case '{', '[' -> skipContainer();
            default -> {
                int from = position;
                skipScalar();
                if (position == from) {
                    fail();
                } else {
                    noteInteger(from, FrameShape.INTEGER);
                }
            }
        }
    }

    /** Skips the value ahead, which may be anything. If it is a string, it may be empty. */
    void ignoreValue() {
        int from = position;
        if (from < end && bytes[from] == '"') {
            if (readToken()) {
                noteSpan(from, tokenEnd, FrameShape.TEXT);
            }
        } else {
            skipValue();
        }
    }

    private void skipString() {
        int from = position;
        if (readToken() && tokenStart < tokenEnd) {
            noteSpan(from, tokenEnd, FrameShape.FILLED_TEXT);
        }
    }

    /** Whether what lies between {@code from} and here is an integer that may stand for another. */
    private boolean noteInteger(int from, int kind) {
        return FrameShape.isInteger(bytes, from, position) && noteSpan(from, position, kind);
    }

    private void notePadding(int from) {
        for (int at = from; at < position; at++) {
            if (bytes[at] != ' ') {
                return;
            }
        }
        noteSpan(from, position, FrameShape.PADDING);
    }

    private boolean noteSpan(int from, int to, int kind) {
        int at = spansLength;
        if (at == spans.length) {
            return false;
        }
        spans[at] = from;
        spans[at + 1] = to;
        spans[at + 2] = kind;
        spansLength = at + FrameShape.SPAN;
        return true;
    }

    private void forgetSpans() {
        spansLength = 0;
        if (numbersUsed) {
            Arrays.fill(numberSpans, -1);
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
            notePadding(from);
            position++;
            return false;
        }
        return true;
    }

    // <here>"...", standing on the opening quote
    private boolean readToken() {
        int from = position + 1;
        int close = closingQuote(bytes, from, end);
        if (close >= end) {
            return fail();
        }
        tokenStart = from;
        tokenEnd = close;
        position = close + 1;
        return true;
    }

    /** The quote that ends the string at {@code from}; {@code end} or beyond if there is none. */
    static int closingQuote(byte[] bytes, int from, int end) {
        int at = from;
        while ((at = quoteOrBackslash(bytes, at, end)) < end && bytes[at] == '\\') {
            at += 2;
        }
        return at;
    }

    private static int quoteOrBackslash(byte[] bytes, int from, int end) {
        int at = from;
        for (int last = end - Long.BYTES; at <= last; at += Long.BYTES) {
            long word = (long) LONGS.get(bytes, at);
            long found = zeroBytes(word ^ QUOTES) | zeroBytes(word ^ BACKSLASHES);
            if (found != 0) {
                return at + (Long.numberOfTrailingZeros(found) >>> 3);
            }
        }
        while (at < end && bytes[at] != '"' && bytes[at] != '\\') {
            at++;
        }
        return at;
    }

    /** The high bit of the lowest zero byte is set, and of no byte below it. */
    private static long zeroBytes(long word) {
        return (word - ONES) & ~word & HIGH_BITS;
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
                    at = closingQuote(all, from + 1, to);
                    noteSpan(from, at, FrameShape.TEXT);
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

    private void skipScalar() {
        while (position < end && isScalar(bytes[position])) {
            position++;
        }
    }

    private int firstInside() {
        int at = position + 1;
        while (at < end && isWhiteSpace(bytes[at])) {
            at++;
        }
        return at < end ? bytes[at] : -1;
    }

    private void skipWhiteSpace() {
        while (position < end && isWhiteSpace(bytes[position])) {
            position++;
        }
    }

    private boolean fail() {
        broken = true;
        position = end;
        return false;
    }

    private boolean hasBackslash() {
        for (int at = tokenStart; at < tokenEnd; at++) {
            if (bytes[at] == '\\') {
                return true;
            }
        }
        return false;
    }

    private boolean sameAscii(String text) {
        int length = tokenEnd - tokenStart;
        if (text.length() != length) {
            return false;
        }
        for (int i = 0; i < length; i++) {
            if (text.charAt(i) != bytes[tokenStart + i]) {
                return false;
            }
        }
        return true;
    }

    private static boolean isWhiteSpace(byte b) {
        return b == ' ' || b == '\n' || b == '\r' || b == '\t';
    }

    private static boolean isDigit(byte b) {
        return b >= '0' && b <= '9';
    }

    /** Letters, digits and signs: what numbers, {@code true}, {@code false} and {@code null} are made of. */
    private static boolean isScalar(byte b) {
        return isDigit(b) || (b >= 'a' && b <= 'z') || b == '-' || b == '+' || b == '.' || b == 'E';
    }
}
