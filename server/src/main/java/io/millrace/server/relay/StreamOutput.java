package io.millrace.server.relay;

import io.millrace.codec.dialect.FrameKind;
import io.millrace.codec.dialect.RelayError;
import io.millrace.codec.dialect.StreamInspector;
import io.millrace.codec.dialect.StreamStop;
import io.millrace.codec.dialect.TailVerdict;
import io.netty.buffer.ByteBuf;

/**
 * What a client gets of an upstream's frames: they themselves, or what is made of them. It appends to the client's sink, and
 * leaves the buffers that it is given with their caller. The defaults are those of frames that are passed on as they are.
 */
interface StreamOutput {
    /** Whether frames are not passed on as they are. */
    default boolean translates() {
        return false;
    }

    /** Whether the client gets one body, for which all of the stream is waited. */
    default boolean collects() {
        return false;
    }

    /** Whether the client's answer cannot be made of what came, and says so itself. */
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

    /** Whether something that is no heartbeat was appended. */
    boolean contentSeen();

    /** Bytes of the heap that the answer takes so far. */
    default long held() {
        return 0;
    }

    /** A frame that is whole. */
    void frame(FrameKind kind, ByteBuf buf, int start, int end);

    /** A part of a frame that is too long to be held. */
    default void piece(FrameKind kind, ByteBuf buf, int start, int end) {
        frame(kind, buf, start, end);
    }

    /** The line feed behind a frame that was complete without it. */
    void lateLineFeed(ByteBuf buf, int index);

    /** A frame without its blank line, at the end of the body. */
    void tail(ByteBuf tail, TailVerdict verdict);

    /** The client's stream may be kept waiting no longer for what is held back. */
    default void onSilence(long nowNs) {}

    /**
     * The client has asked for an end: no further frame comes.
     *
     * @param awaitsLineFeed whether the last frame may still lack one
     */
    void stop(StreamInspector inspector, StreamStop stop, boolean awaitsLineFeed);

    /**
     * The stream is over, and not in an error of ours.
     *
     * @param stopped whether the client has asked for that before the upstream's end
     */
    default void end(boolean stopped) {}

    /**
     * The client's error frame.
     *
     * @return false if there is none, because the dialect is not known
     */
    boolean error(RelayError error, String message, StreamInspector inspector);
}
