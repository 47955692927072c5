package io.millrace.server.relay;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import java.nio.charset.StandardCharsets;
import java.util.Set;

/**
 * Finds in a request's body how many tokens the answer may have at most, for an estimate that the usage corrects later. The
 * names are looked for wherever they stand: inside of a JSON string their quotes would be escaped.
 */
final class MaxOutput {
    private static final ByteBuf BEGIN =
            Unpooled.unreleasableBuffer(Unpooled.copiedBuffer("\"max", StandardCharsets.US_ASCII));
    private static final Set<String> NAMES =
            Set.of("max_tokens", "max_completion_tokens", "max_output_tokens", "maxOutputTokens");
    private static final int LONGEST_NAME = 24;
    /** A longer body is not searched: the event loop has other streams. */
    private static final int LONGEST_BODY = 1024 * 1024;

    private static final long MOST = 10_000_000;

    private MaxOutput() {}

    /** The largest of them; -1 if there is none, or the body is not kept. */
    static long in(RequestBody body) {
        return body.isKept() ? of(body.bytes()) : -1;
    }

    /** The largest of them; -1 if there is none. The body remains with the caller. */
    static long of(ByteBuf body) {
        if (body.readableBytes() > LONGEST_BODY) {
            return -1;
        }
        long most = -1;
        ByteBuf rest = body.slice();
        for (int at = ByteBufUtil.indexOf(BEGIN, rest); at >= 0; at = ByteBufUtil.indexOf(BEGIN, rest)) {
            rest.readerIndex(at + 1);
            most = Math.max(most, valueAt(rest));
        }
        return most;
    }

    /** The number behind the name at which {@code rest} begins; -1 if it is another name, or no number. */
    private static long valueAt(ByteBuf rest) {
        int start = rest.readerIndex();
        int quote = rest.indexOf(start, Math.min(rest.writerIndex(), start + LONGEST_NAME + 1), (byte) '"');
        if (quote < 0 || !NAMES.contains(rest.toString(start, quote - start, StandardCharsets.US_ASCII))) {
            return -1;
        }
        int at = quote + 1;
        while (at < rest.writerIndex() && " \t\r\n:".indexOf(rest.getByte(at)) >= 0) {
            at++;
        }
        long value = -1;
        while (at < rest.writerIndex() && rest.getByte(at) >= '0' && rest.getByte(at) <= '9') {
            value = Math.min(MOST, Math.max(value, 0) * 10 + rest.getByte(at) - '0');
            at++;
        }
        return value;
    }
}
