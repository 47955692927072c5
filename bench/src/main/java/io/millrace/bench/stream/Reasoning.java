package io.millrace.bench.stream;

import io.millrace.codec.dialect.Dialect;
import io.netty.buffer.ByteBuf;
import java.nio.charset.StandardCharsets;

/**
 * Tells output frames of reasoning from those of the answer, by a search of their bytes: a key with its quotes cannot stand
 * inside a JSON string.
 */
final class Reasoning {
    private static final byte[][] CHAT = {ascii("\"reasoning_content\""), ascii("\"reasoning\"")};
    private static final byte[] THINKING_PART = ascii("\"thinking\"");
    private static final byte[] RESPONSES = ascii("\"response.reasoning");
    private static final byte[] MESSAGES = ascii("\"thinking_delta\"");
    private static final byte[] GEMINI = ascii("\"thought\"");

    private Reasoning() {}

    /** Whether the output frame {@code buf[start, end)} has reasoning. */
    static boolean isIn(Dialect dialect, ByteBuf buf, int start, int end) {
        return switch (dialect) {
            case CHAT ->
                hasText(buf, find(buf, start, end, CHAT[0]), end)
                        || hasText(buf, find(buf, start, end, CHAT[1]), end)
                        || find(buf, start, end, THINKING_PART) >= 0;
            case RESPONSES -> find(buf, start, end, RESPONSES) >= 0;
            case MESSAGES -> find(buf, start, end, MESSAGES) >= 0;
            case GEMINI -> valueAt(buf, find(buf, start, end, GEMINI), end) == 't';
            case UNKNOWN -> false;
        };
    }

    private static boolean hasText(ByteBuf buf, int key, int end) {
        int at = valueIndex(buf, key, end);
        return at >= 0 && at + 1 < end && buf.getByte(at) == '"' && buf.getByte(at + 1) != '"';
    }

    private static byte valueAt(ByteBuf buf, int key, int end) {
        int at = valueIndex(buf, key, end);
        return at < 0 ? 0 : buf.getByte(at);
    }

    // "key" <here> : value
    private static int valueIndex(ByteBuf buf, int afterKey, int end) {
        if (afterKey < 0) {
            return -1;
        }
        int at = afterKey;
        while (at < end && (buf.getByte(at) == ' ' || buf.getByte(at) == ':')) {
            at++;
        }
        return at < end ? at : -1;
    }

    /** The index behind the first occurrence, -1 if there is none. */
    private static int find(ByteBuf buf, int start, int end, byte[] what) {
        int last = end - what.length;
        int at = start;
        while (at <= last && (at = buf.indexOf(at, last + 1, what[0])) >= 0) {
            int matched = 1;
            while (matched < what.length && buf.getByte(at + matched) == what[matched]) {
                matched++;
            }
            if (matched == what.length) {
                return at + matched;
            }
            at++;
        }
        return -1;
    }

    private static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }
}
