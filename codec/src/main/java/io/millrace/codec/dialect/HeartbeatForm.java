package io.millrace.codec.dialect;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.util.LeakPresenceDetector;
import java.nio.charset.StandardCharsets;

/** The bytes that a relay may write between frames while an upstream is silent. SDKs report no event for any form. */
public enum HeartbeatForm {
    /** {@code : ping} and a blank line: safest with clients without an SDK, which split on blank lines. */
    COMMENT(": ping\n\n"),
    /** {@code : ping} and one line feed: safest with SDKs, some of which fail on an empty block. */
    COMMENT_SINGLE_LF(": ping\n"),
    /** The ping event of the Messages dialect, as its provider sends it. Only after {@code message_start}. */
    PING_EVENT("event: ping\ndata: {\"type\": \"ping\"}\n\n"),
    /** No heartbeat: the dialect's clients accept nothing but its own frames. */
    NONE("");

    @SuppressWarnings("ImmutableEnumChecker") // read-only, and handed out as duplicates only
    private final ByteBuf bytes;

    HeartbeatForm(String text) {
        bytes = text.isEmpty() ? Unpooled.EMPTY_BUFFER : LeakPresenceDetector.staticInitializer(() -> constant(text));
    }

    /**
     * The bytes to write, empty for {@link #NONE}: a new duplicate of one constant, read-only direct buffer. It need
     * not be released, and releasing it does nothing.
     */
    public ByteBuf bytes() {
        return bytes.duplicate();
    }

    private static ByteBuf constant(String text) {
        byte[] ascii = text.getBytes(StandardCharsets.US_ASCII);
        ByteBuf direct = Unpooled.directBuffer(ascii.length).writeBytes(ascii);
        return Unpooled.unreleasableBuffer(direct.asReadOnly());
    }
}
