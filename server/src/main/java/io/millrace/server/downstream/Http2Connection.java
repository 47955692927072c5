package io.millrace.server.downstream;

import io.millrace.server.config.Listener.Protocol;
import io.millrace.server.http.FrameBudget;
import io.millrace.server.http.Refusal;
import io.millrace.server.timing.Sweeper;
import io.millrace.server.timing.Sweeper.Sweepable;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.EventLoop;
import io.netty.handler.codec.DecoderException;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http2.Http2Error;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A client's connection that speaks HTTP/2; the last handler of its pipeline. It has many requests at once, each an
 * {@link Http2Stream}, and watches the client's time limits. It reads the socket all the time. A request that must
 * wait has its window closed. Confined to its event loop.
 */
final class Http2Connection extends ChannelInboundHandlerAdapter
        implements ClientConnection, Http2Requests.Owner, Http2Codec.Events, Sweepable {
    private static final Logger LOG = LoggerFactory.getLogger(Http2Connection.class);
    /** How long a stop of the process waits for a connection without a request. */
    private static final long FRESH_NS = TimeUnit.SECONDS.toNanos(1);

    private final ConnectionContext context;
    private final Channel channel;
    private final ClientOutput client;
    private final FrameBudget budget;
    private final Http2Codec codec;
    private final Http2Requests requests;
    private final Http2Farewell farewell;
    private final ClientBytes bytes;

    private Sweeper.@Nullable Registration sweep;
    private @Nullable Http2Output output;
    private int requestCount;
    private boolean last;
    private boolean closing;
    private long sinceNs;
    private long openedNs;
    private long idleLimitNs;

    /** Prepares a connection. {@link #open} completes it. */
    Http2Connection(ConnectionContext context) {
        this.context = context;
        channel = context.channel();
        client = new ClientOutput(channel);
        var frames = context.http2().controlFrames();
        budget = FrameBudget.ofClient(frames.burst(), frames.perSecond(), System::nanoTime)
                .pacedBy(context.requests());
        codec = Http2Codec.of(context.limits(), context.http2());
        codec.events(this);
        requests = new Http2Requests(context, codec, budget, this);
        farewell = new Http2Farewell(codec, requests);
        bytes = new ClientBytes(
                channel,
                context.memory(),
                () -> requests.keptBytes() + codec.bufferedBytes() + budget.heldBytes(),
                () -> output == null ? 0 : output.held(),
                context.timeouts().writeStall());
        idleLimitNs = context.timeouts().requestHead().toNanos();
    }

    /**
     * Adds its handlers to its pipeline. The pipeline has been told, or will be told, that the channel is {@code
     * active}.
     */
    void open(boolean active) {
        channel.pipeline().addLast(client, budget, codec, this);
        if (active) {
            begin();
        }
    }

    @Override
    public void handlerAdded(ChannelHandlerContext ctx) {
        int pending = context.http2().pending();
        output = new Http2Output(client, codec, budget, pending, bytes::count, this::onRoom);
        requests.output(output);
    }

    @Override
    public void channelActive(ChannelHandlerContext ctx) {
        begin();
    }

    @Override
    public EventLoop eventLoop() {
        return channel.eventLoop();
    }

    @Override
    public Protocol protocol() {
        return context.terms().protocol();
    }

    @Override
    public List<RequestListener> requests() {
        var listeners = new ArrayList<RequestListener>(requests.streams().size());
        for (Http2Stream stream : requests.streams()) {
            RequestListener listener = stream.listener();
            if (listener != null) {
                listeners.add(listener);
            }
        }
        return listeners;
    }

    @Override
    public long heldBytes() {
        return bytes.held();
    }

    @Override
    public long heldBytes(RequestListener request) {
        return requests.heldBytes(request);
    }

    @Override
    public void closeAfterResponse() {
        last = true;
        if (requestCount > 0) {
            leave("drain");
        }
    }

    @Override
    public void drain() {
        closeAfterResponse();
        if (requestCount == 0) {
            idleLimitNs = Math.min(idleLimitNs, FRESH_NS);
        }
    }

    @Override
    public void abandon(String reason) {
        abandonStreams(reason);
        closing = true;
        Closing.withReset(channel);
        bytes.count();
    }

    @Override
    public void close() {
        channel.close();
    }

    @Override
    public long backedUpBytes() {
        return bytes.backedUp();
    }

    @Override
    public void onRequest(Http2Stream stream, HttpRequest request) {
        requestCount++;
        sinceNs = System.nanoTime();
        idleLimitNs = context.timeouts().keepAlive().toNanos();
        bytes.restartStall(sinceNs);
        int most = context.limits().requestsPerConnection();
        if (last) {
            leave("drain");
        } else if (requestCount >= most) {
            leave("requests");
        }
        if (farewell.begun()
                && !farewell.said()
                && requestCount - context.http2().streams() >= most) {
            finishLeaving(); // the client does not heed the first GOAWAY
        }
        var refusal = RequestGate.verify(
                request, context.limits().headerCount(), context.limits().body());
        if (refusal != null) {
            refuse(stream, refusal);
            return;
        }
        stream.listener(context.handler().onRequest(stream, request));
    }

    @Override
    public void onHeadTooLarge(io.netty.handler.codec.http2.Http2Stream stream) {
        if (!budget.onLargeHead()) {
            codec.fail(Http2Error.ENHANCE_YOUR_CALM, "too many large heads");
            return;
        }
        refuse(
                requests.unreadable(stream),
                Refusal.of(431, "headers_too_large", "The request header fields are too large."));
    }

    /** The other requests continue. */
    @Override
    public void onFault(Http2Stream stream, RuntimeException fault) {
        LOG.error("[{}] a fault in the handling of a request", channel.id(), fault);
        RequestListener listener = stream.listener();
        if (stream.responseStarted()) {
            stream.cut(Http2Error.INTERNAL_ERROR, String.valueOf(fault.getMessage()));
        } else if (listener == null) {
            refuse(stream, RequestGate.FAULT);
        } else {
            tell(listener, RequestGate.FAULT);
        }
    }

    @Override
    public void onStreamClosed() {
        sinceNs = System.nanoTime();
        closeIfOver();
    }

    @Override
    public void onPingAck() {
        if (farewell.begun() && !farewell.said()) {
            finishLeaving();
        }
    }

    @Override
    public void onFlush() {
        if (output != null) {
            output.onFlushed();
        }
    }

    @Override
    public void onError(String reason) {
        budget.stop();
        if (!closing && channel.isActive()) { // a write that fails behind it is an error, too
            context.handler().onGoAway(this, reason);
            // the error may come out of a call of a stream
            eventLoop().execute(() -> abandonStreams("closing for " + reason));
        }
        closing = true;
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) {
        if (sweep != null) {
            sweep.cancel();
        }
        context.handler().onDisconnected(this);
        closing = true;
        abandonStreams("client closed the connection");
        bytes.count();
    }

    @Override
    public void channelReadComplete(ChannelHandlerContext ctx) {
        requests.onReadComplete();
        bytes.count();
    }

    @Override
    public void channelWritabilityChanged(ChannelHandlerContext ctx) {
        if (channel.isWritable() && output != null) {
            output.resume();
        }
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        Throwable root = cause instanceof DecoderException && cause.getCause() != null ? cause.getCause() : cause;
        if (root instanceof OutOfMemoryError) {
            abandon("no memory for what the client sends");
            return;
        }
        if (!(root instanceof IOException) && !closing) {
            LOG.warn("[{}] closing after a failure", channel.id(), root);
        }
        channel.close();
    }

    @Override
    public void onSweep(long nowNs) {
        bytes.count();
        if (bytes.isStalled(nowNs, output == null ? 0 : output.written())) {
            abandon(stalled());
            return;
        }
        if (farewell.isOverdue(nowNs)) {
            finishLeaving();
        }
        if (closing) {
            return;
        }
        long blockSinceNs = budget.blockSinceNs();
        if (blockSinceNs != 0
                && nowNs - blockSinceNs > context.timeouts().requestHead().toNanos()) {
            codec.fail(Http2Error.ENHANCE_YOUR_CALM, "the head of a request did not arrive in time");
            return;
        }
        long ageNs = context.http2().connectionAge().toNanos();
        if (ageNs > 0 && requestCount > 0 && nowNs - openedNs > ageNs) {
            leave("age");
        }
        if (requests.streams().isEmpty() && nowNs - sinceNs > idleLimitNs && !farewell.begun()) {
            context.handler().onGoAway(this, last ? "drain" : "idle");
            closing = true;
            Closing.behind(farewell.say());
            codec.context().flush();
        }
        for (Http2Stream stream : List.copyOf(requests.streams())) {
            sweep(stream, nowNs);
        }
    }

    private void begin() {
        sinceNs = System.nanoTime();
        openedNs = sinceNs;
        sweep = context.sweeper().add(this);
        codec.connectionWindow(context.http2().connectionWindow());
        Objects.requireNonNull(output).flushSoon();
        context.handler().onConnected(this);
    }

    private void sweep(Http2Stream stream, long nowNs) {
        RequestListener listener = stream.listener();
        if (listener != null && !stream.responseStarted()) {
            String late = stream.input().complaint(nowNs);
            if (late != null) {
                tell(listener, Refusal.of(408, "request_timeout", late));
                return;
            }
        }
        if (bytes.isLongerThanStall(nowNs - stream.output().stalledSinceNs(nowNs))) {
            stream.cut(Http2Error.CANCEL, stalled());
        } else if (listener != null) {
            listener.onSweep(nowNs);
        }
    }

    private String stalled() {
        return "client took nothing for " + context.timeouts().writeStall().toSeconds() + " s";
    }

    /** Asks the client to open another connection for further requests. */
    private void leave(String reason) {
        if (!farewell.begun() && !closing && channel.isActive()) {
            context.handler().onGoAway(this, reason);
            farewell.announce(System.nanoTime());
            Objects.requireNonNull(output).flushSoon();
        }
    }

    private void finishLeaving() {
        farewell.say();
        Objects.requireNonNull(output).flushSoon();
        closeIfOver();
    }

    private void closeIfOver() {
        if (farewell.said() && !closing && requests.streams().isEmpty()) {
            closing = true;
            Closing.lingering(codec.context().writeAndFlush(Unpooled.EMPTY_BUFFER), Closing.LAST_FRAMES_MS);
        }
    }

    private void refuse(Http2Stream stream, Refusal refusal) {
        stream.onOwnAnswer();
        HttpRequest request = stream.request();
        context.handler().onRefused(stream, request, refusal.status(), refusal.code());
        stream.respond(refusal.status(), RequestGate.json(refusal, request), RequestGate.headers(refusal));
    }

    /** If the request already has a listener, that listener answers, counts and logs it. */
    private static void tell(RequestListener listener, Refusal refusal) {
        listener.onRequestRefused(refusal.status(), refusal.code(), refusal.message());
    }

    private void abandonStreams(String reason) {
        for (Http2Stream stream : List.copyOf(requests.streams())) {
            stream.abandon(reason);
        }
    }

    private void onRoom() {
        for (Http2Stream stream : List.copyOf(requests.streams())) {
            stream.onRoom();
        }
    }
}
