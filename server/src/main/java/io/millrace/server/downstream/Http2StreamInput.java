package io.millrace.server.downstream;

import io.netty.buffer.ByteBuf;
import io.netty.handler.codec.http2.Http2Stream;
import java.util.ArrayDeque;
import org.jspecify.annotations.Nullable;

/**
 * The body of one request as it arrives. While its reading is stopped, this keeps the bytes that the client sends
 * within its window, and does not give these bytes back to the window. Confined to the connection's event loop.
 */
final class Http2StreamInput {
    private final Http2Requests requests;
    private final Http2Stream stream;
    private final Owner owner;
    private final BodyPace pace;
    private @Nullable ArrayDeque<ByteBuf> kept;
    private int keptBytes;
    private boolean on = true;
    private boolean ended;
    private boolean closed;

    /** Receives the body. */
    interface Owner {
        /** A part of the body; ownership is transferred. */
        void onPart(ByteBuf content);

        /** The body is complete. */
        void onEnd();
    }

    Http2StreamInput(Http2Requests requests, Http2Stream stream, Owner owner, BodyPace pace) {
        this.requests = requests;
        this.stream = stream;
        this.owner = owner;
        this.pace = pace;
    }

    /** Whether the whole body has arrived and was passed on. */
    boolean isComplete() {
        return ended && kept == null;
    }

    /** Bytes that are kept while reading is stopped. */
    int keptBytes() {
        return keptBytes;
    }

    /** Says what is wrong with the client's pace, or null. */
    @Nullable
    String complaint(long nowNs) {
        return ended ? null : pace.complaint(nowNs, on);
    }

    /**
     * Takes a part of the body, which remains with the caller.
     *
     * @return how many of its bytes the client may send again at once
     */
    int onData(ByteBuf data, boolean last) {
        int length = data.readableBytes();
        ended |= last;
        pace.onBytes(length, System.nanoTime());
        if (!on && !closed) {
            keep(data, length);
            if (last && kept == null) {
                owner.onEnd(); // a last frame without bytes needs no room
            }
            return 0;
        }
        hand(data.retain());
        if (last) {
            owner.onEnd();
        }
        return length;
    }

    /** Says whether no body follows the head. {@link #onEnd} must still be called. */
    void endsWithHead(boolean ends) {
        ended = ends;
    }

    /** Ends the body without a further part. */
    void onEnd() {
        ended = true;
        if (kept == null) {
            owner.onEnd();
        }
    }

    /** Stops or resumes passing the body on. */
    void read(boolean again) {
        on = again;
        while (on && kept != null) {
            ByteBuf part = kept.remove();
            boolean last = kept.isEmpty();
            if (last) {
                kept = null;
            }
            int length = part.readableBytes();
            keptBytes -= length;
            requests.onKept(-length);
            requests.giveBack(stream, length);
            hand(part);
            if (last && ended) {
                owner.onEnd();
            }
        }
    }

    /** Drops the rest of the body. */
    void close() {
        closed = true;
        if (kept != null) {
            kept.forEach(ByteBuf::release);
            kept = null;
            requests.onKept(-keptBytes);
            keptBytes = 0; // the windows get these bytes back when the stream closes
        }
    }

    private void keep(ByteBuf data, int length) {
        if (length == 0) {
            return;
        }
        kept = kept == null ? new ArrayDeque<>(4) : kept;
        kept.add(data.retain());
        keptBytes += length;
        requests.onKept(length);
    }

    private void hand(ByteBuf part) {
        if (part.isReadable() && !closed) {
            owner.onPart(part);
        } else {
            part.release();
        }
    }
}
