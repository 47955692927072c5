package io.millrace.bench.stream;

import io.millrace.codec.dialect.Dialect;
import io.netty.buffer.ByteBuf;
import java.nio.charset.StandardCharsets;

/**
 * Distinguishes output frames of reasoning from those of the answer by a search of their bytes. A name in quotes may be
 * a key, or a token of the answer with the same text. It is a key only if a colon follows.
 */
final class Reasoning {
    private static final byte[] REASONING_CONTENT = ascii("\"reasoning_content\"");
    private static final byte[] REASONING = ascii("\"reasoning\"");
    private static final byte[] THINKING = ascii("\"thinking\"");
    private static final byte[] THOUGHT = ascii("\"thought\"");
    private static final byte[] TYPE = ascii("\"type\"");
    private static final byte[] TYPE_OF_THINKING = ascii("\"thinking");
    private static final byte[] RESPONSES = ascii("\"response.reasoning");

    private Reasoning() {}

    /** Whether the output frame {@code buf[start, end)} has reasoning. */
    static boolean isIn(Dialect dialect, ByteBuf buf, int start, int end) {
        return switch (dialect) {
            case CHAT ->
                hasText(buf, value(buf, start, end, REASONING_CONTENT), end)
                        || hasText(buf, value(buf, start, end, REASONING), end)
                        || hasThinking(buf, start, end);
            case RESPONSES -> hasType(buf, start, end, RESPONSES);
            case MESSAGES -> hasThinking(buf, start, end);
            case GEMINI -> {
                int at = value(buf, start, end, THOUGHT);
                yield at >= 0 && buf.getByte(at) == 't';
            }
            case UNKNOWN -> false;
        };
    }

    private static boolean hasThinking(ByteBuf buf, int start, int end) {
        return value(buf, start, end, THINKING) >= 0 || hasType(buf, start, end, TYPE_OF_THINKING);
    }

    private static boolean hasType(ByteBuf buf, int start, int end, byte[] prefix) {
        int at = start;
        while ((at = value(buf, at, end, TYPE)) >= 0) {
            if (at + prefix.length <= end && find(buf, at, at + prefix.length, prefix) >= 0) {
                return true;
            }
        }
        return false;
    }

    private static boolean hasText(ByteBuf buf, int at, int end) {
        return at >= 0 && at + 1 < end && buf.getByte(at) == '"' && buf.getByte(at + 1) != '"';
    }

    /** The index of the first such key's value, -1 if there is none. */
    private static int value(ByteBuf buf, int start, int end, byte[] key) {
        int at = start;
        while ((at = find(buf, at, end, key)) >= 0) {
            int colon = skipSpaces(buf, at, end);
            if (colon < end && buf.getByte(colon) == ':') {
                int begin = skipSpaces(buf, colon + 1, end);
                return begin < end ? begin : -1;
            }
        }
        return -1;
    }

    private static int skipSpaces(ByteBuf buf, int from, int end) {
        int at = from;
        while (at < end && buf.getByte(at) == ' ') {
            at++;
        }
        return at;
    }

    /** The index after the first occurrence, -1 if there is none. */
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
