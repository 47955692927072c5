package io.millrace.server.relay;

import io.millrace.server.downstream.ClientStream;
import io.millrace.server.downstream.FrameSink;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.HttpResponseStatus;
import org.jspecify.annotations.Nullable;

/**
 * Where a client's event stream begins. Until then head and frames are held, the frames in the sink, so that another attempt
 * can take this one's place.
 */
final class StreamStart {
    /** At so many held frames or bytes the stream begins, whatever they are. */
    private static final int MAX_HELD_FRAMES = 64;

    private static final int MAX_HELD_BYTES = 256 * 1024;

    private final ClientStream downstream;
    private final FrameSink sink;
    private final Runnable begins;
    private @Nullable HttpResponse head;
    private boolean committed;
    private int heldBytes;

    /**
     * A stream that has not begun.
     *
     * @param begins runs once, before the head is written
     */
    StreamStart(ClientStream downstream, HttpResponse head, Runnable begins) {
        this.downstream = downstream;
        this.head = head;
        this.begins = begins;
        sink = downstream.newSink();
    }

    FrameSink sink() {
        return sink;
    }

    /** Whether this is the client's answer, so that failures must be told inside the stream. */
    boolean committed() {
        return committed;
    }

    /** The head that the client will get; null once it has one. */
    @Nullable
    HttpResponse head() {
        return head;
    }

    /** The client has the head of this response already. */
    void dropHead() {
        head = null;
    }

    /** A frame is held; says whether that is too much. */
    boolean isFullWith(int bytes, long frames) {
        heldBytes += bytes;
        return frames >= MAX_HELD_FRAMES || heldBytes >= MAX_HELD_BYTES;
    }

    /**
     * Begins the client's response: what was held goes first, and nothing is held any more. To be called once.
     *
     * @param status of the response; null leaves it as it is
     */
    void commit(@Nullable HttpResponseStatus status) {
        committed = true;
        if (head != null && status != null) {
            head.setStatus(status);
        }
        begins.run();
        downstream.beginStream(head, sink);
        head = null;
    }
}
