package io.millrace.server.downstream;

import io.millrace.server.http.ReadListener;
import io.netty.buffer.ByteBuf;
import org.jspecify.annotations.Nullable;

/**
 * Takes the frames of one event stream for one client. All that is appended between two writes leaves together. Until
 * the response has begun, nothing is written and everything appended is held. The reader of the frames also tells the
 * sink where they lie in the buffer, so that they can leave without a copy. Confined to the event loop of the client's
 * connection.
 */
public interface FrameSink extends ReadListener {
    /** Body bytes appended so far. During a read, the bytes of that read may be missing. */
    long bodyBytes();

    /**
     * Whether something was appended since the last {@link #write}. During a read, the bytes of that read may be
     * missing.
     */
    boolean hasPending();

    /**
     * Bytes appended that are held or wait for {@link #write}. During a read, the bytes of that read may be missing.
     */
    int pendingBytes();

    /**
     * Appends the body bytes {@code [start, end)} of {@code frames}, which remains with the caller. Bytes of the
     * buffer that is being read are taken when the read ends, and must not change until then.
     */
    void append(ByteBuf frames, int start, int end);

    /** Appends all of {@code frames}, and releases it. */
    default void take(ByteBuf frames) {
        try {
            if (frames.isReadable()) {
                append(frames, frames.readerIndex(), frames.writerIndex());
            }
        } finally {
            frames.release();
        }
    }

    /**
     * Writes what was appended, without a flush.
     *
     * @param written runs when the kernel has it; may be null
     */
    void write(@Nullable Runnable written);

    /** Writes what was appended, without a flush and without a callback. */
    default void write() {
        write(null);
    }

    /** Drops what was appended and not written. */
    void discard();
}
