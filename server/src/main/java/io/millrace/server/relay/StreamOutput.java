package io.millrace.server.relay;

import io.millrace.codec.dialect.FrameKind;
import io.millrace.codec.dialect.RelayError;
import io.millrace.codec.dialect.StreamInspector;
import io.millrace.codec.dialect.StreamStop;
import io.millrace.codec.dialect.TailVerdict;
import io.netty.buffer.ByteBuf;

/**
 * Writes the client's frames for an upstream's frames, unchanged or translated. It appends to the client's sink.
 * Buffers remain with the caller. The defaults are for unchanged frames.
 */
interface StreamOutput {
    /** Whether frames are translated. */
    default boolean translates() {
        return false;
    }

    /** Whether the client gets one body, which is complete only at the stream's end. */
    default boolean collects() {
        return false;
    }

    /** Whether the answer cannot be converted for the client, and the client has an error instead. */
    default boolean failed() {
        return false;
    }

    /** Whether the client's stream has its end already. */
    default boolean isOver() {
        return false;
    }

    /** The status of the client's answer if it {@linkplain #failed() failed}. */
    default int status() {
        return 200;
    }

    /** Whether anything other than a heartbeat was appended. */
    boolean contentSeen();

    /** The bytes of the heap that the answer occupies so far. */
    default long held() {
        return 0;
    }

    /** Writes a whole frame. */
    void frame(FrameKind kind, ByteBuf buf, int start, int end);

    /** Writes a piece of a frame that is too long to be held. */
    default void piece(FrameKind kind, ByteBuf buf, int start, int end) {
        frame(kind, buf, start, end);
    }

    /** Writes the line feed after a frame that was complete without it. */
    void lateLineFeed(ByteBuf buf, int index);

    /** Writes a frame without its blank line, at the end of the body. */
    void tail(ByteBuf tail, TailVerdict verdict);

    /** Writes data that must not be held back any longer. */
    default void onSilence(long nowNs) {}

    /**
     * Ends the stream because the client has stopped it. No further frame comes.
     *
     * @param awaitsLineFeed whether the last frame may still lack a line feed
     */
    void stop(StreamInspector inspector, StreamStop stop, boolean awaitsLineFeed);

    /**
     * Ends the stream without an error of the relay.
     *
     * @param stopped whether the client has stopped it before the upstream's end
     */
    default void end(boolean stopped) {}

    /**
     * Writes the client's error frame.
     *
     * @return false if there is none, because the dialect is not known
     */
    boolean error(RelayError error, String message, StreamInspector inspector);
}
