package io.millrace.server.relay;

import io.millrace.codec.sse.SseFrameDecoder;
import io.millrace.codec.sse.SseFrameListener;
import io.millrace.server.downstream.FrameSink;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.ByteBufUtil;

/**
 * Gives each event of a stream its end as its id, for an EventSource: the offset in the log, behind the event. The line stands
 * last in the event, where it counts more than an id of the upstream's. A frame without data is no event and gets none. Without
 * these lines the bytes are those of the log. Must be closed. Confined to the reader's event loop.
 */
final class FrameIds implements SseFrameListener, AutoCloseable {
    private static final byte CR = '\r';
    private static final byte LF = '\n';

    private final SseFrameDecoder frames;
    private final ByteBufAllocator alloc;
    private final FrameSink sink;
    private long at;

    /** For a reader that begins at {@code from}, the end of a frame. */
    FrameIds(ByteBufAllocator alloc, FrameSink sink, long from) {
        frames = new SseFrameDecoder(alloc);
        this.alloc = alloc;
        this.sink = sink;
        at = from;
    }

    /** Appends the frames that {@code bytes} completes; remains with the caller. */
    void read(ByteBuf bytes) {
        frames.decode(bytes, this);
    }

    /** Appends the rest, which is no whole frame. */
    void end() {
        ByteBuf tail = frames.takeTail();
        if (tail != null) {
            sink.take(tail);
        }
    }

    @Override
    public void onFrame(ByteBuf buf, int start, int end) {
        at += end - start;
        if (hasData(buf, start, end)) {
            appendWithId(buf, start, end);
        } else {
            sink.append(buf, start, end);
        }
    }

    @Override
    public void onPiece(ByteBuf buf, int start, int end, boolean first, boolean last) {
        at += end - start;
        if (last) {
            appendWithId(buf, start, end);
        } else {
            sink.append(buf, start, end);
        }
    }

    @Override
    public void onLateLineFeed(ByteBuf buf, int index) {
        at++;
        sink.append(buf, index, index + 1);
    }

    @Override
    public void close() {
        frames.close();
    }

    private void appendWithId(ByteBuf buf, int start, int end) {
        boolean pair = end - start >= 2 && buf.getByte(end - 1) == LF && buf.getByte(end - 2) == CR;
        int blankLine = end - (pair ? 2 : 1);
        if (blankLine > start) {
            sink.append(buf, start, blankLine);
        }
        String lineEnd = pair ? "\r\n" : buf.getByte(end - 1) == LF ? "\n" : "\r";
        sink.take(ByteBufUtil.writeAscii(alloc, "id: " + at + lineEnd));
        sink.append(buf, blankLine, end);
    }

    private static boolean hasData(ByteBuf buf, int start, int end) {
        boolean lineStart = true;
        for (int i = start; i < end; i++) {
            byte b = buf.getByte(i);
            if (lineStart && isData(buf, i, end)) {
                return true;
            }
            lineStart = b == LF || b == CR;
        }
        return false;
    }

    private static boolean isData(ByteBuf buf, int at, int end) {
        if (end - at < 5 || buf.getByte(at) != 'd' || buf.getByte(at + 1) != 'a') {
            return false;
        }
        byte behind = buf.getByte(at + 4);
        return buf.getByte(at + 2) == 't'
                && buf.getByte(at + 3) == 'a'
                && (behind == ':' || behind == LF || behind == CR);
    }
}
