package io.millrace.server.relay;

import io.millrace.codec.dialect.Dialect;
import io.millrace.codec.dialect.StreamInspector;
import io.millrace.codec.sse.SseFrameDecoder;
import io.millrace.codec.sse.SseFrameListener;
import io.millrace.server.replay.StreamLog;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;

/** Finds the last {@code sequence_number} in the log of a Responses stream. */
final class LastNumber implements SseFrameListener {
    private static final int PART = 64 * 1024;

    private final StreamInspector inspector = Dialect.RESPONSES.newInspector();

    private LastNumber() {}

    /** Reads what is kept, which ends with a frame; -1 if there is none. */
    static long of(StreamLog log, ByteBufAllocator alloc) {
        var numbers = new LastNumber();
        try (var frames = new SseFrameDecoder(alloc)) {
            long at = log.oldest();
            while (at < log.tail()) {
                ByteBuf part = log.read(at, PART);
                at += part.readableBytes();
                frames.decode(part, numbers);
                part.release();
            }
        }
        return numbers.inspector.sequenceNumber();
    }

    @Override
    public void onFrame(ByteBuf buf, int start, int end) {
        inspector.inspect(buf, start, end);
    }

    @Override
    public void onPiece(ByteBuf buf, int start, int end, boolean first, boolean last) {
        inspector.inspectPiece(buf, start, end, first, last);
    }

    @Override
    public void onLateLineFeed(ByteBuf buf, int index) {
        // It belongs to a frame that was seen.
    }
}
