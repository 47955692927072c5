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
 * Finds the offset behind an event that a client names. It reads the bytes of the stream once, from the start, in parts
 * of any size. There is no index of events, so a stream costs nothing more if nobody resumes it. Must be closed.
 * Confined to one thread.
 */
final class Positions implements SseFrameListener, AutoCloseable {
    private final SseFrameDecoder frames;
    private final Mark mark;
    private long frameStart;
    private long at;
    private long found = -1;

    /** Compares each frame with the event that is sought. */
    private interface Mark {
        Place place(ByteBuf buf, int start, int end);

        Place placeOfPiece(ByteBuf buf, int start, int end, boolean first, boolean last);
    }

    /** The place of a frame relative to the event that is sought. */
    private enum Place {
        BEFORE,
        AT,
        BEHIND
    }

    private Positions(ByteBufAllocator alloc, Mark mark) {
        frames = new SseFrameDecoder(alloc);
        this.mark = mark;
    }

    /**
     * Finds the offset behind the event of a Responses stream that has this {@code sequence_number}. If no event has
     * it, finds the offset before the first event with a higher number.
     */
    static Positions afterSequenceNumber(ByteBufAllocator alloc, long number) {
        return new Positions(alloc, new Numbers(number));
    }

    /** Finds the offset behind the event that has this {@code id:} line, as {@code /chat} writes it. */
    static Positions afterId(ByteBufAllocator alloc, String id) {
        return new Positions(alloc, new Ids(id));
    }

    /**
     * Reads the next bytes of the stream. Bytes behind the offset that is sought are ignored.
     *
     * @param next remains with the caller; its reader index moves
     * @return whether the offset is known
     */
    boolean read(ByteBuf next) {
        if (found < 0 && next.isReadable()) {
            frames.decode(next, this);
        }
        return found >= 0;
    }

    /** The offset that was found; {@code -1} if the event has not come yet. */
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

        /** The events of {@code /chat} have their id before their data, so the first piece of a long frame has it. */
        @Override
        public Place placeOfPiece(ByteBuf buf, int start, int end, boolean first, boolean last) {
            if (first) {
                firstPiece = place(buf, start, end);
            }
            return firstPiece;
        }
    }
}
