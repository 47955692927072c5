package io.millrace.server.downstream;

import io.millrace.server.http.ChunkedBody;
import io.millrace.server.http.HeadWriter;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelPromise;
import io.netty.handler.codec.http.HttpResponse;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Writes one streamed response to one client: head, frames, end. What is appended between two writes leaves in one
 * buffer and one system call, because to copy a few hundred bytes costs less than a scatter write of several pieces.
 * If frames were held before the head, the head has a buffer of its own. Whole chunks with nothing before them leave
 * as a slice of the buffer that was read. Until the response has begun, nothing is written and everything appended is
 * held.
 *
 * <p>During a read nothing is copied at first. The buffer being read has whole chunks in {@code [chunksStart,
 * chunksEnd)}, which leave unchanged, and data after them in {@code [dataStart, dataEnd)}. More data, or the rest of
 * its chunk, may follow.
 *
 * <p>Confined to the connection's event loop.
 */
final class Http1FrameSink implements FrameSink {
    private static final int FIRST_BYTES = 512;
    /** The most bytes that the size of a chunk and its two CRLF take. */
    private static final int CHUNK_FRAMING = 12;

    /** When this much has been appended it is written before {@link #write}, so that a large read is not held twice. */
    private static final int WRITE_EARLY_BYTES = 64 * 1024;

    /** A buffer with this many bytes is not grown any more. */
    private static final int FULL_BYTES = 16 * 1024;

    /** If something is pending anyway, fewer bytes than these are copied after it. */
    private static final int SLICE_FROM = 4 * 1024;

    private static final int SHORT_CRLF = '\r' << 8 | '\n';
    private static final byte[] HEX = {'0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'};
    private static final byte[] LAST_CHUNK = {'0', '\r', '\n', '\r', '\n'};

    private final ClientOutput output;
    private final boolean chunked;
    private boolean begun;
    private boolean writtenEarly;
    private @Nullable ByteBuf out;
    private long bodyBytes;
    private long bodyBytesOut;
    private @Nullable ByteBuf raw;
    private int chunksStart;
    private int chunksEnd;
    private int chunksBytes;
    private int dataStart;
    private int dataEnd;

    /**
     * @param output the client's; its writes bypass the HTTP encoder
     * @param chunked whether the body is chunked; otherwise it ends with the connection
     */
    Http1FrameSink(ClientOutput output, boolean chunked) {
        this.output = output;
        this.chunked = chunked;
    }

    @Override
    public long bodyBytes() {
        return bodyBytes;
    }

    @Override
    public boolean hasPending() {
        return out != null || writtenEarly;
    }

    @Override
    public int pendingBytes() {
        return out == null ? 0 : out.readableBytes();
    }

    @Override
    public void onRead(ByteBuf read) {
        raw = read;
    }

    @Override
    public void onChunk(int start, int data, int end) {
        boolean all = dataStart == data && dataEnd == end - ChunkedBody.CHUNK_END;
        if (!all || !chunked) {
            settle();
            return;
        }
        if (chunksEnd != start) {
            settleChunks();
            chunksStart = start;
        }
        chunksEnd = end;
        chunksBytes += dataEnd - dataStart;
        dataEnd = dataStart;
    }

    @Override
    public void onReadEnd() {
        settle();
        raw = null;
    }

    @Override
    public void append(ByteBuf frames, int start, int end) {
        boolean inRaw = isRaw(frames);
        if (inRaw && dataEnd == start && dataEnd > dataStart) {
            dataEnd = end;
        } else if (inRaw) {
            settleData();
            dataStart = start;
            dataEnd = end;
        } else {
            settle();
            appendChunk(frames, start, end);
        }
        writeEarly();
    }

    @Override
    public void write(@Nullable Runnable written) {
        settle();
        writtenEarly = false;
        if (written != null) {
            writeOut(noticeOf(written));
        } else {
            writeOut();
        }
    }

    /** Like {@link #write(Runnable)}, but always writes. */
    void write(ChannelPromise promise) {
        settle();
        writeOut(promise);
    }

    private ChannelPromise noticeOf(Runnable written) {
        return output.newPromise().addListener(done -> {
            if (done.isSuccess()) {
                written.run();
            }
        });
    }

    @Override
    public void discard() {
        forgetChunks();
        forgetData();
        if (out != null) {
            bodyBytes -= bodyBytesOut;
            bodyBytesOut = 0;
            out.release();
            out = null;
        }
    }

    /** Begins the response: writes {@code head} before what was appended. */
    void begin(HttpResponse head) {
        begun = true;
        if (out == null) {
            HeadWriter.write(head, room(FIRST_BYTES));
            return;
        }
        ByteBuf first = output.alloc().ioBuffer(FIRST_BYTES);
        HeadWriter.write(head, first);
        output.write(first);
    }

    /** Continues the response that {@code before} began and that has nothing pending. */
    void goOn(Http1FrameSink before) {
        begun = true;
        bodyBytes += before.bodyBytes;
    }

    /** Appends the end of the body, if its coding has one. */
    void appendEnd() {
        settle();
        if (chunked) {
            room(LAST_CHUNK.length).writeBytes(LAST_CHUNK);
        }
    }

    private void settle() {
        settleChunks();
        settleData();
        writeEarly();
    }

    private void settleChunks() {
        if (raw != null && chunksEnd > chunksStart) {
            appendChunks(raw, chunksStart, chunksEnd, chunksBytes);
        }
        forgetChunks();
    }

    private void settleData() {
        if (raw != null && dataEnd > dataStart) {
            settleChunks();
            appendChunk(raw, dataStart, dataEnd);
        }
        forgetData();
    }

    private void forgetChunks() {
        chunksStart = 0;
        chunksEnd = 0;
        chunksBytes = 0;
    }

    private void forgetData() {
        dataStart = 0;
        dataEnd = 0;
    }

    /** Appends bytes that are not in a chunk yet. */
    private void appendChunk(ByteBuf frames, int start, int end) {
        int length = end - start;
        ByteBuf to = room(length + CHUNK_FRAMING);
        if (chunked) {
            writeChunkSize(to, length);
        }
        to.writeBytes(frames, start, length);
        if (chunked) {
            to.writeShort(SHORT_CRLF);
        }
        bodyBytes += length;
        bodyBytesOut += length;
    }

    /**
     * Appends the bytes {@code [start, end)} of {@code read}, which are whole chunks with {@code length} body bytes.
     */
    private void appendChunks(ByteBuf read, int start, int end, int length) {
        bodyBytes += length;
        // Copies for a slow client. A slice may be a small part of a read's buffer, and would hold all of it.
        if (begun && (out == null || end - start >= SLICE_FROM) && !output.isBackedUp()) {
            writeOut();
            writtenEarly = true;
            output.write(read.retainedSlice(start, end - start));
            return;
        }
        room(end - start).writeBytes(read, start, end - start);
        bodyBytesOut += length;
    }

    private void writeEarly() {
        if (begun && out != null && out.readableBytes() >= WRITE_EARLY_BYTES) {
            writtenEarly = true;
            writeOut();
        }
    }

    private void writeOut() {
        if (out != null) {
            output.write(takeOut());
        }
    }

    private void writeOut(ChannelPromise taken) {
        output.write(out == null ? output.alloc().buffer(0, 0) : takeOut(), taken);
    }

    private ByteBuf takeOut() {
        ByteBuf taken = Objects.requireNonNull(out);
        out = null;
        bodyBytesOut = 0;
        return taken;
    }

    /** Compares by identity: two buffers with the same bytes are not the same buffer. */
    @SuppressWarnings("ReferenceEquality")
    private boolean isRaw(ByteBuf buf) {
        return buf == raw;
    }

    private ByteBuf room(int length) {
        if (begun && out != null && out.readableBytes() >= FULL_BYTES && out.writableBytes() < length) {
            writeOut(); // a larger buffer would cost a copy, and hold nearly twice the bytes
        }
        if (out == null) {
            out = output.alloc().ioBuffer(Math.max(FIRST_BYTES, length + LAST_CHUNK.length));
        }
        return out.ensureWritable(length);
    }

    private static void writeChunkSize(ByteBuf to, int length) {
        int shift = (Integer.SIZE - Integer.numberOfLeadingZeros(length) - 1) & ~3;
        for (; shift >= 0; shift -= 4) {
            to.writeByte(HEX[length >>> shift & 0xf]);
        }
        to.writeShort(SHORT_CRLF);
    }
}
