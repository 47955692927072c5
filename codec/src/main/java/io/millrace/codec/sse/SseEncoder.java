package io.millrace.codec.sse;

import static java.nio.charset.StandardCharsets.US_ASCII;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import org.jspecify.annotations.Nullable;

/**
 * Writes event streams. Each method appends one whole frame with LF line ends, including the blank line.
 *
 * <p>{@link SseEventParser} reads the arguments back, with two exceptions. A CR or CRLF in a text becomes LF, because
 * an event stream cannot have it in a value. An unpaired surrogate becomes {@code ?}. The buffer remains with the
 * caller.
 */
public final class SseEncoder {
    private static final byte[] EVENT = "event: ".getBytes(US_ASCII);
    private static final byte[] ID = "id: ".getBytes(US_ASCII);
    private static final byte[] DATA = "data: ".getBytes(US_ASCII);
    private static final byte[] COMMENT = {':'};
    private static final byte[] RETRY = "retry: ".getBytes(US_ASCII);

    private SseEncoder() {}

    /**
     * Appends an event. Nothing is written if an argument is rejected.
     *
     * @param type null or empty for none; the event is then a {@code message}
     * @param id null to keep the stream's last event ID; empty to reset it
     * @param data the text; each of its lines becomes a {@code data} line, and there is at least one
     * @throws IllegalArgumentException if {@code type} or {@code id} contains CR, LF or NUL
     */
    public static void event(ByteBuf out, @Nullable CharSequence type, @Nullable CharSequence id, CharSequence data) {
        verifyOneLine("type", type);
        verifyOneLine("id", id);
        if (type != null && type.length() > 0) {
            writeLine(out, EVENT, type, 0, type.length());
        }
        if (id != null) {
            writeLine(out, ID, id, 0, id.length());
        }
        writeLines(out, DATA, data);
        out.writeByte(LineEnds.LF);
    }

    /** Appends a comment: one line for each line of {@code text}, which follows the colon without a space. */
    public static void comment(ByteBuf out, CharSequence text) {
        writeLines(out, COMMENT, text);
        out.writeByte(LineEnds.LF);
    }

    /**
     * Appends the time that a client should wait before it connects again.
     *
     * @throws IllegalArgumentException if {@code retryMs} is negative
     */
    public static void retry(ByteBuf out, long retryMs) {
        if (retryMs < 0) {
            throw new IllegalArgumentException("retryMs: " + retryMs + " (expected: >= 0)");
        }
        String value = Long.toString(retryMs);
        writeLine(out, RETRY, value, 0, value.length());
        out.writeByte(LineEnds.LF);
    }

    private static void verifyOneLine(String name, @Nullable CharSequence value) {
        for (int i = 0; value != null && i < value.length(); i++) {
            char c = value.charAt(i);
            if (c == LineEnds.LF || c == LineEnds.CR || c == 0) {
                throw new IllegalArgumentException(name + ": \"" + escape(value) + "\" (expected: no CR, LF or NUL)");
            }
        }
    }

    private static String escape(CharSequence value) {
        return value.toString().replace("\n", "\\n").replace("\r", "\\r").replace("\0", "\\0");
    }

    private static void writeLines(ByteBuf out, byte[] prefix, CharSequence text) {
        int start = 0;
        for (int at = 0; at < text.length(); at++) {
            char c = text.charAt(at);
            if (c == LineEnds.LF || c == LineEnds.CR) {
                writeLine(out, prefix, text, start, at);
                if (c == LineEnds.CR && at + 1 < text.length() && text.charAt(at + 1) == LineEnds.LF) {
                    at++;
                }
                start = at + 1;
            }
        }
        writeLine(out, prefix, text, start, text.length());
    }

    private static void writeLine(ByteBuf out, byte[] prefix, CharSequence text, int start, int end) {
        out.writeBytes(prefix);
        ByteBufUtil.writeUtf8(out, text, start, end);
        out.writeByte(LineEnds.LF);
    }
}
