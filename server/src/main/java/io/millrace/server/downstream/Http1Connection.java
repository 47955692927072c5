package io.millrace.server.downstream;

import io.millrace.codec.dialect.Dialect;
import io.millrace.server.config.Limits;
import io.millrace.server.config.Timeouts;
import io.millrace.server.memory.Held;
import io.millrace.server.memory.LoopMemory;
import io.millrace.server.timing.Sweepable;
import io.millrace.server.timing.Sweeper;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelException;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelOption;
import io.netty.channel.ChannelPromise;
import io.netty.channel.EventLoop;
import io.netty.channel.socket.DuplexChannel;
import io.netty.handler.codec.http.DefaultFullHttpResponse;
import io.netty.handler.codec.http.DefaultHttpContent;
import io.netty.handler.codec.http.DefaultHttpHeaders;
import io.netty.handler.codec.http.DefaultHttpResponse;
import io.netty.handler.codec.http.HttpContent;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaderValues;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http.LastHttpContent;
import io.netty.util.ReferenceCountUtil;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One client's connection: the last handler of its pipeline. Hands each request that passes the gate to an exchange, and
 * writes that exchange's response. One request at a time; the socket is read all the while, so that a client that leaves
 * is noticed at once. Confined to its event loop.
 */
final class Http1Connection extends ChannelInboundHandlerAdapter implements ClientStream, ClientConnection, Sweepable {
    private static final Logger LOG = LoggerFactory.getLogger(Http1Connection.class);
    private static final long LINGER_MS = 1_000;
    /** How long a connection without a request is waited for when the process is about to stop. */
    private static final long FRESH_NS = TimeUnit.SECONDS.toNanos(1);
    /** How long a connection stays open after a response that ended in an error of ours. */
    private static final long AFTER_ERROR_NS = TimeUnit.SECONDS.toNanos(1);
    /** How long a truncated HTTP/1.0 body's error frame has to reach the client before the reset that marks the cut. */
    private static final long RESET_DELAY_MS = 50;

    private static final List<CharSequence> ORIGIN_FIELDS = List.of(
            HttpHeaderNames.ACCESS_CONTROL_ALLOW_ORIGIN,
            HttpHeaderNames.ACCESS_CONTROL_ALLOW_CREDENTIALS,
            HttpHeaderNames.ACCESS_CONTROL_EXPOSE_HEADERS);

    /** What a client gets to take what waits for it where memory is short, unless it has less anyway. */
    private static final long STALL_WHEN_TIGHT_NS = TimeUnit.SECONDS.toNanos(5);

    private static final double NS_PER_SECOND = TimeUnit.SECONDS.toNanos(1);

    private final RequestHandler handler;
    private final Sweeper sweeper;
    private final LoopMemory memory;
    private final Limits limits;
    private final RequestDecoder decoder;
    private final ResponseEncoder encoder;
    private final long requestHeadNs;
    private final long requestBodyIdleNs;
    private final long keepAliveNs;
    private final long writeStallNs;

    private Sweeper.Registration sweep;
    private ChannelHandlerContext context;
    private ChannelHandlerContext encoderContext;
    private State state = State.AWAITING_REQUEST;
    private RequestListener exchange;
    private Http1FrameSink sink;
    private boolean requestComplete;
    private boolean responseStarted;
    private boolean keepAlive;
    private boolean http10;
    private HttpRequest request;
    private HttpHeaders added;
    private int requests;
    private long sinceNs;
    private long idleLimitNs;
    private boolean headStarted;
    private boolean fresh;
    private boolean inRead;
    private long pendingWhenChecked;
    private long drainedNs;
    private long flushedBytes;
    private long bodyCheckedNs;
    /** Bytes that the body is ahead of its least rate; no more than what that rate is in the idle limit. */
    private double bodyAhead;

    private long countedPending;
    private long countedAhead;

    private enum State {
        AWAITING_REQUEST,
        IN_EXCHANGE,
        CLOSING
    }

    Http1Connection(
            RequestHandler handler,
            Sweeper sweeper,
            LoopMemory memory,
            Limits limits,
            Timeouts timeouts,
            RequestDecoder decoder,
            ResponseEncoder encoder) {
        this.handler = handler;
        this.sweeper = sweeper;
        this.memory = memory;
        this.limits = limits;
        this.decoder = decoder;
        this.encoder = encoder;
        requestHeadNs = timeouts.requestHead().toNanos();
        requestBodyIdleNs = timeouts.requestBodyIdle().toNanos();
        keepAliveNs = timeouts.keepAlive().toNanos();
        idleLimitNs = requestHeadNs;
        writeStallNs = timeouts.writeStall().toNanos();
    }

    @Override
    public EventLoop eventLoop() {
        return context.channel().eventLoop();
    }

    @Override
    public ByteBufAllocator alloc() {
        return context.alloc();
    }

    @Override
    public boolean isActive() {
        return context.channel().isActive();
    }

    @Override
    public void close() {
        context.channel().close();
    }

    @Override
    public boolean responseStarted() {
        return responseStarted;
    }

    @Override
    public long bodyLimit() {
        return limits.body();
    }

    @Override
    public boolean isWritable() {
        return context.channel().isWritable();
    }

    @Override
    public long pendingBytes() {
        var outbound = context.channel().unsafe().outboundBuffer();
        return outbound == null ? 0 : outbound.totalPendingWriteBytes();
    }

    @Override
    public boolean inRead() {
        return inRead;
    }

    @Override
    public void readRequest(boolean on) {
        context.channel().config().setAutoRead(on);
    }

    @Override
    public void sendContinue() {
        var interim =
                new DefaultFullHttpResponse(HttpVersion.HTTP_1_1, HttpResponseStatus.CONTINUE, Unpooled.EMPTY_BUFFER);
        context.writeAndFlush(interim, context.voidPromise());
    }

    @Override
    public void addToResponse(HttpHeaders headers) {
        added = headers;
    }

    /**
     * Writes a response head, without a flush. Sets the connection header and, where the length is not known, the
     * transfer coding that this client understands.
     */
    @Override
    public void writeHead(HttpResponse response) {
        beginResponse();
        var headers = response.headers();
        sayAdded(headers);
        boolean bodyless = encoderSaysEmpty(response);
        if (!bodyless && !headers.contains(HttpHeaderNames.CONTENT_LENGTH)) {
            if (http10) {
                keepAlive = false;
            } else {
                headers.set(HttpHeaderNames.TRANSFER_ENCODING, HttpHeaderValues.CHUNKED);
            }
        }
        setConnection(headers, http10);
        context.write(response, context.voidPromise());
    }

    private void beginResponse() {
        responseStarted = true;
        request = null; // nothing is refused any more, and a stream may last
    }

    private void sayAdded(HttpHeaders headers) {
        if (added == null) {
            return;
        }
        String vary = added.get(HttpHeaderNames.VARY);
        if (vary != null) {
            headers.add(HttpHeaderNames.VARY, vary);
        }
        for (CharSequence name : ORIGIN_FIELDS) {
            String value = added.get(name);
            if (value != null) {
                headers.set(name, value);
            } else {
                headers.remove(name);
            }
        }
    }

    private void setConnection(HttpHeaders headers, boolean sayKeepAlive) {
        keepAlive &= requests < limits.requestsPerConnection();
        if (!keepAlive) {
            headers.set(HttpHeaderNames.CONNECTION, HttpHeaderValues.CLOSE);
        } else if (sayKeepAlive) {
            headers.set(HttpHeaderNames.CONNECTION, HttpHeaderValues.KEEP_ALIVE);
        }
    }

    @Override
    public FrameSink newSink() {
        return new Http1FrameSink(encoderContext, !http10);
    }

    @Override
    public void beginStream(HttpResponse response, FrameSink held) {
        Http1FrameSink before = sink;
        sink = (Http1FrameSink) held;
        if (response == null) {
            sink.goOn(before);
            return;
        }
        beginResponse();
        var headers = response.headers();
        sayAdded(headers);
        if (http10) {
            keepAlive = false;
        } else {
            headers.set(HttpHeaderNames.TRANSFER_ENCODING, HttpHeaderValues.CHUNKED);
        }
        setConnection(headers, true);
        sink.begin(response);
    }

    @Override
    public void writeBody(ByteBuf content) {
        context.write(new DefaultHttpContent(content), context.voidPromise());
    }

    @Override
    public void flush() {
        context.flush();
        count();
    }

    @Override
    public long heldBytes() {
        return countedPending + countedAhead;
    }

    private void count() {
        long pending = pendingBytes();
        if (pending != countedPending) {
            long change = pending - countedPending;
            countedPending = pending;
            memory.add(Held.CLIENTS, change);
        }
        long ahead = context.channel().isActive() ? decoder.bufferedBytes() : 0;
        if (ahead != countedAhead) {
            long change = ahead - countedAhead;
            countedAhead = ahead;
            memory.add(Held.REQUESTS, change);
        }
    }

    /**
     * Writes the last chunk where there are chunks. Goes on with the next request, or closes. After an error frame of ours the
     * connection is closed soon, but not at once: a client that was promised keep-alive may be sending its next request
     * already, and that one is innocent.
     */
    @Override
    public void end(End how, Runnable notice) {
        if (how == End.IN_ERROR && sink != null && http10) {
            endCutHttp10Response();
            return;
        }
        if (how == End.IN_ERROR) {
            idleLimitNs = AFTER_ERROR_NS;
        }
        exchange = null;
        boolean close = !keepAlive || !requestComplete;
        ChannelPromise written = close || notice != null ? context.newPromise() : context.voidPromise();
        if (notice != null) {
            written.addListener(done -> {
                if (done.isSuccess()) {
                    notice.run();
                }
            });
        }
        if (sink == null) {
            context.write(LastHttpContent.EMPTY_LAST_CONTENT, written);
        } else {
            sink.appendEnd();
            sink.write(written);
            sink = null;
        }
        flush();
        if (close) {
            closeGently(written);
            return;
        }
        awaitRequest();
    }

    /** Ends the connection so that the client notices: with a reset. For a body that could not be completed. */
    @Override
    public void reset() {
        exchange = null;
        state = State.CLOSING;
        discardSink();
        Channel channel = context.channel();
        if (channel.isActive()) {
            try {
                channel.config().setOption(ChannelOption.SO_LINGER, 0);
            } catch (ChannelException e) {
                LOG.debug("[{}] closing without a reset", channel.id(), e);
            }
        }
        channel.close();
        count();
    }

    @Override
    public void abandon(String reason) {
        abandonExchange(reason);
        reset();
    }

    @Override
    public void respond(int status, byte[] json, HttpHeaders headers) {
        ByteBuf body = Unpooled.wrappedBuffer(json);
        var response = new DefaultHttpResponse(HttpVersion.HTTP_1_1, HttpResponseStatus.valueOf(status), headers);
        headers.set(HttpHeaderNames.CONTENT_TYPE, HttpHeaderValues.APPLICATION_JSON);
        headers.set(HttpHeaderNames.CONTENT_LENGTH, json.length);
        headers.set("x-content-type-options", "nosniff");
        keepAlive &= requestComplete;
        writeHead(response);
        writeBody(body);
        end();
    }

    @Override
    public void closeAfterResponse() {
        keepAlive = false;
        fresh |= requests == 0;
        requests = limits.requestsPerConnection();
    }

    @Override
    public void drain() {
        closeAfterResponse();
        if (state != State.AWAITING_REQUEST || decoder.headStarted()) {
            return;
        }
        if (fresh) {
            idleLimitNs = Math.min(requestHeadNs, FRESH_NS);
        } else {
            state = State.CLOSING;
            context.writeAndFlush(Unpooled.EMPTY_BUFFER).addListener(ChannelFutureListener.CLOSE);
        }
    }

    @Override
    public List<RequestListener> requests() {
        return exchange == null ? List.of() : List.of(exchange);
    }

    @Override
    public void handlerAdded(ChannelHandlerContext ctx) {
        context = ctx;
        encoderContext = ctx.pipeline().context(encoder);
    }

    @Override
    public void channelActive(ChannelHandlerContext ctx) {
        sinceNs = System.nanoTime();
        sweep = sweeper.add(this);
        handler.onConnected(this);
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) {
        if (sweep != null) {
            sweep.cancel();
        }
        handler.onDisconnected(this);
        count();
        state = State.CLOSING;
        abandonExchange("client closed the connection");
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object msg) {
        inRead = true;
        if (msg instanceof HttpRequest request) {
            onHead(request);
        } else if (msg instanceof HttpContent content) {
            onContent(content);
        } else {
            ReferenceCountUtil.release(msg);
        }
    }

    @Override
    public void channelReadComplete(ChannelHandlerContext ctx) {
        inRead = false;
        if (exchange != null) {
            exchange.onRequestReadComplete();
        }
        if (state == State.AWAITING_REQUEST && !headStarted && decoder.headStarted()) {
            headStarted = true;
            sinceNs = System.nanoTime();
        }
        count();
    }

    @Override
    public void channelWritabilityChanged(ChannelHandlerContext ctx) {
        if (exchange != null) {
            exchange.onWritable(ctx.channel().isWritable());
        }
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        Throwable root = cause instanceof io.netty.handler.codec.DecoderException && cause.getCause() != null
                ? cause.getCause()
                : cause;
        if (root instanceof OutOfMemoryError) {
            abandon("no memory for what the client sends");
            return;
        }
        if (root instanceof IOException || state == State.CLOSING) {
            ctx.close();
            return;
        }
        if (root instanceof RequestDecoder.TooMuchPipelined || responseStarted) {
            if (!(root instanceof RequestDecoder.TooMuchPipelined)) {
                LOG.warn(
                        "[{}] closing after a failure in a response",
                        ctx.channel().id(),
                        root);
            }
            abandonExchange(root.getMessage());
            ctx.close();
            return;
        }
        refuseBegun(RequestGate.ofFailure(root));
    }

    @Override
    public void onSweep(long nowNs) {
        count();
        switch (state) {
            case AWAITING_REQUEST -> sweepAwaiting(nowNs);
            case IN_EXCHANGE -> sweepExchange(nowNs);
            case CLOSING -> {
                boolean lingers = pendingBytes() == 0 && nowNs - sinceNs > writeStallNs;
                if (lingers || isWriteStalled(nowNs)) {
                    reset();
                }
            }
        }
    }

    private void onHead(HttpRequest head) {
        if (state == State.CLOSING) {
            return;
        }
        request = head;
        added = null;
        headStarted = false;
        fresh = false;
        idleLimitNs = keepAliveNs;
        responseStarted = false;
        requestComplete = false;
        requests = Math.min(requests, limits.requestsPerConnection() - 1) + 1;
        state = State.IN_EXCHANGE;
        sinceNs = System.nanoTime();
        drainedNs = sinceNs;
        bodyCheckedNs = sinceNs;
        bodyAhead = mostAhead();
        http10 = request.protocolVersion().equals(HttpVersion.HTTP_1_0);
        keepAlive = HttpUtil.isKeepAlive(request);
        encoder.answersHead(request.method().equals(HttpMethod.HEAD));
        RequestGate.Refusal refusal = RequestGate.verify(request, limits.headerCount());
        if (refusal == null && HttpUtil.getContentLength(request, 0L) > limits.body()) {
            refusal = new RequestGate.Refusal(
                    413, "request_too_large", "The request body is over " + limits.body() + " bytes.");
        }
        if (refusal != null) {
            refuse(refusal);
            return;
        }
        RequestListener started = handler.onRequest(this, request);
        if (state == State.IN_EXCHANGE) {
            exchange = started;
        }
    }

    private void onContent(HttpContent content) {
        boolean last = content instanceof LastHttpContent;
        if (last) {
            requestComplete = true;
        }
        sinceNs = System.nanoTime();
        bodyAhead = Math.min(mostAhead(), bodyAhead + content.content().readableBytes());
        if (exchange == null || state == State.CLOSING) {
            content.release();
            return;
        }
        RequestListener current = exchange;
        if (content.content().isReadable()) {
            current.onRequestBody(content.content());
        } else {
            content.release();
        }
        if (last && exchange == current) {
            current.onRequestEnd();
        }
    }

    /** A request that its exchange knows already is answered, counted and logged by it. */
    private void refuseBegun(RequestGate.Refusal refusal) {
        if (exchange == null) {
            refuse(refusal);
            return;
        }
        keepAlive = false;
        exchange.onRequestRefused(refusal.status(), refusal.code(), refusal.message());
    }

    private void refuse(RequestGate.Refusal refusal) {
        keepAlive = false;
        state = State.IN_EXCHANGE;
        handler.onRefused(this, request, refusal.status(), refusal.code());
        Dialect shape = Dialect.ofErrorShape(request == null ? "" : request.uri());
        byte[] json = shape.errorBody(refusal.status(), refusal.code(), refusal.message(), null, null);
        var headers = new DefaultHttpHeaders();
        if (refusal.status() == HttpResponseStatus.UPGRADE_REQUIRED.code()) {
            headers.set(HttpHeaderNames.UPGRADE, HttpVersion.HTTP_1_1.text()); // RFC 9110 15.5.22 wants one
        }
        respond(refusal.status(), json, headers);
    }

    private void awaitRequest() {
        state = State.AWAITING_REQUEST;
        readRequest(true);
        request = null;
        requestComplete = false;
        encoder.answersHead(false);
        responseStarted = false;
        headStarted = false;
        sinceNs = System.nanoTime();
        decoder.resume();
    }

    /** A close with unread bytes makes the kernel send a reset, which can destroy the response: read them first. */
    private void closeGently(ChannelPromise written) {
        state = State.CLOSING;
        sinceNs = System.nanoTime();
        decoder.discard();
        if (requestComplete) {
            written.addListener(ChannelFutureListener.CLOSE);
            return;
        }
        Channel channel = context.channel();
        readRequest(true);
        written.addListener(done -> {
            if (channel instanceof DuplexChannel duplex && channel.isActive()) {
                duplex.shutdownOutput();
            }
            channel.eventLoop().schedule(() -> channel.close(), LINGER_MS, TimeUnit.MILLISECONDS);
        });
    }

    /** Only a reset shows an HTTP/1.0 client that a body was cut; the error frame before it must arrive first. */
    private void endCutHttp10Response() {
        exchange = null;
        ChannelPromise written = context.newPromise();
        sink.write(written);
        sink = null;
        context.flush();
        state = State.CLOSING;
        Channel channel = context.channel();
        written.addListener(done -> channel.eventLoop().schedule(this::reset, RESET_DELAY_MS, TimeUnit.MILLISECONDS));
    }

    private void abandonExchange(String reason) {
        RequestListener current = exchange;
        exchange = null;
        discardSink();
        if (current != null) {
            current.onClientGone(reason);
        }
    }

    private void discardSink() {
        if (sink != null) {
            sink.discard();
            sink = null;
        }
    }

    private boolean encoderSaysEmpty(HttpResponse response) {
        return encoder.isContentAlwaysEmpty(response);
    }

    private void sweepAwaiting(long nowNs) {
        if (!headStarted && pendingBytes() > 0) {
            // The last response is still on its way to a slow client, which is idle only once it has that.
            sinceNs = nowNs;
            if (isWriteStalled(nowNs)) {
                reset();
            }
        } else if (headStarted) {
            if (nowNs - sinceNs > requestHeadNs) {
                refuse(new RequestGate.Refusal(408, "request_timeout", "The request head did not arrive in time."));
            }
        } else if (nowNs - sinceNs > idleLimitNs) {
            state = State.CLOSING;
            context.close();
        }
    }

    private void sweepExchange(long nowNs) {
        if (!requestComplete && !responseStarted) {
            String late = lateBody(nowNs);
            if (late != null) {
                refuseBegun(new RequestGate.Refusal(408, "request_timeout", late));
                return;
            }
        }
        if (isWriteStalled(nowNs)) {
            abandonExchange("client took nothing for " + TimeUnit.NANOSECONDS.toSeconds(writeStallNs) + " s");
            reset();
            return;
        }
        if (exchange != null) {
            exchange.onSweep(nowNs);
        }
    }

    /** What is wrong with the pace of the request's body, or null. While it is not read it has none. */
    private String lateBody(long nowNs) {
        double seconds = (nowNs - bodyCheckedNs) / NS_PER_SECOND;
        bodyCheckedNs = nowNs;
        if (!context.channel().config().isAutoRead()) {
            sinceNs = nowNs;
            return null;
        }
        if (nowNs - sinceNs > requestBodyIdleNs) {
            return "The request body stopped arriving.";
        }
        bodyAhead -= limits.bodyRate() * seconds;
        return bodyAhead < 0 ? "The request body arrives at less than " + limits.bodyRate() + " bytes a second." : null;
    }

    private double mostAhead() {
        return limits.bodyRate() * (requestBodyIdleNs / NS_PER_SECOND);
    }

    /** Whether the client has taken nothing for the write-stall limit although something waits for it. */
    private boolean isWriteStalled(long nowNs) {
        long pending = unsentBytes();
        long flushed = (sink == null ? 0 : sink.bodyBytes()) - pending;
        if (pending == 0 || pending < pendingWhenChecked || flushed > flushedBytes) {
            drainedNs = nowNs;
        }
        pendingWhenChecked = pending;
        flushedBytes = flushed;
        return nowNs - drainedNs > (memory.isTight() ? Math.min(writeStallNs, STALL_WHEN_TIGHT_NS) : writeStallNs);
    }

    /** Unlike {@link #pendingBytes()} without the part of the first buffer that the kernel has taken. */
    private long unsentBytes() {
        var outbound = context.channel().unsafe().outboundBuffer();
        return outbound == null ? 0 : outbound.totalPendingWriteBytes() - outbound.currentProgress();
    }
}
