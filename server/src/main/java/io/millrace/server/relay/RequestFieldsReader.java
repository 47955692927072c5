package io.millrace.server.relay;

import io.netty.buffer.ByteBuf;
import io.netty.util.concurrent.FastThreadLocal;
import org.jspecify.annotations.Nullable;

/**
 * Finds the {@link RequestFields} of a JSON body while it comes in parts. A part never delays the event loop for longer
 * than a copy of it would. It reads each byte once, and keeps only the bytes of the values that it needs. It tracks
 * where strings, objects and arrays begin and end, and ignores their content.
 */
final class RequestFieldsReader {
    private static final byte ZEROS = 1;
    private static final int SCRATCH_BYTES = 16 * 1024;
    private static final int MAX_DEPTH = 1000;
    private static final int MAX_NAME = 128;
    private static final int MAX_SCALAR = 24;
    private static final int MAX_MODEL = 8 * 1024;
    private static final int OPTIONS_DEPTH = 2;
    private static final String NO_JSON = "the body is not valid JSON";
    static final String NOT_UTF_8 = "the body is not UTF-8";

    private static final Name[] TOP = {Name.MODEL, Name.STREAM, Name.CHOICES, Name.STREAM_OPTIONS};
    private static final Name[] OPTIONS = {Name.INCLUDE_USAGE};

    /** A byte order mark, which may precede the JSON. */
    private static final byte[] BOM = {(byte) 0xEF, (byte) 0xBB, (byte) 0xBF};

    private static final FastThreadLocal<byte[]> SCRATCH = new FastThreadLocal<>() {
        @Override
        protected byte[] initialValue() {
            return new byte[SCRATCH_BYTES];
        }
    };

    private State state = State.START;
    private State afterString = State.COLON;
    private @Nullable String invalid;
    private long offset;
    /** A bit for each open object or array: whether it is an array. */
    private final long[] arrays = new long[MAX_DEPTH / Long.SIZE + 1];

    /** Another encoding of Unicode: {@link #ZEROS}, or the first byte of its byte order mark; otherwise 0. */
    private byte foreign;

    private int depth;
    private Name name = Name.OTHER;
    private final KeptText kept = new KeptText();
    private long valueStart;
    private @Nullable String model;
    private int modelStart = -1;
    private int modelEnd = -1;
    private boolean stream;
    private int choices = 1;
    private final UsageOption usage = new UsageOption();

    /** The expected next byte. */
    private enum State {
        START,
        NAME_OR_END,
        NAME,
        COLON,
        VALUE_OR_END,
        VALUE,
        COMMA_OR_END,
        STRING,
        ESCAPED,
        SCALAR,
        OVER
    }

    /** The fields that the relay uses. */
    private enum Name {
        MODEL("model"),
        STREAM("stream"),
        CHOICES("n"),
        STREAM_OPTIONS("stream_options"),
        INCLUDE_USAGE("include_usage"),
        OTHER("");

        private final String text;

        Name(String text) {
            this.text = text;
        }
    }

    /** The fields of the complete {@code body}, whose indices are not moved. */
    static RequestFields of(ByteBuf body) {
        var reader = new RequestFieldsReader();
        reader.read(body);
        return reader.end();
    }

    /** Reads a further part of the body, whose indices are not moved. */
    void read(ByteBuf part) {
        int length = part.readableBytes();
        if (part.hasArray()) {
            int start = part.arrayOffset() + part.readerIndex();
            scan(part.array(), start, start + length);
            return;
        }
        byte[] scratch = SCRATCH.get();
        for (int done = 0; done < length && state != State.OVER; ) {
            int count = Math.min(scratch.length, length - done);
            part.getBytes(part.readerIndex() + done, scratch, 0, count);
            scan(scratch, 0, count);
            done += count;
        }
    }

    /** The fields, after the body is complete. */
    RequestFields end() {
        if (invalid == null && state != State.OVER) {
            invalid = NO_JSON;
        }
        if (invalid != null) {
            return new RequestFields(null, -1, -1, false, 1, null, invalid);
        }
        return new RequestFields(model, modelStart, modelEnd, stream, choices, usage.usage(), null);
    }

    private void scan(byte[] bytes, int from, int to) {
        long base = offset - from;
        int at = from;
        while (at < to && state != State.OVER) {
            switch (state) {
                case STRING -> at = scanString(bytes, at, to, base);
                case ESCAPED -> {
                    kept.add(bytes[at++]);
                    state = State.STRING;
                }
                case SCALAR -> at = scanScalar(bytes, at, to, base);
                default -> {
                    onStructure(bytes[at], base + at);
                    at++;
                }
            }
        }
        offset += to - from;
    }

    /** Moves to the quote that ends the string, or to the end of these bytes. */
    private int scanString(byte[] bytes, int from, int to, long base) {
        int at = from;
        byte octet = 0;
        while (at < to) {
            octet = bytes[at];
            if (octet == '"' || octet == '\\' || (octet >= 0 && octet < ' ')) {
                break;
            }
            at++;
        }
        kept.add(bytes, from, at);
        if (at == to) {
            return at;
        }
        if (octet == '"') {
            onStringEnd(base + at + 1);
        } else if (octet == '\\') {
            kept.escape();
            kept.add(octet);
            state = State.ESCAPED;
        } else {
            fail(NO_JSON);
        }
        return at + 1;
    }

    /** Moves after the number or word, or to the end of these bytes. */
    private int scanScalar(byte[] bytes, int from, int to, long base) {
        int at = from;
        while (at < to && isOfScalar(bytes[at])) {
            at++;
        }
        kept.add(bytes, from, at);
        if (at < to) {
            state = State.COMMA_OR_END;
            onScalar(base + at);
        }
        return at;
    }

    private void onStructure(byte octet, long position) {
        if (octet == ' ' || octet == '\n' || octet == '\r' || octet == '\t') {
            return;
        }
        switch (state) {
            case START -> onStart(octet, position);
            case NAME, NAME_OR_END -> onName(octet);
            case COLON -> onColon(octet);
            case VALUE, VALUE_OR_END -> onValue(octet, position);
            case COMMA_OR_END -> onCommaOrEnd(octet);
            default -> throw new IllegalStateException(state.name());
        }
    }

    private void onStart(byte octet, long position) {
        if (octet == '{' && foreign != ZEROS) {
            enter(false);
            usage.onBody(toIndex(position + 1));
        } else if (octet == 0) {
            foreign = ZEROS;
        } else if (position == 0 && (octet == (byte) 0xFE || octet == (byte) 0xFF)) {
            foreign = octet;
        } else if (position == 1 && foreign + octet == (byte) 0xFE + (byte) 0xFF) {
            fail(NOT_UTF_8);
        } else if (foreign != 0) {
            fail(octet == '{' ? NOT_UTF_8 : NO_JSON);
        } else if (position >= BOM.length || octet != BOM[(int) position]) {
            boolean begins = octet == '[' || octet == '"' || octet == '-' || (octet >= '0' && octet <= '9');
            fail(begins ? "the body is not a JSON object" : NO_JSON);
        }
    }

    private void onName(byte octet) {
        if (octet == '"') {
            boolean watched = depth == 1 || (depth == OPTIONS_DEPTH && usage.isOpen());
            kept.begin(watched ? MAX_NAME : 0);
            afterString = State.COLON;
            state = State.STRING;
            if (depth == OPTIONS_DEPTH) {
                usage.onField();
            }
        } else if (octet == '}' && state == State.NAME_OR_END) {
            leave();
        } else {
            fail(octet == 0 ? NOT_UTF_8 : NO_JSON);
        }
    }

    private void onValue(byte octet, long position) {
        valueStart = position;
        switch (octet) {
            case '"' -> {
                kept.begin(isAt(Name.MODEL, 1) ? MAX_MODEL : 0);
                afterString = State.COMMA_OR_END;
                state = State.STRING;
            }
            case '{' -> {
                if (isAt(Name.STREAM_OPTIONS, 1)) {
                    usage.onOptions(toIndex(position + 1));
                }
                enter(false);
            }
            case '[' -> enter(true);
            case ']' -> {
                if (state == State.VALUE_OR_END) {
                    leave();
                } else {
                    fail(NO_JSON);
                }
            }
            default -> {
                if (isOfScalar(octet)) {
                    kept.begin(MAX_SCALAR);
                    kept.add(octet);
                    state = State.SCALAR;
                } else {
                    fail(NO_JSON);
                }
            }
        }
    }

    private void onCommaOrEnd(byte octet) {
        boolean array = isArray();
        if (octet == ',') {
            state = array ? State.VALUE : State.NAME;
        } else if (octet == (array ? ']' : '}')) {
            leave();
        } else {
            fail(NO_JSON);
        }
    }

    private void onStringEnd(long position) {
        state = afterString;
        if (afterString == State.COLON) {
            if (depth == 1 || (depth == OPTIONS_DEPTH && usage.isOpen())) {
                name = named();
            }
            return;
        }
        if (!isAt(Name.MODEL, 1)) {
            onOther();
        } else if (kept.isFull()) {
            fail("the name of the model is too long");
        } else if (kept.isBroken()) {
            fail(NO_JSON);
        } else {
            onModel(position);
        }
    }

    private void onModel(long position) {
        model = kept.text();
        modelStart = toIndex(valueStart);
        modelEnd = toIndex(position);
    }

    private void onScalar(long position) {
        if (!kept.isNumber() && !kept.is("true") && !kept.is("false") && !kept.is("null")) {
            fail(NO_JSON);
            return;
        }
        if (isAt(Name.STREAM, 1)) {
            stream = kept.is("true");
        } else if (isAt(Name.CHOICES, 1)) {
            int asked = kept.natural();
            choices = asked < 0 ? choices : Math.max(1, asked);
        } else if (isAt(Name.STREAM_OPTIONS, 1) && kept.is("null")) {
            usage.onNull(toIndex(valueStart), toIndex(position));
        } else if (usage.isOpen() && isAt(Name.INCLUDE_USAGE, OPTIONS_DEPTH)) {
            usage.onIncludeUsage(kept.isNumber() ? null : kept.is("true"), toIndex(valueStart), toIndex(position));
        } else {
            onOther();
        }
    }

    /** Handles a value whose type does not fit its name. */
    private void onOther() {
        if (isAt(Name.STREAM, 1)) {
            stream = false;
        } else if (isAt(Name.STREAM_OPTIONS, 1)) {
            usage.onOther();
        } else if (usage.isOpen() && isAt(Name.INCLUDE_USAGE, OPTIONS_DEPTH)) {
            usage.onIncludeUsage(null, -1, -1);
        }
    }

    private void enter(boolean array) {
        if (array || !isAt(Name.STREAM_OPTIONS, 1)) {
            onOther();
        }
        if (++depth > MAX_DEPTH) {
            fail("the body is nested too deeply");
            return;
        }
        int word = depth / Long.SIZE;
        long bit = 1L << depth;
        arrays[word] = array ? arrays[word] | bit : arrays[word] & ~bit;
        state = array ? State.VALUE_OR_END : State.NAME_OR_END;
    }

    private void leave() {
        if (depth == OPTIONS_DEPTH && usage.isOpen()) {
            usage.onEnd();
            name = Name.OTHER;
        }
        state = --depth == 0 ? State.OVER : State.COMMA_OR_END;
    }

    private boolean isArray() {
        return (arrays[depth / Long.SIZE] & 1L << depth) != 0;
    }

    private boolean isAt(Name wanted, int wantedDepth) {
        return name == wanted && depth == wantedDepth;
    }

    private void onColon(byte octet) {
        if (octet == ':') {
            state = State.VALUE;
        } else {
            fail(NO_JSON);
        }
    }

    private void fail(String reason) {
        invalid = reason;
        state = State.OVER;
    }

    private Name named() {
        if (kept.isBroken()) {
            fail(NO_JSON);
        } else if (!kept.isFull()) {
            for (Name each : depth == 1 ? TOP : OPTIONS) {
                if (kept.means(each.text)) {
                    return each;
                }
            }
        }
        return Name.OTHER;
    }

    private static boolean isOfScalar(byte octet) {
        return (octet >= '0' && octet <= '9')
                || (octet >= 'a' && octet <= 'z')
                || octet == '-'
                || octet == '+'
                || octet == '.'
                || octet == 'E';
    }

    private static int toIndex(long position) {
        return (int) Math.min(position, Integer.MAX_VALUE);
    }
}
