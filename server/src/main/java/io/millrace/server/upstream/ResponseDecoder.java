package io.millrace.server.upstream;

import io.millrace.server.http.ChunkedBody;
import io.millrace.server.http.ReadFields;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.DecoderResult;
import io.netty.handler.codec.http.DefaultHttpContent;
import io.netty.handler.codec.http.HttpDecoderConfig;
import io.netty.handler.codec.http.HttpMessage;
import io.netty.handler.codec.http.HttpResponseDecoder;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.handler.codec.http.LastHttpContent;
import io.netty.util.ReferenceCountUtil;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Netty's response decoder for heads and plain bodies, whose chunks are read as those of event streams are. It lets nothing
 * in that was not asked for: the first byte of an unasked response, which would otherwise be the beginning of the next
 * client's answer, closes the connection. Once a response is known to be an event stream it steps aside and hands the raw
 * bytes of the body on, framing and all, without looking at them.
 */
final class ResponseDecoder extends HttpResponseDecoder {
    private boolean answersHead;
    private boolean raw;
    private @Nullable ChunkedBody chunks;
    private boolean expecting;
    private boolean sawByte;

    ResponseDecoder(HttpDecoderConfig config) {
        super(config);
    }

    /** A request has been sent; the response to a HEAD has no body. */
    void expectResponse(boolean answersHead) {
        this.answersHead = answersHead;
        expecting = true;
        sawByte = false;
    }

    /** The response is over: from now on nothing may come. */
    void expectNothing() {
        expecting = false;
    }

    /** Whether a byte of the response expected came, if only of an interim one. */
    boolean sawByte() {
        return sawByte;
    }

    /** Whether bytes were read that belong to no response so far. */
    boolean hasLeftover() {
        return internalBuffer().isReadable();
    }

    /** Hands on the bytes behind the head just read as they are, until {@link #endRaw()}. */
    void beginRaw() {
        raw = true;
        chunks = null;
    }

    /** Goes back to decoding, at the head of the next response. */
    void endRaw() {
        raw = false;
        reset();
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object msg) throws Exception {
        if (!expecting) {
            ReferenceCountUtil.release(msg);
            ctx.close();
            return;
        }
        sawByte = true;
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
        } else if (chunks != null) {
            decodeChunks(chunks, in, out);
        } else {
            super.decode(ctx, in, out);
            if (!out.isEmpty() && out.get(0) instanceof HttpMessage head) {
                onHead(head, out.size() == 1);
            }
        }
    }

    private void onHead(HttpMessage head, boolean bodyFollows) {
        String violation = ReadFields.lengthViolation(head);
        if (violation != null && head.decoderResult().isSuccess()) {
            head.setDecoderResult(DecoderResult.failure(new IllegalArgumentException(violation)));
        }
        if (bodyFollows && head.decoderResult().isSuccess() && HttpUtil.isTransferEncodingChunked(head)) {
            chunks = ChunkedBody.ofResponse();
        }
    }

    private void decodeChunks(ChunkedBody body, ByteBuf in, List<Object> out) {
        int length = body.nextData(in);
        if (length > 0) {
            out.add(new DefaultHttpContent(in.readRetainedSlice(length)));
        } else if (length == ChunkedBody.END) {
            chunks = null;
            reset();
            out.add(LastHttpContent.EMPTY_LAST_CONTENT);
        }
    }

    @Override
    protected void decodeLast(ChannelHandlerContext ctx, ByteBuf in, List<Object> out) throws Exception {
        // Of chunks, what is left is part of one, or stands behind a bad one.
        if (chunks == null && !raw) {
            super.decodeLast(ctx, in, out);
        }
    }

    @Override
    protected boolean isContentAlwaysEmpty(HttpMessage message) {
        return answersHead || super.isContentAlwaysEmpty(message);
    }
}
