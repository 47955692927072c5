package io.millrace.server.relay;

import io.netty.buffer.ByteBuf;
import java.nio.charset.StandardCharsets;
import java.util.Set;

/**
 * Finds the limit of the answer's tokens in a request's body, for an estimate that the usage corrects later. The names
 * are searched in all of the body. Inside a JSON string their quotes would be escaped.
 */
final class MaxOutput {
    private static final int LONGEST_BEGIN = "max".length();
    private static final Set<String> NAMES =
            Set.of("max_tokens", "max_completion_tokens", "max_output_tokens", "maxOutputTokens");
    private static final int LONGEST_NAME = 24;
    /** The longest body that is searched. A longer one would delay the other streams of the event loop. */
    private static final int LONGEST_BODY = 1024 * 1024;

    private static final long MOST = 10_000_000;

    private MaxOutput() {}

    /** The largest limit in the body; -1 if there is none, or the body is not kept. */
    static long in(RequestBody body) {
        return body.isKept() ? of(body.bytes()) : -1;
    }

    /** The largest limit in the body; -1 if there is none. The body remains with the caller. */
    static long of(ByteBuf body) {
        if (body.readableBytes() > LONGEST_BODY) {
            return -1;
        }
        long most = -1;
        int end = body.writerIndex();
        int quote = body.indexOf(body.readerIndex(), end, (byte) '"');
        while (quote >= 0 && quote + LONGEST_BEGIN < end) {
            if (body.getByte(quote + 1) == 'm' && body.getByte(quote + 2) == 'a' && body.getByte(quote + 3) == 'x') {
                most = Math.max(most, valueAt(body, quote + 1));
            }
            quote = body.indexOf(quote + 1, end, (byte) '"');
        }
        return most;
    }

    /** The number after the name that begins at {@code start}; -1 if it is another name, or there is no number. */
    private static long valueAt(ByteBuf body, int start) {
        int end = body.writerIndex();
        int quote = body.indexOf(start, Math.min(end, start + LONGEST_NAME + 1), (byte) '"');
        if (quote < 0 || !NAMES.contains(body.toString(start, quote - start, StandardCharsets.US_ASCII))) {
            return -1;
        }
        int at = quote + 1;
        while (at < end && " \t\r\n:".indexOf(body.getByte(at)) >= 0) {
            at++;
        }
        long value = -1;
        while (at < end && body.getByte(at) >= '0' && body.getByte(at) <= '9') {
            value = Math.min(MOST, Math.max(value, 0) * 10 + body.getByte(at) - '0');
            at++;
        }
        return value;
    }
}
