package io.millrace.server.downstream;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPromise;

/**
 * Writes the frames of one response body to one client. What is appended between two flushes leaves as one chunk, in one
 * buffer and one write: copying a few hundred bytes costs less than a scatter write of three pieces.
 *
 * <p>Confined to the connection's event loop.
 */
public final class FrameSink {
    /** Room for the chunk head: eight hexadecimal digits and CRLF. */
    private static final int HEAD_ROOM = 10;

    private static final int TAIL_ROOM = 2;
    private static final byte[] HEX = {'0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'};
    private static final int SHORT_CRLF = '\r' << 8 | '\n';

    private final ChannelHandlerContext context;
    private final boolean chunked;
    private ByteBuf out;
    private long bodyBytes;

    /**
     * @param context the context of the HTTP encoder: what is written from here passes it by
     * @param chunked whether the body is chunked; else it is delimited by the end of the connection
     */
    FrameSink(ChannelHandlerContext context, boolean chunked) {
        this.context = context;
        this.chunked = chunked;
    }

    /** Body bytes appended so far. */
    public long bodyBytes() {
        return bodyBytes;
    }

    /** Whether something was appended since the last {@link #write}. */
    public boolean hasPending() {
        return out != null;
    }

    /** Appends the bytes {@code [start, end)} of {@code frames}, which remains with the caller. */
    public void append(ByteBuf frames, int start, int end) {
        int length = end - start;
        if (out == null) {
            out = context.alloc().ioBuffer(HEAD_ROOM + Math.max(length, 512) + TAIL_ROOM);
            out.writerIndex(HEAD_ROOM).readerIndex(HEAD_ROOM);
        }
        out.ensureWritable(length + TAIL_ROOM);
        out.writeBytes(frames, start, length);
        bodyBytes += length;
    }

    /** Writes what was appended, without a flush. Completes {@code promise} when the kernel has it. */
    public void write(ChannelPromise promise) {
        ByteBuf chunk = out;
        out = null;
        if (chunked) {
            int length = chunk.readableBytes();
            int index = HEAD_ROOM - 2;
            chunk.setShort(index, SHORT_CRLF);
            do {
                chunk.setByte(--index, HEX[length & 0xf]);
                length >>>= 4;
            } while (length != 0);
            chunk.readerIndex(index);
            chunk.writeShort(SHORT_CRLF);
        }
        context.write(chunk, promise);
    }

    /** Writes what was appended, without a flush and without a notice. */
    public void write() {
        write(context.voidPromise());
    }

    /** Forgets what was appended and not written. */
    public void discard() {
        if (out != null) {
            bodyBytes -= out.readableBytes();
            out.release();
            out = null;
        }
    }
}
