package io.millrace.server.relay;

import io.netty.buffer.ByteBuf;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Tells by the first bytes of a body whether it is an event stream, although its content type is another. */
final class EventText {
    private static final List<byte[]> BEGINNINGS = List.of(ascii("data:"), ascii("event:"), ascii("id:"), ascii(":"));

    /** What the first bytes of a body say. */
    enum Verdict {
        EVENTS,
        OTHER,
        /** Nothing but ends of lines so far: such may come before either, and keep a connection alive. */
        BLANK,
        /** More of them are needed. */
        UNSURE
    }

    private EventText() {}

    /** Looks at the readable bytes of {@code body}, which stays as it is; null is an empty one. */
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
