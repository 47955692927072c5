package io.millrace.server.upstream;

import io.millrace.codec.sse.SseFrameDecoder;
import io.millrace.server.http.ChunkedBody;
import io.millrace.server.http.Inflation;
import io.millrace.server.http.ReadListener;
import io.netty.buffer.ByteBuf;
import io.netty.handler.codec.CorruptedFrameException;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.HttpUtil;
import org.jspecify.annotations.Nullable;

/**
 * The body of one event stream. Removes the transfer coding and the content coding from the raw bytes, and gives the
 * rest to a frame decoder. Without a content coding it does so in place.
 */
final class StreamBody implements AutoCloseable {
    /** The most bytes that are inflated at once, before other connections have their turn. */
    private static final int INFLATED_AT_ONCE = 256 * 1024;

    private final @Nullable ChunkedBody chunks;
    private final @Nullable Inflation inflation;
    private final SseFrameDecoder frames;
    private StreamListener listener;
    private ReadListener reads;
    private long remaining;
    private boolean ended;
    private boolean discarding;

    private StreamBody(
            @Nullable ChunkedBody chunks,
            long length,
            @Nullable Inflation inflation,
            SseFrameDecoder frames,
            StreamListener listener,
            ReadListener reads) {
        this.chunks = chunks;
        this.remaining = length;
        this.inflation = inflation;
        this.frames = frames;
        this.listener = listener;
        this.reads = reads;
        ended = length == 0;
    }

    /**
     * Makes the reader of the body after {@code head}.
     *
     * @param frames cuts the body; closed with it
     * @param reads receives the positions of the frames
     * @throws CorruptedFrameException if the content coding cannot be removed during the stream
     */
    public static StreamBody of(
            HttpResponse head, SseFrameDecoder frames, StreamListener listener, ReadListener reads) {
        Inflation inflation = inflation(head);
        if (HttpUtil.isTransferEncodingChunked(head)) {
            return new StreamBody(ChunkedBody.ofResponse(), -1, inflation, frames, listener, reads);
        }
        return new StreamBody(null, HttpUtil.getContentLength(head, -1L), inflation, frames, listener, reads);
    }

    /** Whether the body's end was seen on the wire. Always false for a body that is delimited by close. */
    boolean endSeen() {
        return ended;
    }

    /** Whether the body's end was seen and everything is inflated. */
    public boolean ended() {
        return ended && !suspended();
    }

    /** Whether a content coding is removed. */
    boolean isInflated() {
        return inflation != null;
    }

    /** Whether some of the bytes that were read are left to be inflated. */
    boolean suspended() {
        return inflation != null && inflation.hasMore();
    }

    /** Compressed bytes that are left to be inflated. */
    int suspendedBytes() {
        return inflation == null ? 0 : inflation.waitingBytes();
    }

    /** Whether a body that has ended is incomplete nevertheless, because its compressed data has no end. */
    boolean isCut() {
        return inflation != null && !discarding && !inflation.isWhole();
    }

    /** Inflates more of the bytes that were read. */
    void goOn() {
        if (inflation != null) {
            inflate(inflation);
        }
    }

    private void inflate(Inflation waiting) {
        long until = waiting.bytesOut() + INFLATED_AT_ONCE;
        while (waiting.hasMore() && waiting.bytesOut() < until && !listener.isFull()) {
            waiting.step(piece -> frames.decode(piece, listener));
        }
    }

    /** Whether only the end of the connection ends this body. */
    public boolean endsWithConnection() {
        return chunks == null && remaining < 0;
    }

    /** The body has ended, because its stream has ended. */
    void onEnd() {
        ended = true;
    }

    /** Gives the frames to {@code next} from now on, and their positions to {@code nextReads}. */
    void handOver(StreamListener next, ReadListener nextReads) {
        listener = next;
        reads = nextReads;
    }

    /** Ignores the frames from now on, and only finds the end of the body. */
    void discardRest() {
        discarding = true;
        if (inflation != null) {
            inflation.clear();
        }
    }

    /** Takes all bytes of {@code in} that belong to the body. The other bytes belong to no response. */
    void read(ByteBuf in) {
        reads.onRead(in);
        try {
            readBody(in);
        } finally {
            reads.onReadEnd();
        }
    }

    @Override
    public void close() {
        frames.close();
        if (inflation != null) {
            inflation.close();
        }
    }

    private void readBody(ByteBuf in) {
        if (chunks != null) {
            readChunks(chunks, in);
        } else if (remaining < 0) {
            feed(in, in.readableBytes());
        } else {
            int length = (int) Math.min(remaining, in.readableBytes());
            remaining -= length;
            feed(in, length);
            ended = remaining == 0;
        }
    }

    private void readChunks(ChunkedBody chunks, ByteBuf in) {
        boolean plain = inflation == null;
        while (true) {
            chunks.endChunk(in);
            int start = in.readerIndex();
            int length = chunks.nextWholeChunk(in);
            if (length > 0) {
                int data = in.readerIndex();
                int end = data + length + ChunkedBody.CHUNK_END;
                feed(in, length);
                in.readerIndex(end);
                if (plain) {
                    reads.onChunk(start, data, end);
                }
                continue;
            }
            length = chunks.nextData(in);
            if (length <= 0) {
                ended = length == ChunkedBody.END;
                return;
            }
            feed(in, length);
        }
    }

    private void feed(ByteBuf in, int length) {
        if (length == 0) {
            return;
        }
        if (discarding) {
            in.skipBytes(length);
            return;
        }
        if (inflation != null) {
            inflation.add(in, length);
            inflate(inflation);
            return;
        }
        int end = in.writerIndex();
        in.writerIndex(in.readerIndex() + length);
        frames.decode(in, listener);
        in.writerIndex(end);
    }

    private static @Nullable Inflation inflation(HttpResponse head) {
        String coding = head.headers().get(HttpHeaderNames.CONTENT_ENCODING, "identity");
        if (coding.isBlank() || coding.trim().equalsIgnoreCase("identity")) {
            return null;
        }
        Inflation inflation = Inflation.of(coding);
        if (inflation == null) {
            throw new CorruptedFrameException("content coding: " + coding + " (expected: identity)");
        }
        return inflation;
    }
}
