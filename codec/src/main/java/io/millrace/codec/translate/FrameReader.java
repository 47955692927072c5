package io.millrace.codec.translate;

import static java.nio.charset.StandardCharsets.US_ASCII;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.millrace.codec.dialect.Dialect;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.Locale;

/** The common part of the readers of all dialects: it reads the JSON of frames and bodies. */
abstract class FrameReader implements DeltaReader {
    private static final byte[] DATA = "data".getBytes(US_ASCII);
    private static final byte[] EVENT = "event".getBytes(US_ASCII);
    private static final byte[] ERROR = "error".getBytes(US_ASCII);
    private static final int BYTE_ORDER_MARK = 0xEFBBBF;
    private static final byte[] DONE = "[DONE]".getBytes(US_ASCII);

    private static final VarHandle LONGS = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

    /** A word of eight bytes that are all 1. */
    private static final long EACH = 0x0101010101010101L;

    private static final long HIGH_BITS = 0x8080808080808080L;

    private final Dialect dialect;
    private boolean begun;
    private boolean recognized;
    private boolean errorEvent;

    /** The index of the last gathered values. */
    private int gathered;

    /** Creates a reader for upstreams of {@code dialect}. */
    FrameReader(Dialect dialect) {
        this.dialect = dialect;
    }

    /** Reads a frame's data, or a whole answer's error in the same form. */
    abstract void read(ObjectNode json, DeltaSink out);

    /** Reads {@code data: [DONE]}. */
    abstract void done(DeltaSink out);

    /** Reads a whole answer that is no error. */
    abstract void readAnswer(ObjectNode json, DeltaSink out);

    @Override
    public final void frame(ByteBuf buf, int start, int end, DeltaSink out) {
        int from = begun ? start : afterByteOrderMark(buf, start, end);
        begun = true;
        byte[] bytes = ByteBufUtil.getBytes(buf, from, end - from);
        int length = gather(DATA, bytes);
        if (length == 0) {
            readHidden(bytes, out);
            return;
        }
        if (isDone(bytes, gathered, length)) {
            done(out);
            return;
        }
        ObjectNode json = Json.parseOnlyObject(bytes, gathered, length);
        if (errorEvent) {
            byte[] data = Arrays.copyOfRange(bytes, gathered, gathered + length);
            out.error(json == null ? UpstreamErrors.ofText(data) : UpstreamErrors.of(json));
        } else if (json == null) {
            out.error(AnswerGrammar.garbled("an event is not JSON"));
        } else if (recognized || isOwn(json, out)) {
            read(json, out);
        }
    }

    /** Whether the stream can be of the dialect, judged by {@code json}. If not, an error is reported. */
    private boolean isOwn(ObjectNode json, DeltaSink out) {
        recognized = EventDialect.isOf(dialect, json);
        Dialect other = recognized ? null : EventDialect.of(json);
        if (other != null) {
            out.error(AnswerGrammar.garbled("its events are of the dialect " + word(other) + ", and those of "
                    + word(dialect) + " are expected from this upstream"));
        }
        return other == null;
    }

    private static String word(Dialect dialect) {
        return dialect.name().toLowerCase(Locale.ROOT);
    }

    @Override
    public final void answer(byte[] body, DeltaSink out) {
        ObjectNode json = Json.parseOnlyObject(body, 0, body.length);
        if (json == null) {
            out.error(AnswerGrammar.garbled("it is not JSON"));
        } else {
            readAnswer(json, out);
        }
    }

    /** Whether there is a value under {@code key}. */
    static boolean has(JsonNode json, String key) {
        return json.hasNonNull(key);
    }

    private static int afterByteOrderMark(ByteBuf buf, int start, int end) {
        return end - start >= 3 && buf.getUnsignedMedium(start) == BYTE_ORDER_MARK ? start + 3 : start;
    }

    /** Reads a frame without data. It is ignored, unless it has an error: as a field, or as JSON that is no event. */
    private void readHidden(byte[] bytes, DeltaSink out) {
        byte[] field = bytes.clone();
        int length = gather(ERROR, field);
        ObjectNode json =
                length > 0 ? Json.parseObject(field, gathered, length) : Json.parseObject(bytes, 0, bytes.length);
        if (json != null && (length > 0 || UpstreamErrors.isError(json))) {
            out.error(UpstreamErrors.of(json));
        }
    }

    /**
     * Joins the values of a field's lines by LF, in place, from the first value on. Returns their length, and notes
     * whether a line is {@code event: error}.
     */
    private int gather(byte[] field, byte[] bytes) {
        errorEvent = false;
        gathered = 0;
        int to = 0;
        int line = 0;
        while (line < bytes.length) {
            int end = endOfLine(bytes, line);
            int value = valueOf(field, bytes, line, end);
            if (value >= 0) {
                if (to == gathered) {
                    gathered = value;
                    to = end;
                } else {
                    bytes[to++] = '\n';
                    System.arraycopy(bytes, value, bytes, to, end - value);
                    to += end - value;
                }
            } else if (end > line && bytes[line] == 'e') {
                errorEvent |= isErrorEvent(bytes, line, end);
            }
            line = end + 1;
        }
        return to - gathered;
    }

    /** The end of the line at {@code from}: its CR or LF, or the end of the bytes. */
    private static int endOfLine(byte[] bytes, int from) {
        int at = from;
        while (at < bytes.length) {
            // Nearly all bytes are above CR: eight of them are checked at once.
            while (at + Long.BYTES <= bytes.length && isAboveCr((long) LONGS.get(bytes, at))) {
                at += Long.BYTES;
            }
            int stop = Math.min(at + Long.BYTES, bytes.length);
            for (; at < stop; at++) {
                if (bytes[at] == '\n' || bytes[at] == '\r') {
                    return at;
                }
            }
        }
        return at;
    }

    /** Whether each byte of the word is greater than CR. */
    private static boolean isAboveCr(long word) {
        return ((word - EACH * ('\r' + 1)) & ~word & HIGH_BITS) == 0;
    }

    private static boolean isErrorEvent(byte[] bytes, int line, int end) {
        int value = valueOf(EVENT, bytes, line, end);
        return value >= 0 && Arrays.equals(bytes, value, end, ERROR, 0, ERROR.length);
    }

    private static int valueOf(byte[] field, byte[] bytes, int line, int end) {
        int colon = line + field.length;
        if (colon >= end || bytes[colon] != ':' || !Arrays.equals(bytes, line, colon, field, 0, field.length)) {
            return -1;
        }
        return colon + 1 < end && bytes[colon + 1] == ' ' ? colon + 2 : colon + 1;
    }

    private static boolean isDone(byte[] bytes, int start, int length) {
        int end = start + length;
        while (end > start && bytes[end - 1] <= ' ') {
            end--;
        }
        return Arrays.equals(bytes, start, end, DONE, 0, DONE.length);
    }
}
