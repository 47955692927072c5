package io.millrace.server.http;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.handler.codec.CorruptedFrameException;
import io.netty.handler.codec.TooLongFrameException;
import io.netty.handler.codec.compression.DecompressionException;
import io.netty.handler.codec.compression.JdkZlibDecoder;
import io.netty.handler.codec.compression.ZlibWrapper;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Locale;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Removes gzip or deflate from a body while it arrives, with Netty's own decoder, step by step. Compressed bytes are
 * kept until a step asks for more, so that a few bytes that grow to many never fill the memory. Confined to one
 * thread.
 */
public final class Inflation implements AutoCloseable {
    /** Compressed bytes of one step. They grow by a factor of at most 1032. */
    private static final int STEP_BYTES = 512;
    /** Up to this many bytes, any growth is allowed. */
    private static final long FREE_BYTES = 1 << 20;
    /** No text for people grows by a larger factor. */
    private static final int MAX_RATIO = 200;

    private final EmbeddedChannel channel;
    private final ArrayDeque<ByteBuf> waiting = new ArrayDeque<>();
    private Consumer<ByteBuf> consumer = piece -> {};
    private int waitingBytes;
    private long bytesIn;
    private long bytesOut;
    private @Nullable Throwable failure;

    private Inflation(JdkZlibDecoder decoder) {
        channel = new EmbeddedChannel(decoder, new ChannelInboundHandlerAdapter() {
            @Override
            public void channelRead(ChannelHandlerContext ctx, Object msg) {
                deliver((ByteBuf) msg);
            }
        });
    }

    /** The decoder for {@code coding}, as {@code Content-Encoding} names it; null if it is neither gzip nor deflate. */
    public static @Nullable Inflation of(String coding) {
        return switch (coding.trim().toLowerCase(Locale.ROOT)) {
            case "gzip", "x-gzip" -> new Inflation(new GzipMember());
            // RFC 1950, or the bare RFC 1951 that some servers send under the same name.
            case "deflate" -> new Inflation(new JdkZlibDecoder(ZlibWrapper.ZLIB_OR_NONE, 0));
            default -> null;
        };
    }

    /** Takes {@code length} bytes and moves the reader index over them; {@code in} remains with the caller. */
    public void add(ByteBuf in, int length) {
        if (length > 0) {
            waiting.add(in.readRetainedSlice(length));
            waitingBytes += length;
        }
    }

    /** Whether a step has something to do. */
    public boolean hasMore() {
        return waitingBytes > 0;
    }

    /** Compressed bytes that are kept for the next steps. */
    public int waitingBytes() {
        return waitingBytes;
    }

    /** Whether the inflated bytes so far are a complete body. A body without bytes is complete. */
    public boolean isWhole() {
        return bytesIn == 0
                || (waitingBytes == 0
                        && channel.pipeline().get(JdkZlibDecoder.class).isClosed());
    }

    /** The number of delivered bytes. */
    public long bytesOut() {
        return bytesOut;
    }

    /**
     * Inflates a little. Each piece of the result is valid only during the call.
     *
     * @throws CorruptedFrameException if the compressed data is corrupt
     * @throws TooLongFrameException if it grows by a larger factor than a text does
     */
    public void step(Consumer<ByteBuf> consumer) {
        ByteBuf first = waiting.element();
        int length = Math.min(STEP_BYTES, first.readableBytes());
        waitingBytes -= length;
        bytesIn += length;
        this.consumer = consumer;
        ByteBuf part = first.readRetainedSlice(length);
        if (!first.isReadable()) {
            waiting.remove().release();
        }
        try {
            channel.writeInbound(part);
        } catch (RuntimeException e) {
            throw new CorruptedFrameException("content coding: the compressed body is corrupt", e);
        }
        if (failure instanceof RuntimeException e) {
            throw e;
        } else if (failure instanceof Error e) {
            throw e;
        }
    }

    /** Inflates all of {@code in}, which remains with the caller, at once; throws as {@link #step} does. */
    public void inflate(ByteBuf in, Consumer<ByteBuf> consumer) {
        add(in, in.readableBytes());
        while (hasMore()) {
            step(consumer);
        }
    }

    /** Drops the rest. */
    public void clear() {
        waiting.forEach(ByteBuf::release);
        waiting.clear();
        waitingBytes = 0;
    }

    @Override
    public void close() {
        clear();
        consumer = piece -> {};
        try {
            channel.finishAndReleaseAll();
        } catch (DecompressionException e) {
            // The decoder reads its rest of a corrupt body once more. A step has already reported that body.
        }
    }

    /** Exceptions here are thrown by the step, because the decoder cannot use them. */
    private void deliver(ByteBuf piece) {
        if (failure != null) {
            piece.release();
            return;
        }
        try {
            bytesOut += piece.readableBytes();
            if (bytesOut > FREE_BYTES && bytesOut > bytesIn * MAX_RATIO) {
                throw new TooLongFrameException(
                        "content coding: the body grew to more than " + MAX_RATIO + " times what came");
            }
            consumer.accept(piece);
        } catch (RuntimeException | Error e) {
            failure = e;
        } finally {
            piece.release();
        }
    }

    /** Reads one member of a gzip body. Another reads the member that may follow (RFC 1952 section 2.2). */
    private static final class GzipMember extends JdkZlibDecoder {
        GzipMember() {
            super(ZlibWrapper.GZIP, 0);
        }

        @Override
        protected void decode(ChannelHandlerContext ctx, ByteBuf in, List<Object> out) throws Exception {
            if (!isClosed()) {
                super.decode(ctx, in, out);
            }
            if (isClosed() && in.isReadable()) {
                // When this member is removed, the next one gets the rest of the input.
                ctx.pipeline().replace(this, null, new GzipMember());
            }
        }
    }
}
