package io.millrace.server.downstream;

import io.millrace.server.http.ReadListener;
import io.netty.buffer.ByteBuf;
import org.jspecify.annotations.Nullable;

/**
 * The frames of one event stream on their way to one client. What is appended between two writes leaves together. Until the
 * response is begun nothing is written, and what is appended is held. Who reads the frames tells the sink where they lie, so
 * that they may leave without a copy. Confined to the event loop of the client's connection.
 */
public interface FrameSink extends ReadListener {
    /** Body bytes appended so far. Within a read, those of the read may be missing. */
    long bodyBytes();

    /** Whether something was appended since the last {@link #write}. Within a read, what the read brought may be missing. */
    boolean hasPending();

    /** Bytes appended and held, or waiting for {@link #write}. Within a read, those of the read may be missing. */
    int pendingBytes();

    /**
     * Appends the body bytes {@code [start, end)} of {@code frames}, which remains with the caller. Those of the buffer that is
     * being read are taken when the read ends, and may not change until then.
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

    /** Writes what was appended, without a flush and without a notice. */
    default void write() {
        write(null);
    }

    /** Forgets what was appended and not written. */
    void discard();
}
