package io.millrace.server.relay;

import io.netty.buffer.ByteBuf;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Decides from the first bytes of a body whether it is an event stream, although its content type is another one. */
final class EventText {
    private static final List<byte[]> BEGINNINGS = List.of(ascii("data:"), ascii("event:"), ascii("id:"), ascii(":"));

    /** The result for the first bytes of a body. */
    enum Verdict {
        EVENTS,
        OTHER,
        /**
         * Only line ends so far. These may come before a stream and before another body, and keep a connection alive.
         */
        BLANK,
        /** More bytes are needed. */
        UNSURE
    }

    private EventText() {}

    /** Reads the readable bytes of {@code body}, which stays unchanged; null is an empty body. */
    static Verdict of(@Nullable ByteBuf body) {
        if (body == null || !body.isReadable()) {
            return Verdict.UNSURE;
        }
        int at = body.forEachByte(b -> b == '\r' || b == '\n' || b < 0);
        if (at < 0) {
            return Verdict.BLANK;
        }
        boolean unsure = false;
        for (byte[] beginning : BEGINNINGS) {
            int length = Math.min(beginning.length, body.writerIndex() - at);
            boolean same = true;
            for (int i = 0; i < length; i++) {
                same &= body.getByte(at + i) == beginning[i];
            }
            if (same && length == beginning.length) {
                return Verdict.EVENTS;
            }
            unsure |= same;
        }
        return unsure ? Verdict.UNSURE : Verdict.OTHER;
    }

    private static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }
}
