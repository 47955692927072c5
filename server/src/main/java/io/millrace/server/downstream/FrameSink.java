package io.millrace.server.downstream;

import io.netty.buffer.ByteBuf;
import org.jspecify.annotations.Nullable;

/**
 * The frames of one event stream on their way to one client. What is appended between two writes leaves together. Until the
 * response is begun nothing is written, and what is appended is held. Confined to the event loop of the client's connection.
 */
public interface FrameSink {
    /** Body bytes appended so far. */
    long bodyBytes();

    /** Whether something was appended since the last {@link #write}. */
    boolean hasPending();

    /** Bytes appended since the last {@link #write}. */
    int pendingBytes();

    /** Appends the body bytes {@code [start, end)} of {@code frames}, which remains with the caller. */
    void append(ByteBuf frames, int start, int end);

    /** Whether {@link #appendChunks} may be used: for a client that understands chunks. */
    boolean takesChunks();

    /**
     * Appends the bytes {@code [start, end)} of {@code raw}, which remains with the caller and are whole chunks that hold
     * {@code length} body bytes.
     */
    void appendChunks(ByteBuf raw, int start, int end, int length);

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
