package io.millrace.server.downstream;

import io.millrace.server.config.Limits;
import io.millrace.server.http.ChunkedBody;
import io.millrace.server.http.ReadFields;
import io.millrace.server.timing.Turns;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.DecoderResult;
import io.netty.handler.codec.TooLongFrameException;
import io.netty.handler.codec.http.DefaultHttpContent;
import io.netty.handler.codec.http.HttpDecoderConfig;
import io.netty.handler.codec.http.HttpObject;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpRequestDecoder;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.handler.codec.http.LastHttpContent;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Netty's request decoder, made strict enough for a relay in front of other servers. It decodes one request at a time:
 * after a request's last content it decodes nothing until {@link #resume()}. So bytes that a client sends ahead stay
 * as bytes, in order and within a bound. So does a request that comes when a turn of the event loop has begun enough
 * of them, until its own turn.
 */
final class RequestDecoder extends HttpRequestDecoder {
    /**
     * Chunks smaller than this that arrived together become one part of the body, because each part causes work in the
     * handlers after this one.
     */
    private static final int SMALL_CHUNK = 1024;

    private final int maxPipelinedBytes;
    private final Turns turns;
    private final RequestHeadCheck headCheck = new RequestHeadCheck();
    private @Nullable ChannelHandlerContext context;
    private @Nullable ChunkedBody chunkedBody;
    private Phase phase = Phase.HEAD;
    private boolean reading;
    private boolean begun;

    private enum Phase {
        AWAITING_TURN,
        HEAD,
        BODY,
        CHUNKED_BODY,
        AWAITING_RESPONSE,
        DISCARDING
    }

    /** Thrown when a client sends more bytes ahead than the bound allows. */
    static final class TooMuchPipelined extends RuntimeException {
        private static final long serialVersionUID = 1;

        TooMuchPipelined(int bytes, int limit) {
            super("pipelined: " + bytes + " bytes (expected: <= " + limit + ")", null, false, false);
        }
    }

    RequestDecoder(HttpDecoderConfig config, int maxPipelinedBytes, Turns turns) {
        super(config);
        this.turns = turns;
        this.maxPipelinedBytes = maxPipelinedBytes;
    }

    /** Makes a decoder with these limits, which takes a piece of {@code turns} for each request. */
    static RequestDecoder of(Limits limits, Turns turns) {
        var config = new HttpDecoderConfig()
                .setMaxInitialLineLength(limits.requestLine())
                .setMaxHeaderSize(limits.headerBytes())
                .setMaxChunkSize(Integer.MAX_VALUE)
                .setHeadersFactory(ReadFields.FACTORY);
        return new RequestDecoder(config, limits.pipelined(), turns);
    }

    @Override
    public void handlerAdded(ChannelHandlerContext ctx) {
        context = ctx;
    }

    /** Bytes that have been read and not decoded. */
    int bufferedBytes() {
        return actualReadableBytes();
    }

    /** Whether a read is being decoded, so that more may come at once. */
    boolean isReading() {
        return reading;
    }

    /** Whether a part of a request head has been read. */
    boolean headStarted() {
        return awaitsTurn()
                || (phase == Phase.HEAD
                        && (headCheck.started() || internalBuffer().isReadable()));
    }

    /** Whether the client waits for the event loop, and not the other way round. */
    boolean awaitsTurn() {
        return phase == Phase.AWAITING_TURN;
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object msg) throws Exception {
        reading = true;
        try {
            super.channelRead(ctx, msg);
        } finally {
            reading = false;
        }
    }

    /** Drops all further bytes: the connection ends with the response in progress. */
    void discard() {
        phase = Phase.DISCARDING;
    }

    /** Continues with the next request, which may have arrived already. */
    void resume() {
        phase = Phase.HEAD;
        begun = false;
        headCheck.reset();
        // Inside a read, the decoding loop continues by itself.
        if (!reading && context != null && internalBuffer().isReadable()) {
            decodeAhead(context);
        }
    }

    /** Reads from this handler and not from the head of the pipeline, where TLS would keep the empty buffer. */
    private void decodeAhead(ChannelHandlerContext ctx) {
        try {
            channelRead(ctx, Unpooled.EMPTY_BUFFER);
        } catch (Exception e) {
            ctx.fireExceptionCaught(e);
        }
        ctx.fireChannelReadComplete();
    }

    @Override
    protected void decode(ChannelHandlerContext ctx, ByteBuf in, List<Object> out) throws Exception {
        if (phase == Phase.HEAD && !begun) {
            begin();
        }
        switch (phase) {
            case AWAITING_TURN -> {
                if (in.readableBytes() > maxPipelinedBytes) {
                    ctx.channel().config().setAutoRead(false);
                }
            }
            case HEAD -> decodeHead(ctx, in, out);
            case BODY -> {
                super.decode(ctx, in, out);
                endAtLastContent(out);
            }
            case CHUNKED_BODY -> decodeChunkedBody(ctx, Objects.requireNonNull(chunkedBody), in, out);
            case AWAITING_RESPONSE -> {
                if (in.readableBytes() > maxPipelinedBytes) {
                    int bytes = in.readableBytes();
                    in.skipBytes(bytes);
                    throw new TooMuchPipelined(bytes, maxPipelinedBytes);
                }
            }
            case DISCARDING -> in.skipBytes(in.readableBytes());
        }
    }

    private void begin() {
        begun = turns.takeBehindOthers();
        if (!begun) {
            phase = Phase.AWAITING_TURN;
            turns.later(this::onTurn);
        }
    }

    private void onTurn() {
        if (awaitsTurn() && context != null) {
            begun = true;
            phase = Phase.HEAD;
            context.channel().config().setAutoRead(true);
            if (internalBuffer().isReadable()) {
                decodeAhead(context);
            }
        }
    }

    private void decodeHead(ChannelHandlerContext ctx, ByteBuf in, List<Object> out) throws Exception {
        int start = in.readerIndex();
        super.decode(ctx, in, out);
        if (headCheck.violation() == null) {
            in.forEachByte(start, in.readerIndex() - start, headCheck);
        }
        if (out.isEmpty()) {
            if (headCheck.violation() != null) {
                throw new IllegalArgumentException(headCheck.violation());
            }
            return;
        }
        var request = (HttpRequest) out.get(0);
        boolean tooLong = request.decoderResult().cause() instanceof TooLongFrameException;
        String violation = headCheck.violation() != null ? headCheck.violation() : ReadFields.lengthViolation(request);
        if (violation != null && !tooLong) {
            request.setDecoderResult(DecoderResult.failure(new IllegalArgumentException(violation)));
        }
        if (request.decoderResult().isFailure()) {
            phase = Phase.AWAITING_RESPONSE;
        } else if (HttpUtil.isTransferEncodingChunked(request)) {
            phase = Phase.CHUNKED_BODY;
            chunkedBody = ChunkedBody.ofRequest();
        } else {
            phase = Phase.BODY;
            endAtLastContent(out);
        }
    }

    private void decodeChunkedBody(ChannelHandlerContext ctx, ChunkedBody body, ByteBuf in, List<Object> out) {
        int length = body.nextData(in);
        if (length > 0 && length < SMALL_CHUNK) {
            length = gather(ctx, body, in, length, out);
        }
        if (length > 0) {
            out.add(new DefaultHttpContent(in.readRetainedSlice(length)));
        } else if (length == ChunkedBody.END) {
            chunkedBody = null;
            reset();
            phase = Phase.AWAITING_RESPONSE;
            out.add(LastHttpContent.EMPTY_LAST_CONTENT);
        }
    }

    /** Joins the small chunks that have arrived into one part, and returns what follows them. */
    private int gather(ChannelHandlerContext ctx, ChunkedBody body, ByteBuf in, int first, List<Object> out) {
        ByteBuf part = ctx.alloc().buffer(Math.min(in.readableBytes(), SMALL_CHUNK));
        out.add(new DefaultHttpContent(part));
        int length = first;
        while (length > 0 && length < SMALL_CHUNK) {
            part.writeBytes(in, length);
            length = body.nextData(in);
        }
        return length;
    }

    private void endAtLastContent(List<Object> out) {
        int size = out.size();
        if (size > 0 && out.get(size - 1) instanceof LastHttpContent last) {
            phase = Phase.AWAITING_RESPONSE;
            chunkedBody = null;
            assertSuccess(last);
        }
    }

    private static void assertSuccess(HttpObject object) {
        if (object.decoderResult().isFailure()) {
            throw new IllegalArgumentException(object.decoderResult().cause());
        }
    }
}
