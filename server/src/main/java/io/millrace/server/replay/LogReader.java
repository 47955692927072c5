package io.millrace.server.replay;

import io.netty.buffer.ByteBuf;

/** Follows a {@link StreamLog}. All calls come on the log's event loop. {@link #onSealed} or {@link #onGone} is the last. */
public interface LogReader {
    /** Whether it takes bytes now. If it does not, it says {@link StreamLog#resume} when it does. */
    boolean wants();

    /**
     * The next bytes.
     *
     * @param bytes at most 64 KiB; ownership is transferred
     * @param offset of the first of them
     */
    void onBytes(ByteBuf bytes, long offset);

    /** It has had all bytes up to {@code end}, and no more follow. */
    void onSealed(Seal seal, long end);

    /** Its next byte is not kept any more; the log begins at {@code oldest}. */
    void onGone(long oldest);
}
