package io.millrace.codec.sse;

import static io.millrace.codec.sse.LineEnds.CR;
import static io.millrace.codec.sse.LineEnds.LF;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import org.jspecify.annotations.Nullable;

/**
 * Splits one event stream into frames: the bytes up to and including a blank line. Nothing is decoded, changed or
 * dropped.
 *
 * <p>A frame that is in one read is reported in place, without a copy. The bytes of an unfinished frame are held in one
 * buffer of at most the hold limit. A frame longer than that is reported in pieces. The result does not depend on how
 * the bytes were split into reads, with one exception. A piece or a frame may end at a CR, and its LF is then reported
 * separately ({@link SseFrameListener#onLateLineFeed}). Between frames nothing is held.
 *
 * <p>Lines end at LF, CRLF or a lone CR. A byte order mark at the very start belongs to the first frame. A first line
 * with nothing else is still blank (WHATWG HTML 9.2.5, 9.2.6).
 *
 * <p>One decoder serves one stream, on one thread at a time. It must be closed.
 */
public final class SseFrameDecoder implements AutoCloseable {
    /** The default hold limit: the longest frame, in bytes, that is delivered whole: {@value}. */
    public static final int DEFAULT_HOLD_LIMIT = 64 * 1024;

    private static final int FIRST_HOLD_BYTES = 256;

    /** The last byte that was read. It decides what may come next. */
    private enum State {
        STREAM_START,
        BOM_SECOND_BYTE,
        BOM_THIRD_BYTE,
        LINE_START,
        IN_LINE,
        LINE_FEED_OF_LINE,
        LINE_FEED_OF_FRAME
    }

    private final ByteBufAllocator alloc;
    private final int holdLimit;
    private State state = State.STREAM_START;
    private @Nullable ByteBuf held;
    private boolean flowing;
    private boolean closed;

    /** Creates a decoder with {@link #DEFAULT_HOLD_LIMIT} that allocates from {@code alloc}. */
    public SseFrameDecoder(ByteBufAllocator alloc) {
        this(alloc, DEFAULT_HOLD_LIMIT);
    }

    /**
     * Creates a decoder.
     *
     * @param alloc allocates buffers for unfinished frames
     * @param holdLimit the longest frame, in bytes, that is delivered whole; also the most bytes that are held
     * @throws IllegalArgumentException if {@code holdLimit} is not positive
     */
    public SseFrameDecoder(ByteBufAllocator alloc, int holdLimit) {
        if (holdLimit <= 0) {
            throw new IllegalArgumentException("holdLimit: " + holdLimit + " (expected: > 0)");
        }
        this.alloc = alloc;
        this.holdLimit = holdLimit;
    }

    /**
     * Reads all readable bytes of {@code in} and reports the frames that they complete. A listener may {@link #close()}
     * this decoder. Then the bytes after the reported ones stay unread. When the listener throws, close the decoder:
     * its state is lost.
     *
     * @param in remains with the caller; its reader index moves to its writer index
     * @param out receives each frame or piece before this method returns
     * @throws IllegalStateException if this decoder is closed
     */
    public void decode(ByteBuf in, SseFrameListener out) {
        if (closed) {
            throw new IllegalStateException("decode: decoder is closed");
        }
        if (in.isReadable()) {
            int start = in.readerIndex();
            if (state == State.LINE_FEED_OF_FRAME) {
                state = State.LINE_START;
                if (in.getByte(start) == LF) {
                    in.readerIndex(start + 1);
                    out.onLateLineFeed(in, start);
                }
            }
            if (!closed) {
                in.readerIndex(decodeFrames(in, out));
            }
        }
    }

    /**
     * Whether the last byte so far is not the end of a frame: bytes are held, or a frame over the limit is in progress.
     */
    public boolean midFrame() {
        return held != null || flowing;
    }

    /** Whether a frame over the limit is in progress: its first piece has been reported, and its last has not. */
    public boolean flowing() {
        return flowing;
    }

    /** Whether the last frame ended at a CR. If a LF follows, it belongs to that frame. */
    public boolean awaitsLineFeed() {
        return state == State.LINE_FEED_OF_FRAME;
    }

    /** The held bytes of an unfinished frame; at most the hold limit. */
    public int heldBytes() {
        return held == null ? 0 : held.readableBytes();
    }

    /**
     * Takes the held bytes of the unfinished frame out of this decoder, at the end of a stream. Bytes that are decoded
     * later begin a new frame.
     *
     * @return the bytes, whose ownership is transferred; null if none are held
     */
    public @Nullable ByteBuf takeTail() {
        ByteBuf tail = held;
        if (tail != null) {
            held = null;
            state = State.LINE_START;
        }
        return tail;
    }

    /** Releases the held bytes. The second call does nothing. */
    @Override
    public void close() {
        closed = true;
        flowing = false;
        ByteBuf tail = takeTail();
        if (tail != null) {
            tail.release();
        }
    }

    /** Returns the index after the last byte that was reported or held. */
    private int decodeFrames(ByteBuf in, SseFrameListener out) {
        int start = in.readerIndex();
        int end = in.writerIndex();
        int at = resumeLine(in, start, end);
        int lineStart = state == State.IN_LINE ? -1 : at;
        LineEnds lines = LineEnds.shared(in, end);
        while (at < end) {
            int lineEnd = lines.find(at);
            if (lineEnd == end) {
                break;
            }
            int frameEnd = lineEnd == lineStart ? lines.after(lineEnd) : lines.afterBlankLine(lineEnd);
            if (frameEnd < 0) {
                at = lines.after(lineEnd);
            } else {
                at = frameEnd;
                state = at == end && in.getByte(at - 1) == CR ? State.LINE_FEED_OF_FRAME : State.LINE_START;
                endFrame(in, start, at, out);
                if (closed) {
                    return at;
                }
                start = at;
                if (at < end) {
                    lines = lines.unshared();
                }
            }
            lineStart = at;
        }
        if (start < end) {
            state = stateAtEnd(in, end, lineStart);
            hold(in, start, end, out);
        }
        return end;
    }

    /**
     * The index at which the search for a line end begins: after the line feed of the line before, and after a byte
     * order mark.
     */
    private int resumeLine(ByteBuf in, int start, int end) {
        return switch (state) {
            case LINE_START, IN_LINE, LINE_FEED_OF_FRAME -> start;
            case STREAM_START, BOM_SECOND_BYTE, BOM_THIRD_BYTE -> skipBom(in, start, end);
            case LINE_FEED_OF_LINE -> {
                state = State.LINE_START;
                yield in.getByte(start) == LF ? start + 1 : start;
            }
        };
    }

    // stream = [ bom ] *event (WHATWG HTML 9.2.5)
    private int skipBom(ByteBuf in, int start, int end) {
        for (int at = start; at < end; at++) {
            byte value = in.getByte(at);
            if (state == State.STREAM_START && value == (byte) 0xEF) {
                state = State.BOM_SECOND_BYTE;
            } else if (state == State.BOM_SECOND_BYTE && value == (byte) 0xBB) {
                state = State.BOM_THIRD_BYTE;
            } else if (state == State.BOM_THIRD_BYTE && value == (byte) 0xBF) {
                state = State.LINE_START;
                return at + 1;
            } else {
                state = state == State.STREAM_START ? State.LINE_START : State.IN_LINE;
                return at;
            }
        }
        return end;
    }

    private State stateAtEnd(ByteBuf in, int end, int lineStart) {
        if (state == State.BOM_SECOND_BYTE || state == State.BOM_THIRD_BYTE) {
            return state;
        }
        if (in.getByte(end - 1) == CR) {
            return State.LINE_FEED_OF_LINE;
        }
        return lineStart == end ? State.LINE_START : State.IN_LINE;
    }

    private void endFrame(ByteBuf in, int start, int end, SseFrameListener out) {
        if (flowing) {
            flowing = false;
            out.onPiece(in, start, end, false, true);
        } else if (heldBytes() + end - start > holdLimit) {
            beginFlow(in, start, end, true, out);
        } else if (held == null) {
            out.onFrame(in, start, end);
        } else {
            held.writeBytes(in, start, end - start);
            ByteBuf frame = held;
            held = null;
            try {
                out.onFrame(frame, frame.readerIndex(), frame.writerIndex());
            } finally {
                frame.release();
            }
        }
    }

    private void hold(ByteBuf in, int start, int end, SseFrameListener out) {
        if (flowing) {
            out.onPiece(in, start, end, false, false);
        } else if (heldBytes() + end - start > holdLimit) {
            beginFlow(in, start, end, false, out);
        } else {
            if (held == null) {
                held = alloc.buffer(Math.min(holdLimit, Math.max(FIRST_HOLD_BYTES, end - start)), holdLimit);
            }
            held.writeBytes(in, start, end - start);
        }
    }

    /**
     * Reports the held bytes, filled up to the hold limit, as the first piece. Reports the rest in place as the second.
     */
    private void beginFlow(ByteBuf in, int start, int end, boolean last, SseFrameListener out) {
        flowing = !last;
        if (held == null) {
            out.onPiece(in, start, end, true, last);
            return;
        }
        int fill = holdLimit - held.readableBytes();
        held.writeBytes(in, start, fill);
        ByteBuf piece = held;
        held = null;
        try {
            out.onPiece(piece, piece.readerIndex(), piece.writerIndex(), true, false);
        } finally {
            piece.release();
        }
        if (!closed) {
            out.onPiece(in, start + fill, end, false, last);
        }
    }
}
