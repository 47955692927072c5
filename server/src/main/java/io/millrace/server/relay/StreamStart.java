package io.millrace.server.relay;

import io.millrace.server.downstream.ClientStream;
import io.millrace.server.downstream.FrameSink;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.HttpResponseStatus;
import org.jspecify.annotations.Nullable;

/**
 * The start of a client's event stream. Until then head and frames are held, the frames in the sink, so that another
 * attempt can replace this one.
 */
final class StreamStart {
    /** The number of held frames at which the stream begins. There is also a limit in bytes. */
    private static final int MAX_HELD_FRAMES = 64;

    private static final int MAX_HELD_BYTES = 256 * 1024;

    private final ClientStream downstream;
    private final FrameSink sink;
    private final Runnable begins;
    private @Nullable HttpResponse head;
    private boolean committed;
    private int heldBytes;

    /**
     * Creates a start that has not happened.
     *
     * @param begins called once, before the head is written
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

    /** Whether this is the client's answer, so that failures must be reported inside the stream. */
    boolean committed() {
        return committed;
    }

    /** The head for the client; null after it was written. */
    @Nullable
    HttpResponse head() {
        return head;
    }

    /** Drops the head, because the client already has one. */
    void dropHead() {
        head = null;
    }

    /** Counts a held frame. Returns whether a limit is reached. */
    boolean isFullWith(int bytes, long frames) {
        heldBytes += bytes;
        return frames >= MAX_HELD_FRAMES || heldBytes >= MAX_HELD_BYTES;
    }

    /**
     * Begins the client's response. Held data is written first, and nothing is held from now on. To be called once.
     *
     * @param status the status of the response; null keeps the head's
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
