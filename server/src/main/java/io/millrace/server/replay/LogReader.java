package io.millrace.server.replay;

import io.netty.buffer.ByteBuf;

/**
 * Follows a {@link StreamLog}. The log makes all calls on its event loop. The last one is {@link #onSealed} or
 * {@link #onGone}.
 */
public interface LogReader {
    /** Whether the reader takes bytes now. If it does not, it calls {@link StreamLog#resume} as soon as it does. */
    boolean wants();

    /** Whether the reader has not taken any of its bytes for so long that another reader may have its place. */
    default boolean isStalled(long nowNs) {
        return false;
    }

    /**
     * The next bytes.
     *
     * @param bytes at most 64 KiB; ownership is transferred
     * @param offset the offset of the first of these bytes
     */
    void onBytes(ByteBuf bytes, long offset);

    /** The reader has all bytes up to {@code end}, and no more will follow. */
    void onSealed(Seal seal, long end);

    /** The log no longer has the reader's next byte. The first byte that it has is at {@code oldest}. */
    void onGone(long oldest);
}
