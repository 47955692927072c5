package io.millrace.server.replay;

import io.millrace.codec.dialect.Dialect;
import io.millrace.codec.dialect.FrameKind;
import io.millrace.codec.dialect.StreamInspector;
import io.millrace.codec.sse.SseFrameDecoder;
import io.millrace.codec.sse.SseFrameListener;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import java.util.function.Consumer;

/**
 * Finds the id of the answer in a Responses stream. It reads only the first frames of the stream. Must be closed.
 * Confined to one thread.
 */
public final class AnswerId implements SseFrameListener, AutoCloseable {
    /** The first frame that is no heartbeat has the id. After this number of frames without an id, the search ends. */
    private static final int MOST_FRAMES = 8;

    private final StreamInspector inspector = Dialect.RESPONSES.newInspector();
    private final SseFrameDecoder frames;
    private final Consumer<String> found;
    private int seen;
    private boolean over;

    /** A search that calls {@code found} once with the id, if there is one. */
    public AnswerId(ByteBufAllocator alloc, Consumer<String> found) {
        frames = new SseFrameDecoder(alloc);
        this.found = found;
    }

    /**
     * Reads the next bytes of the stream, {@code [start, end)} of {@code buf}, which remains with the caller.
     *
     * @return whether the search has ended
     */
    public boolean read(ByteBuf buf, int start, int end) {
        if (!over) {
            frames.decode(buf.slice(start, end - start), this);
        }
        return over;
    }

    @Override
    public void onFrame(ByteBuf buf, int start, int end) {
        countIn(inspector.inspect(buf, start, end));
    }

    @Override
    public void onPiece(ByteBuf buf, int start, int end, boolean first, boolean last) {
        FrameKind kind = inspector.inspectPiece(buf, start, end, first, last);
        if (last) {
            countIn(kind);
        }
    }

    @Override
    public void onLateLineFeed(ByteBuf buf, int index) {
        // It belongs to a frame that was seen.
    }

    private void countIn(FrameKind kind) {
        seen += kind == FrameKind.KEEP_ALIVE ? 0 : 1;
        String id = inspector.answerId();
        if (id != null || seen == MOST_FRAMES) {
            close();
        }
        if (id != null) {
            found.accept(id);
        }
    }

    @Override
    public void close() {
        over = true;
        frames.close();
    }
}
