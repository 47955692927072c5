package io.millrace.server.downstream;

import io.millrace.server.config.Limits;
import io.millrace.server.config.Timeouts;
import io.millrace.server.downstream.RequestDecoder.TooMuchPipelined;
import io.millrace.server.http.Refusal;
import io.millrace.server.timing.Sweeper;
import io.millrace.server.timing.Sweeper.Sweepable;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelPromise;
import io.netty.channel.EventLoop;
import io.netty.handler.codec.DecoderException;
import io.netty.handler.codec.http.HttpContent;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.LastHttpContent;
import io.netty.util.ReferenceCountUtil;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A client's connection that speaks HTTP/1.1 or HTTP/1.0; the last handler of its pipeline. It passes on each request
 * that the gate accepts, one at a time, and watches the client's time limits. It reads the socket all the time, so
 * that it notices at once when a client leaves. Confined to its event loop.
 */
final class Http1Connection extends ChannelInboundHandlerAdapter
        implements ClientConnection, Http1Stream.Connection, Sweepable {
    private static final Logger LOG = LoggerFactory.getLogger(Http1Connection.class);
    /** How long a stop of the process waits for a connection without a request. */
    private static final long FRESH_NS = TimeUnit.SECONDS.toNanos(1);

    private final Channel channel;
    private final ConnectionContext context;
    private final Timeouts timeouts;
    private final RequestDecoder decoder;
    private final ResponseEncoder encoder = new ResponseEncoder();
    private final ClientOutput output;
    private final ClientBytes bytes;
    private final BodyPace pace;

    private Sweeper.@Nullable Registration sweep;
    private State state = State.AWAITING_REQUEST;
    private @Nullable Http1Stream stream;
    private int requests;
    private boolean last;
    private long sinceNs;
    private long idleLimitNs;

    private enum State {
        AWAITING_REQUEST,
        READING_HEAD,
        IN_EXCHANGE,
        CLOSING
    }

    /** Prepares a connection. {@link #open} completes it. */
    Http1Connection(ConnectionContext context) {
        this.context = context;
        channel = context.channel();
        timeouts = context.timeouts();
        decoder = RequestDecoder.of(context.limits(), context.requests());
        output = new ClientOutput(channel);
        bytes = new ClientBytes(channel, context.memory(), decoder::bufferedBytes, timeouts.writeStall());
        pace = new BodyPace(
                context.limits().bodyRate(), timeouts.requestBodyIdle().toNanos());
        idleLimitNs = timeouts.requestHead().toNanos();
    }

    /** Adds its handlers to its pipeline, which was told already that the channel is {@code active}, or will be. */
    void open(boolean active) {
        channel.pipeline().addLast(output, decoder, encoder, this);
        if (active) {
            begin();
        }
    }

    @Override
    public EventLoop eventLoop() {
        return channel.eventLoop();
    }

    @Override
    public List<RequestListener> requests() {
        return Stream.ofNullable(listener()).toList();
    }

    @Override
    public long heldBytes() {
        return bytes.held();
    }

    @Override
    public void closeAfterResponse() {
        last = true;
        if (stream != null) {
            stream.closeAfterResponse();
        }
    }

    @Override
    public void drain() {
        closeAfterResponse();
        if (state != State.AWAITING_REQUEST || decoder.headStarted()) {
            return;
        }
        if (requests == 0) {
            idleLimitNs = Math.min(timeouts.requestHead().toNanos(), FRESH_NS);
        } else {
            state = State.CLOSING;
            channel.writeAndFlush(Unpooled.EMPTY_BUFFER).addListener(ChannelFutureListener.CLOSE);
        }
    }

    @Override
    public void abandon(String reason) {
        abandonStream(reason);
        reset();
    }

    @Override
    public void close() {
        channel.close();
    }

    @Override
    public boolean inRead() {
        return decoder.isReading();
    }

    @Override
    public void onEnd(@Nullable ChannelPromise closing) {
        if (closing == null) {
            awaitRequest();
            return;
        }
        state = State.CLOSING;
        sinceNs = System.nanoTime();
        decoder.discard();
        if (stream != null && stream.requestComplete()) {
            Closing.behind(closing);
        } else {
            Closing.lingering(closing, Closing.UPLOAD_MS);
        }
    }

    @Override
    public void onCut(ChannelPromise written) {
        state = State.CLOSING;
        Closing.soonBehind(written, this::reset);
    }

    @Override
    public void reset() {
        state = State.CLOSING;
        if (stream != null) {
            stream.discard();
        }
        Closing.withReset(channel);
        bytes.count();
    }

    @Override
    public void channelActive(ChannelHandlerContext ctx) {
        begin();
    }

    private void begin() {
        sinceNs = System.nanoTime();
        sweep = context.sweeper().add(this);
        context.handler().onConnected(this);
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) {
        if (sweep != null) {
            sweep.cancel();
        }
        context.handler().onDisconnected(this);
        bytes.count();
        state = State.CLOSING;
        abandonStream("client closed the connection");
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object msg) {
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
        RequestListener listener = listener();
        if (listener != null) {
            listener.onRequestReadComplete();
        }
        if (state == State.AWAITING_REQUEST && decoder.headStarted()) {
            state = State.READING_HEAD;
            sinceNs = System.nanoTime();
        }
        bytes.count();
    }

    @Override
    public void channelWritabilityChanged(ChannelHandlerContext ctx) {
        RequestListener listener = listener();
        if (listener != null) {
            listener.onWritable(channel.isWritable());
        }
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        Throwable root = cause instanceof DecoderException && cause.getCause() != null ? cause.getCause() : cause;
        if (root instanceof OutOfMemoryError) {
            abandon("no memory for what the client sends");
            return;
        }
        if (root instanceof IOException || root instanceof TooMuchPipelined || state == State.CLOSING) {
            channel.close();
            return;
        }
        boolean sent = cause instanceof DecoderException; // the client's fault; anything else is a fault of the relay
        boolean begun = stream != null && stream.responseStarted();
        if (begun || !sent) {
            LOG.warn("[{}] a request cannot be served", channel.id(), root);
        }
        if (begun) {
            abandonStream(String.valueOf(root.getMessage()));
            channel.close();
        } else {
            refuseBegun(sent ? RequestGate.ofFailure(root) : RequestGate.FAULT);
        }
    }

    @Override
    public void onSweep(long nowNs) {
        bytes.count();
        switch (state) {
            case AWAITING_REQUEST -> sweepAwaiting(nowNs);
            case READING_HEAD -> {
                if (decoder.awaitsTurn()) {
                    sinceNs = nowNs;
                } else if (nowNs - sinceNs > timeouts.requestHead().toNanos()) {
                    refuse(Refusal.of(408, "request_timeout", "The request head did not arrive in time."));
                }
            }
            case IN_EXCHANGE -> sweepExchange(nowNs);
            case CLOSING -> {
                boolean late = nowNs - sinceNs > timeouts.writeStall().toNanos();
                if ((late && bytes.pending() == 0) || bytes.isStalled(nowNs, 0)) {
                    reset();
                }
            }
        }
    }

    private void onHead(HttpRequest head) {
        if (state == State.CLOSING) {
            return;
        }
        idleLimitNs = timeouts.keepAlive().toNanos();
        requests++;
        state = State.IN_EXCHANGE;
        sinceNs = System.nanoTime();
        bytes.restartStall(sinceNs);
        pace.begin(sinceNs);
        encoder.answersHead(head.method().equals(HttpMethod.HEAD));
        Http1Stream begun = newStream(head);
        stream = begun;
        Limits limits = context.limits();
        Refusal refusal = RequestGate.verify(head, limits.headerCount(), limits.body());
        if (refusal != null) {
            refuse(refusal);
            return;
        }
        RequestListener listener = context.handler().onRequest(begun, head);
        if (state == State.IN_EXCHANGE) {
            begun.listener(listener);
        }
    }

    private Http1Stream newStream(@Nullable HttpRequest head) {
        boolean isLast = last || requests >= context.limits().requestsPerConnection();
        return new Http1Stream(this, context, encoder, output, bytes, head, isLast);
    }

    private void onContent(HttpContent content) {
        boolean ends = content instanceof LastHttpContent;
        Http1Stream current = stream;
        if (current != null && ends) {
            current.onRequestComplete();
        }
        sinceNs = System.nanoTime();
        pace.onBytes(content.content().readableBytes(), sinceNs);
        RequestListener listener = listener();
        if (current == null || listener == null || state == State.CLOSING) {
            content.release();
            return;
        }
        if (content.content().isReadable()) {
            listener.onRequestBody(content.content());
        } else {
            content.release();
        }
        if (ends && current.listener() != null) {
            listener.onRequestEnd();
        }
    }

    /** If the request already has a listener, that listener answers, counts and logs it. */
    private void refuseBegun(Refusal refusal) {
        RequestListener listener = listener();
        if (stream == null || listener == null) {
            refuse(refusal);
            return;
        }
        stream.closeAfterResponse();
        listener.onRequestRefused(refusal.status(), refusal.code(), refusal.message());
    }

    private void refuse(Refusal refusal) {
        Http1Stream refused = state == State.IN_EXCHANGE && stream != null ? stream : newStream(null);
        stream = refused;
        state = State.IN_EXCHANGE;
        refused.closeAfterResponse();
        HttpRequest request = refused.request();
        context.handler().onRefused(refused, request, refusal.status(), refusal.code());
        refused.respond(refusal.status(), RequestGate.json(refusal, request), RequestGate.headers(refusal));
    }

    private void awaitRequest() {
        state = State.AWAITING_REQUEST;
        stream = null;
        channel.config().setAutoRead(true);
        encoder.answersHead(false);
        sinceNs = System.nanoTime();
        decoder.resume();
    }

    private void abandonStream(String reason) {
        if (stream != null) {
            stream.abandon(reason);
        }
    }

    private @Nullable RequestListener listener() {
        return stream == null ? null : stream.listener();
    }

    private void sweepAwaiting(long nowNs) {
        if (bytes.pending() > 0) {
            // The last response may still be on its way to a slow client, which is idle only when it has it.
            sinceNs = nowNs;
            if (bytes.isStalled(nowNs, 0)) {
                reset();
            }
        } else if (nowNs - sinceNs > idleLimitNs) {
            state = State.CLOSING;
            channel.close();
        }
    }

    private void sweepExchange(long nowNs) {
        if (stream == null) {
            return;
        }
        if (!stream.requestComplete() && !stream.responseStarted()) {
            String late = pace.complaint(nowNs, channel.config().isAutoRead());
            if (late != null) {
                refuseBegun(Refusal.of(408, "request_timeout", late));
                return;
            }
        }
        if (bytes.isStalled(nowNs, stream.streamedBytes())) {
            abandon("client took nothing for " + timeouts.writeStall().toSeconds() + " s");
            return;
        }
        RequestListener listener = stream.listener();
        if (listener != null) {
            listener.onSweep(nowNs);
        }
    }
}
