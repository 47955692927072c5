package io.millrace.server.upstream;

import io.millrace.server.http.ChunkedBody;
import io.millrace.server.http.ReadFields;
import io.millrace.server.transport.SocketReads;
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
 * Netty's response decoder for heads and plain bodies, with the relay's own reader of chunks. The first byte that
 * belongs to no request closes the connection, because it would otherwise begin the next client's answer. When a
 * response is known to be an event stream, this decoder passes the raw bytes of the body on, with their framing,
 * without reading them.
 */
final class ResponseDecoder extends HttpResponseDecoder {
    private boolean answersHead;
    private @Nullable Http1Connection raw;
    private boolean straight;
    private @Nullable SocketReads direct;
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

    /** The response is over. No further byte may arrive until the next request. */
    void expectNothing() {
        expecting = false;
    }

    /** Whether a byte of the expected response arrived, even if only of an interim response. */
    boolean sawByte() {
        return sawByte;
    }

    /** Whether bytes were read that belong to no response so far. */
    boolean hasLeftover() {
        return internalBuffer().isReadable();
    }

    /**
     * Passes the bytes after the head on unchanged, until {@link #endRaw()}. Reads that have no byte of the head go to
     * {@code receiver}, the last handler, past the pipeline. Without TLS, they go past the channel, too.
     */
    void beginRaw(Http1Connection receiver) {
        raw = receiver;
        chunks = null;
    }

    /** Decodes again, beginning with the head of the next response. */
    void endRaw() {
        raw = null;
        straight = false;
        if (direct != null) {
            direct.end();
        }
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
        if (raw != null && (straight || !internalBuffer().isReadable())) {
            if (!straight) {
                straight = true;
                readDirectly(ctx, raw);
            }
            raw.channelRead(ctx, msg);
        } else {
            super.channelRead(ctx, msg);
        }
    }

    private void readDirectly(ChannelHandlerContext ctx, Http1Connection receiver) {
        if (direct == null && ctx.pipeline().firstContext() == ctx) {
            direct = SocketReads.of(ctx.channel(), receiver);
        }
        if (direct != null) {
            direct.begin();
        }
    }

    @Override
    public void channelReadComplete(ChannelHandlerContext ctx) throws Exception {
        if (straight && raw != null) {
            raw.channelReadComplete(ctx);
        } else {
            super.channelReadComplete(ctx);
        }
    }

    @Override
    protected void decode(ChannelHandlerContext ctx, ByteBuf in, List<Object> out) throws Exception {
        if (raw != null) {
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
        // In a chunked body, the rest is a part of a chunk, or follows an invalid one.
        if (chunks == null && raw == null) {
            super.decodeLast(ctx, in, out);
        }
    }

    @Override
    protected boolean isContentAlwaysEmpty(HttpMessage message) {
        return answersHead || super.isContentAlwaysEmpty(message);
    }
}
