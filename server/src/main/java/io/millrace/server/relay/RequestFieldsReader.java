package io.millrace.server.relay;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.netty.buffer.ByteBuf;
import io.netty.util.concurrent.FastThreadLocal;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * Finds the {@link RequestFields} of a JSON body while it comes, part by part, so that a long one holds up the event loop
 * in no part for longer than it takes to copy it. Looks at each byte once, and keeps none but those of the values that it
 * is after. It knows where strings, objects and arrays begin and end, and not what is in them.
 */
final class RequestFieldsReader {
    private static final int SCRATCH_BYTES = 16 * 1024;
    private static final int MAX_DEPTH = 1000;
    private static final int MAX_NAME = 128;
    private static final int MAX_SCALAR = 24;
    private static final int MAX_MODEL = 8 * 1024;
    private static final int OPTIONS_DEPTH = 2;
    private static final String INCLUDE_USAGE = "\"include_usage\":true";
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String NO_JSON = "the body is not valid JSON";
    static final String NOT_UTF_8 = "the body is not UTF-8";

    private static final Name[] TOP = {Name.MODEL, Name.STREAM, Name.CHOICES, Name.STREAM_OPTIONS};
    private static final Name[] OPTIONS = {Name.INCLUDE_USAGE};

    /** What a body may begin with; it is no part of the JSON. */
    private static final byte[] BOM = {(byte) 0xEF, (byte) 0xBB, (byte) 0xBF};

    private static final FastThreadLocal<byte[]> SCRATCH = new FastThreadLocal<>() {
        @Override
        protected byte[] initialValue() {
            return new byte[SCRATCH_BYTES];
        }
    };

    private State state = State.START;
    private State afterString;
    private String invalid;
    private long offset;
    /** Of each open object or array, whether it is an array. */
    private final long[] arrays = new long[MAX_DEPTH / Long.SIZE + 1];

    /** Whether there are zeros before the object, as in two encodings of Unicode, and the first byte if it is their mark. */
    private boolean zeros;

    private byte mark;
    private int depth;
    private Name name = Name.OTHER;
    private boolean inOptions;
    private byte[] kept = new byte[MAX_NAME];
    private int keptLength;
    private int keptMost;
    private boolean escaped;
    private long valueStart;

    private String model;
    private int modelStart = -1;
    private int modelEnd = -1;
    private boolean stream;
    private int choices = 1;
    private RequestFields.Usage usage;
    private int optionsStart;
    private boolean optionsEmpty;
    private boolean usageFound;
    private RequestFields.Usage foundUsage;

    /** What is to come next. */
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

    /** Of a field that matters where it stands. */
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

    /** Reads a further part of the body, whose indices are left as they are. */
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

    /** What was found, now that the body is complete. */
    RequestFields end() {
        if (invalid == null && state != State.OVER) {
            invalid = NO_JSON;
        }
        if (invalid != null) {
            return new RequestFields(null, -1, -1, false, 1, null, invalid);
        }
        return new RequestFields(model, modelStart, modelEnd, stream, choices, usage, null);
    }

    private void scan(byte[] bytes, int from, int to) {
        long base = offset - from;
        int at = from;
        while (at < to && state != State.OVER) {
            switch (state) {
                case STRING -> at = scanString(bytes, at, to, base);
                case ESCAPED -> {
                    keep(bytes[at++]);
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

    /** Goes to the quote that ends the string, or to the end of these bytes. */
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
        keep(bytes, from, at);
        if (at == to) {
            return at;
        }
        if (octet == '"') {
            onStringEnd(base + at + 1);
        } else if (octet == '\\') {
            escaped = true;
            keep(octet);
            state = State.ESCAPED;
        } else {
            fail(NO_JSON);
        }
        return at + 1;
    }

    /** Goes behind the number or word, or to the end of these bytes. */
    private int scanScalar(byte[] bytes, int from, int to, long base) {
        int at = from;
        while (at < to && isOfScalar(bytes[at])) {
            at++;
        }
        keep(bytes, from, at);
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
            case COLON -> expect(octet == ':', State.VALUE);
            case VALUE, VALUE_OR_END -> onValue(octet, position);
            case COMMA_OR_END -> onCommaOrEnd(octet);
            default -> throw new IllegalStateException(state.name());
        }
    }

    private void onStart(byte octet, long position) {
        if (octet == '{' && !zeros) {
            enter(false);
            int inside = toIndex(position + 1);
            usage = new RequestFields.Usage(false, inside, inside, "\"stream_options\":{" + INCLUDE_USAGE + "},");
        } else if (octet == 0) {
            zeros = true;
        } else if (position == 0 && (octet == (byte) 0xFE || octet == (byte) 0xFF)) {
            mark = octet;
        } else if (position == 1 && mark + octet == (byte) 0xFE + (byte) 0xFF) {
            fail(NOT_UTF_8);
        } else if (zeros || mark != 0) {
            fail(octet == '{' ? NOT_UTF_8 : NO_JSON);
        } else if (position >= BOM.length || octet != BOM[(int) position]) {
            boolean begins = octet == '[' || octet == '"' || octet == '-' || (octet >= '0' && octet <= '9');
            fail(begins ? "the body is not a JSON object" : NO_JSON);
        }
    }

    private void onName(byte octet) {
        if (octet == '"') {
            boolean watched = depth == 1 || (depth == OPTIONS_DEPTH && inOptions);
            beginKeeping(watched ? MAX_NAME : 0);
            afterString = State.COLON;
            state = State.STRING;
            optionsEmpty &= depth != OPTIONS_DEPTH;
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
                beginKeeping(isAt(Name.MODEL, 1) ? MAX_MODEL : 0);
                afterString = State.COMMA_OR_END;
                state = State.STRING;
            }
            case '{' -> {
                if (isAt(Name.STREAM_OPTIONS, 1)) {
                    beginOptions(position);
                }
                enter(false);
            }
            case '[' -> enter(true);
            case ']' -> {
                expect(state == State.VALUE_OR_END, State.COMMA_OR_END);
                if (invalid == null) {
                    leave();
                }
            }
            default -> {
                if (isOfScalar(octet)) {
                    beginKeeping(MAX_SCALAR);
                    keep(octet);
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
            if (depth == 1 || (depth == OPTIONS_DEPTH && inOptions)) {
                name = named();
            }
            return;
        }
        if (isAt(Name.MODEL, 1)) {
            onModel(position);
        } else {
            onOther();
        }
    }

    private void onModel(long position) {
        if (keptLength == keptMost) {
            fail("the name of the model is too long");
            return;
        }
        model = text();
        modelStart = toIndex(valueStart);
        modelEnd = toIndex(position);
    }

    private void onScalar(long position) {
        if (!isNumber() && !keptIs("true") && !keptIs("false") && !keptIs("null")) {
            fail(NO_JSON);
            return;
        }
        if (isAt(Name.STREAM, 1)) {
            stream = keptIs("true");
        } else if (isAt(Name.CHOICES, 1)) {
            onChoices();
        } else if (isAt(Name.STREAM_OPTIONS, 1) && keptIs("null")) {
            usage = new RequestFields.Usage(false, toIndex(valueStart), toIndex(position), "{" + INCLUDE_USAGE + "}");
        } else if (inOptions && isAt(Name.INCLUDE_USAGE, OPTIONS_DEPTH)) {
            boolean asked = keptIs("true");
            boolean settable = keptIs("false") || keptIs("null");
            usageFound = true;
            foundUsage = asked || settable
                    ? new RequestFields.Usage(asked, toIndex(valueStart), toIndex(position), "true")
                    : null;
        } else {
            onOther();
        }
    }

    private boolean isNumber() {
        return kept[0] == '-' || (kept[0] >= '0' && kept[0] <= '9');
    }

    private void onChoices() {
        for (int i = 0; i < keptLength; i++) {
            if (kept[i] < '0' || kept[i] > '9') {
                return;
            }
        }
        String digits = new String(kept, 0, keptLength, StandardCharsets.US_ASCII);
        choices = keptLength > 9 ? Integer.MAX_VALUE : Math.max(1, Integer.parseInt(digits));
    }

    /** A value of a kind that its name does not lead to expect. */
    private void onOther() {
        if (isAt(Name.STREAM, 1)) {
            stream = false;
        } else if (isAt(Name.STREAM_OPTIONS, 1)) {
            usage = null;
        } else if (inOptions && isAt(Name.INCLUDE_USAGE, OPTIONS_DEPTH)) {
            usageFound = true;
            foundUsage = null;
        }
    }

    private void beginOptions(long position) {
        inOptions = true;
        optionsStart = toIndex(position + 1);
        optionsEmpty = true;
        usageFound = false;
        foundUsage = null;
    }

    private void endOptions() {
        inOptions = false;
        name = Name.OTHER;
        String addition = INCLUDE_USAGE + (optionsEmpty ? "" : ",");
        usage = usageFound ? foundUsage : new RequestFields.Usage(false, optionsStart, optionsStart, addition);
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
        if (depth == OPTIONS_DEPTH && inOptions) {
            endOptions();
        }
        state = --depth == 0 ? State.OVER : State.COMMA_OR_END;
    }

    private boolean isArray() {
        return (arrays[depth / Long.SIZE] & 1L << depth) != 0;
    }

    private boolean isAt(Name wanted, int wantedDepth) {
        return name == wanted && depth == wantedDepth;
    }

    private void expect(boolean so, State next) {
        if (so) {
            state = next;
        } else {
            fail(NO_JSON);
        }
    }

    private void fail(String reason) {
        invalid = reason;
        state = State.OVER;
    }

    private void beginKeeping(int most) {
        keptLength = 0;
        keptMost = most;
        escaped = false;
    }

    private void keep(byte octet) {
        if (keptLength < keptMost) {
            if (keptLength == kept.length) {
                kept = Arrays.copyOf(kept, Math.min(keptMost, kept.length * 2));
            }
            kept[keptLength++] = octet;
        }
    }

    private void keep(byte[] bytes, int from, int to) {
        for (int i = from; i < to && keptLength < keptMost; i++) {
            keep(bytes[i]);
        }
    }

    private Name named() {
        if (keptLength == keptMost) {
            return Name.OTHER;
        }
        String plain = escaped ? text() : null;
        for (Name each : depth == 1 ? TOP : OPTIONS) {
            if (plain == null ? keptIs(each.text) : plain.equals(each.text)) {
                return each;
            }
        }
        return Name.OTHER;
    }

    private boolean keptIs(String text) {
        if (text.length() != keptLength) {
            return false;
        }
        for (int i = 0; i < keptLength; i++) {
            if (kept[i] != text.charAt(i)) {
                return false;
            }
        }
        return true;
    }

    private String text() {
        String raw = new String(kept, 0, keptLength, StandardCharsets.UTF_8);
        if (!escaped) {
            return raw;
        }
        try {
            return JSON.readValue('"' + raw + '"', String.class);
        } catch (JsonProcessingException e) {
            fail(NO_JSON);
            return "";
        }
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
