package io.millrace.server.mock;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.ByteBufUtil;
import io.netty.channel.ChannelHandlerContext;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import org.jspecify.annotations.Nullable;

/**
 * Writes the bytes of a body: chunked coding (RFC 9112 section 7.1), TCP segments, and the byte at which the body is
 * cut off. Bytes that it cannot write yet are kept until {@link #drain}.
 */
final class BodyWriter implements AutoCloseable {
    /** How a body is delimited. */
    enum Chunking {
        /** One chunk per frame. */
        FRAME,
        /** One chunk per segment. */
        SEGMENT,
        /** One chunk for the whole body. It is still sent in pieces. */
        WHOLE,
        /** No transfer coding: the body ends with the connection. */
        NONE,
        /** {@code Content-Length}. */
        LENGTH
    }

    /** The room before a frame for its chunk size: eight digits and a line end. */
    static final int RESERVE = 10;

    /** More than the length of most frames. A buffer that must grow is copied. */
    private static final int FRAME_BYTES = 512;

    private static final int GATHERED_BYTES = 16 * 1024;
    private static final int DEFAULT_CHUNK_SEGMENT = 16;
    private static final byte[] HEX = "0123456789abcdef".getBytes(StandardCharsets.US_ASCII);

    private final ChannelHandlerContext ctx;
    private final BodyEncoder encoder;
    private final Chunking chunking;
    private final int segment;
    private final long total;
    private final long cutAt;
    private final ArrayDeque<ByteBuf> pending = new ArrayDeque<>();
    private @Nullable ByteBuf gathered;
    private boolean closed;
    private long sent;
    private long wireBytes;

    /**
     * @param total the length of the whole body, if {@code chunking} needs it
     * @param cutAt the number of body bytes after which nothing more is sent
     */
    BodyWriter(ChannelHandlerContext ctx, MockSpec spec, Chunking chunking, long total, long cutAt) {
        this.ctx = ctx;
        this.encoder = new BodyEncoder(spec);
        this.chunking = chunking;
        this.total = total;
        this.cutAt = cutAt;
        int size = spec.count(SpecKey.SEGMENT, 0);
        this.segment = size == 0 && chunking == Chunking.SEGMENT ? DEFAULT_CHUNK_SEGMENT : size;
    }

    /**
     * The length of the body of {@code script}, with the digest's comment if that is asked for. The script cannot be
     * used afterwards.
     */
    static long measure(ByteBufAllocator alloc, MockSpec spec, Script script, boolean digest) {
        var buf = alloc.buffer();
        try (var encoder = new BodyEncoder(spec)) {
            long length = 0;
            while (script.next(buf) != null) {
                encoder.encode(buf);
                length += buf.readableBytes();
                buf.clear();
            }
            if (digest) {
                ByteBufUtil.writeUtf8(buf, encoder.digestComment());
                encoder.encode(buf);
                length += buf.readableBytes();
                buf.clear();
            }
            encoder.finish(buf);
            return length + buf.readableBytes();
        } finally {
            buf.release();
        }
    }

    /** A buffer for a frame. There are {@link #RESERVE} free bytes before its first readable byte. */
    ByteBuf newFrame() {
        var frame = ctx.alloc().buffer(FRAME_BYTES);
        return frame.setIndex(RESERVE, RESERVE);
    }

    /** A comment with the digest of the written frames. */
    String digestComment() {
        return encoder.digestComment();
    }

    /** The bytes written so far, including framing. */
    long wireBytes() {
        return wireBytes;
    }

    /** Whether the body has reached the byte at which it is cut off. */
    boolean isCut() {
        return sent >= cutAt;
    }

    /** Writes a frame made by {@link #newFrame}, without a flush. The ownership is transferred. */
    void write(ByteBuf frame) {
        encoder.encode(frame);
        writeEncoded(frame);
    }

    /** Writes bytes that are not part of the body, such as a broken chunk size. The ownership is transferred. */
    void writeRaw(ByteBuf bytes) {
        emit(bytes);
    }

    /** Writes the end of the content coding and of the chunked coding. */
    void finish() {
        var tail = newFrame();
        encoder.finish(tail);
        writeEncoded(tail);
        if (isCut()) {
            return;
        }
        switch (chunking) {
            case FRAME, SEGMENT -> emit(ascii("0\r\n\r\n"));
            case WHOLE -> emit(ascii(sent == 0 ? "0\r\n\r\n" : "\r\n0\r\n\r\n"));
            case NONE, LENGTH -> {}
        }
    }

    /** Writes the gathered bytes. The caller flushes. */
    void handOver() {
        var bytes = gathered;
        if (bytes != null) {
            gathered = null; // a failed write also closes this writer
            ctx.write(bytes, ctx.voidPromise());
        }
    }

    /** Writes pending bytes to the socket, with a flush per segment. Returns false if the socket takes no more. */
    boolean drain() {
        while (!pending.isEmpty()) {
            if (!ctx.channel().isWritable()) {
                return false;
            }
            var first = pending.peek();
            boolean last = chunking == Chunking.SEGMENT || first.readableBytes() <= segment;
            ctx.writeAndFlush(last ? pending.remove() : first.readRetainedSlice(segment), ctx.voidPromise());
        }
        return true;
    }

    @Override
    public void close() {
        closed = true;
        if (ctx.channel().isActive()) {
            handOver();
        } else if (gathered != null) {
            gathered.release();
            gathered = null;
        }
        pending.forEach(ByteBuf::release);
        pending.clear();
        encoder.close();
    }

    private void writeEncoded(ByteBuf frame) {
        if (!frame.isReadable() || isCut()) {
            frame.release();
            return;
        }
        int length = (int) Math.min(frame.readableBytes(), cutAt - sent);
        if (chunking == Chunking.SEGMENT) {
            writeSegments(frame, length);
            return;
        }
        boolean whole = length == frame.readableBytes();
        int size = chunking == Chunking.WHOLE ? (int) total : frame.readableBytes();
        frame.writerIndex(frame.readerIndex() + length);
        if (chunking == Chunking.FRAME || (chunking == Chunking.WHOLE && sent == 0)) {
            prependSize(frame, size);
        }
        if (whole && chunking == Chunking.FRAME) {
            frame.writeByte('\r').writeByte('\n');
        }
        sent += length;
        emit(frame);
    }

    private void writeSegments(ByteBuf frame, int length) {
        try {
            for (int done = 0; done < length; done += segment) {
                int size = Math.min(segment, length - done);
                var chunk = newFrame().writeBytes(frame, size);
                prependSize(chunk, size);
                sent += size;
                emit(chunk.writeByte('\r').writeByte('\n'));
            }
        } finally {
            frame.release();
        }
    }

    private void emit(ByteBuf bytes) {
        wireBytes += bytes.readableBytes();
        if (segment == 0) {
            gather(bytes);
        } else {
            pending.add(bytes);
        }
    }

    /** Gathers frames until the next flush. A single frame is not copied; several are copied into one write. */
    private void gather(ByteBuf bytes) {
        int length = bytes.readableBytes();
        if (closed) {
            bytes.release();
            return;
        }
        if (gathered == null || gathered.readableBytes() + length > GATHERED_BYTES) {
            var full = gathered;
            gathered = bytes; // set before the write, which may request more frames
            if (full != null) {
                ctx.write(full, ctx.voidPromise());
            }
            return;
        }
        if (gathered.maxFastWritableBytes() < length) {
            var larger = ctx.alloc().buffer(GATHERED_BYTES).writeBytes(gathered);
            gathered.release();
            gathered = larger;
        }
        gathered.writeBytes(bytes);
        bytes.release();
    }

    /** Puts a chunk size and its line end directly before the readable bytes. */
    private static void prependSize(ByteBuf frame, int size) {
        int at = frame.readerIndex();
        frame.setByte(--at, '\n').setByte(--at, '\r');
        do {
            frame.setByte(--at, HEX[size & 15]);
            size >>>= 4;
        } while (size != 0);
        frame.readerIndex(at);
    }

    private ByteBuf ascii(String text) {
        return ctx.alloc().buffer(text.length()).writeBytes(text.getBytes(StandardCharsets.US_ASCII));
    }
}
