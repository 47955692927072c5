package io.millrace.server.replay;

import io.millrace.codec.dialect.Dialect;
import io.millrace.codec.dialect.StreamInspector;
import io.millrace.codec.sse.SseFrameDecoder;
import io.millrace.codec.sse.SseFrameListener;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import java.nio.charset.StandardCharsets;

/**
 * Finds where a stream goes on behind an event that a client names: reads the stream's bytes once from their start, as many
 * at a time as the caller gives. Nothing is indexed while a stream is written, so that a stream which nobody resumes costs
 * nothing. Must be closed. Confined to one thread.
 */
final class Positions implements SseFrameListener, AutoCloseable {
    private final SseFrameDecoder frames;
    private final Mark mark;
    private long frameStart;
    private long at;
    private long found = -1;

    /** Tells from one frame after the other whether the event that is sought has come. */
    private interface Mark {
        Place place(ByteBuf buf, int start, int end);

        Place placeOfPiece(ByteBuf buf, int start, int end, boolean first, boolean last);
    }

    /** Where a frame is, relative to the event that is sought. */
    private enum Place {
        BEFORE,
        AT,
        BEHIND
    }

    private Positions(ByteBufAllocator alloc, Mark mark) {
        frames = new SseFrameDecoder(alloc);
        this.mark = mark;
    }

    /** The place behind the event of a Responses stream with this {@code sequence_number}, or before the first one above it. */
    static Positions afterSequenceNumber(ByteBufAllocator alloc, long number) {
        return new Positions(alloc, new Numbers(number));
    }

    /** The place behind the event that has this {@code id:} line, as {@code /chat} writes it. */
    static Positions afterId(ByteBufAllocator alloc, String id) {
        return new Positions(alloc, new Ids(id));
    }

    /**
     * Reads further bytes of the stream; those behind the place that is sought are not looked at.
     *
     * @param next remains with the caller; its reader index moves
     * @return whether the place is known
     */
    boolean read(ByteBuf next) {
        if (found < 0 && next.isReadable()) {
            frames.decode(next, this);
        }
        return found >= 0;
    }

    /** The offset at which the stream goes on; {@code -1} if the event has not come. */
    long offset() {
        return found;
    }

    @Override
    public void onFrame(ByteBuf buf, int start, int end) {
        frameStart = at;
        at += end - start;
        take(mark.place(buf, start, end));
    }

    @Override
    public void onPiece(ByteBuf buf, int start, int end, boolean first, boolean last) {
        if (first) {
            frameStart = at;
        }
        at += end - start;
        Place place = mark.placeOfPiece(buf, start, end, first, last);
        if (last) {
            take(place);
        }
    }

    @Override
    public void onLateLineFeed(ByteBuf buf, int index) {
        at++;
    }

    private void take(Place place) {
        if (place != Place.BEFORE) {
            found = place == Place.AT ? at : frameStart;
            frames.close();
        }
    }

    @Override
    public void close() {
        frames.close();
    }

    private static final class Numbers implements Mark {
        private final StreamInspector inspector = Dialect.RESPONSES.newInspector();
        private final long sought;

        Numbers(long sought) {
            this.sought = sought;
        }

        @Override
        public Place place(ByteBuf buf, int start, int end) {
            inspector.inspect(buf, start, end);
            return place();
        }

        @Override
        public Place placeOfPiece(ByteBuf buf, int start, int end, boolean first, boolean last) {
            inspector.inspectPiece(buf, start, end, first, last);
            return place();
        }

        private Place place() {
            long number = inspector.sequenceNumber();
            return number < sought || number < 0 ? Place.BEFORE : number == sought ? Place.AT : Place.BEHIND;
        }
    }

    private static final class Ids implements Mark {
        private static final byte LF = '\n';

        private final ByteBuf line;
        private Place firstPiece = Place.BEFORE;

        Ids(String id) {
            line = Unpooled.copiedBuffer("id: " + id + "\n", StandardCharsets.UTF_8);
        }

        @Override
        public Place place(ByteBuf buf, int start, int end) {
            int from = start;
            while (from < end) {
                int found = ByteBufUtil.indexOf(line, buf.slice(from, end - from));
                if (found < 0) {
                    return Place.BEFORE;
                }
                from += found;
                if (from == start || buf.getByte(from - 1) == LF) {
                    return Place.AT;
                }
                from++;
            }
            return Place.BEFORE;
        }

        /** No event of {@code /chat} has its id behind its data, so that a long frame has it in its first piece. */
        @Override
        public Place placeOfPiece(ByteBuf buf, int start, int end, boolean first, boolean last) {
            if (first) {
                firstPiece = place(buf, start, end);
            }
            return firstPiece;
        }
    }
}
