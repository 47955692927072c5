package io.millrace.server.upstream;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.http.HttpDecoderConfig;
import io.netty.handler.codec.http.HttpMessage;
import io.netty.handler.codec.http.HttpResponseDecoder;
import java.util.List;

/**
 * Netty's response decoder for heads and plain bodies. Once a response is known to be an event stream it steps aside and
 * hands the raw bytes of the body on, framing and all, without looking at them.
 */
final class ResponseDecoder extends HttpResponseDecoder {
    private boolean answersHead;
    private boolean raw;

    ResponseDecoder(HttpDecoderConfig config) {
        super(config);
    }

    /** Says whether the next response answers a HEAD and therefore has no body. */
    void answersHead(boolean answersHead) {
        this.answersHead = answersHead;
    }

    /** Hands on the bytes behind the head just read as they are, until {@link #endRaw()}. */
    void beginRaw() {
        raw = true;
    }

    /** Goes back to decoding, at the head of the next response. */
    void endRaw() {
        raw = false;
        reset();
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object msg) throws Exception {
        if (raw && !internalBuffer().isReadable()) {
            ctx.fireChannelRead(msg);
        } else {
            super.channelRead(ctx, msg);
        }
    }

    @Override
    protected void decode(ChannelHandlerContext ctx, ByteBuf in, List<Object> out) throws Exception {
        if (raw) {
            out.add(in.readRetainedSlice(in.readableBytes()));
        } else {
            super.decode(ctx, in, out);
        }
    }

    @Override
    protected void decodeLast(ChannelHandlerContext ctx, ByteBuf in, List<Object> out) throws Exception {
        if (!raw) {
            super.decodeLast(ctx, in, out);
        }
    }

    @Override
    protected boolean isContentAlwaysEmpty(HttpMessage message) {
        return answersHead || super.isContentAlwaysEmpty(message);
    }
}
