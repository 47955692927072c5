package io.millrace.server.upstream;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.handler.codec.CorruptedFrameException;
import io.netty.handler.codec.TooLongFrameException;
import io.netty.handler.codec.compression.JdkZlibDecoder;
import io.netty.handler.codec.compression.ZlibWrapper;
import java.util.function.Consumer;

/**
 * Takes gzip or deflate off a body while it streams, by Netty's own decoder: every byte that can be inflated is delivered
 * at once. One read may not grow beyond a bound.
 */
final class Inflation implements AutoCloseable {
    private static final int MAX_OUTPUT_PER_READ = 16 * 1024 * 1024;

    private final EmbeddedChannel channel;
    private Consumer<ByteBuf> consumer;
    private int output;

    private Inflation(JdkZlibDecoder decoder) {
        channel = new EmbeddedChannel(decoder, new ChannelInboundHandlerAdapter() {
            @Override
            public void channelRead(ChannelHandlerContext ctx, Object msg) {
                deliver((ByteBuf) msg);
            }
        });
    }

    /** RFC 1952, which lets one member follow another. */
    static Inflation gzip() {
        return new Inflation(new JdkZlibDecoder(true, 0));
    }

    /** RFC 1950, or the bare RFC 1951 that some servers send under the same name. */
    static Inflation deflate() {
        return new Inflation(new JdkZlibDecoder(ZlibWrapper.ZLIB_OR_NONE, 0));
    }

    /**
     * Inflates {@code length} bytes and moves the reader index over them. Each piece remains with this for the call.
     *
     * @throws CorruptedFrameException if the compressed data is corrupt
     * @throws TooLongFrameException if it grows beyond the bound
     */
    void inflate(ByteBuf in, int length, Consumer<ByteBuf> consumer) {
        this.consumer = consumer;
        output = 0;
        try {
            channel.writeInbound(in.readRetainedSlice(length));
        } catch (TooLongFrameException e) {
            throw e;
        } catch (RuntimeException e) {
            throw new CorruptedFrameException("content coding: the compressed body is corrupt", e);
        }
    }

    @Override
    public void close() {
        consumer = piece -> {};
        channel.finishAndReleaseAll();
    }

    private void deliver(ByteBuf piece) {
        try {
            output += piece.readableBytes();
            if (output > MAX_OUTPUT_PER_READ) {
                throw new TooLongFrameException(
                        "content coding: one read grew to more than " + MAX_OUTPUT_PER_READ + " bytes");
            }
            consumer.accept(piece);
        } finally {
            piece.release();
        }
    }
}
