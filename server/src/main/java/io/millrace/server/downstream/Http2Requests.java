package io.millrace.server.downstream;

import io.millrace.server.http.FrameBudget;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http2.Http2Connection.PropertyKey;
import io.netty.handler.codec.http2.Http2Error;
import io.netty.handler.codec.http2.Http2EventAdapter;
import io.netty.handler.codec.http2.Http2Exception;
import io.netty.handler.codec.http2.Http2Headers;
import io.netty.handler.codec.http2.Http2Settings;
import java.util.LinkedHashSet;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The requests of one HTTP/2 connection. Begins, feeds and ends them as Netty's codec reports. Refuses requests over
 * the limit, and closes a connection whose client cancels many. Confined to the connection's event loop.
 */
final class Http2Requests extends Http2EventAdapter {
    /** A client that cannot know the limit yet may have this many times the limit. */
    private static final int UNTOLD_FACTOR = 2;

    private final ConnectionContext context;
    private final Http2Codec codec;
    private final FrameBudget budget;
    private final Owner owner;
    private final RequestWaste waste;
    private final PropertyKey key;
    private final LinkedHashSet<Http2Stream> streams = new LinkedHashSet<>();
    private final LinkedHashSet<Http2Stream> touched = new LinkedHashSet<>();
    private @Nullable Http2Output output;
    private int keptBytes;
    private boolean limitKnown;
    private int last = Integer.MAX_VALUE;

    /** The owner of the requests. */
    interface Owner {
        /** A request has begun. */
        void onRequest(Http2Stream stream, HttpRequest request);

        /** The relay failed in the handling of a request. */
        void onFault(Http2Stream stream, RuntimeException fault);

        /** A stream is over. */
        void onStreamClosed();

        /** The client has answered the PING. */
        void onPingAck();

        /** Bytes that were flushed, and that the kernel has not taken. */
        long backedUpBytes();
    }

    Http2Requests(ConnectionContext context, Http2Codec codec, FrameBudget budget, Owner owner) {
        this.context = context;
        this.codec = codec;
        this.budget = budget;
        this.owner = owner;
        waste = new RequestWaste(context);
        key = codec.connection().newKey();
        codec.connection().addListener(this);
        codec.decoder().frameListener(this);
    }

    /** No request with a higher stream number is served. */
    void lastIs(int id) {
        last = id;
    }

    /** Sets where responses go, before anything is read. */
    void output(Http2Output to) {
        output = to;
    }

    Channel channel() {
        return context.channel();
    }

    ConnectionContext context() {
        return context;
    }

    /** All requests in progress, and those whose response still waits for the client. */
    Set<Http2Stream> streams() {
        return streams;
    }

    /** Bytes that are held for one request and its response. */
    @SuppressWarnings("ReferenceEquality")
    long heldBytes(RequestListener request) {
        for (Http2Stream stream : streams) {
            if (stream.listener() == request) {
                return (long) stream.input().keptBytes() + stream.output().heldBytes();
            }
        }
        return 0;
    }

    /** Bytes of request bodies that are kept while reading is stopped. */
    int keptBytes() {
        return keptBytes;
    }

    /** Whether the read in progress may bring more. */
    boolean inRead() {
        return codec.isReading();
    }

    /** Bytes that were flushed, and that the kernel has not taken. */
    long backedUpBytes() {
        return owner.backedUpBytes();
    }

    /** One read of the socket has been delivered. */
    void onReadComplete() {
        if (!touched.isEmpty()) {
            touched.forEach(Http2Stream::onReadComplete);
            touched.clear();
        }
    }

    /** A stream for a request that could not be read. It can only be refused. */
    Http2Stream unreadable(io.netty.handler.codec.http2.Http2Stream its) {
        return begin(its, null);
    }

    void writeHead(io.netty.handler.codec.http2.Http2Stream stream, HttpResponse response) {
        var to = codec.context();
        codec.encoder().writeHeaders(to, stream.id(), Http2Heads.response(response), 0, false, to.newPromise());
    }

    void reset(io.netty.handler.codec.http2.Http2Stream stream, Http2Error error) {
        if (channel().isActive() && output != null) {
            output.reset(stream, error);
        }
    }

    /** The relay answers a request itself. */
    void onOwnAnswer() {
        budget.onOwnAnswer();
    }

    /** The response of a request begins. */
    void onAnswer(Http2Stream stream, boolean own) {
        waste.onAnswer(stream.key(), own);
    }

    void onKept(int change) {
        keptBytes += change;
    }

    void giveBack(io.netty.handler.codec.http2.Http2Stream stream, int bytes) {
        try {
            if (codec.connection().local().flowController().consumeBytes(stream, bytes) && output != null) {
                output.flushSoon();
            }
        } catch (Http2Exception e) {
            throw new IllegalStateException(e); // not more than was taken
        }
    }

    @Override
    public void onHeadersRead(
            ChannelHandlerContext ctx,
            int id,
            Http2Headers head,
            int dependency,
            short weight,
            boolean exclusive,
            int padding,
            boolean ends)
            throws Http2Exception {
        onHeadersRead(ctx, id, head, padding, ends);
    }

    @Override
    public void onHeadersRead(ChannelHandlerContext ctx, int id, Http2Headers head, int padding, boolean ends)
            throws Http2Exception {
        var its = codec.connection().stream(id);
        Http2Stream known = its.getProperty(key);
        if (known != null) {
            guard(its, () -> known.input().onEnd()); // after trailers, which are dropped
            return;
        }
        if (budget.isReset(id)) { // nobody waits for the answer
            context.handler().onClientRefused(channel().eventLoop(), "taken_back");
            onCancelled(waste.key(request(head, ends)), System.nanoTime());
            return;
        }
        if (id > last || codec.connection().remote().numActiveStreams() > mostStreams()) {
            refuse(its, budget.onRefused());
            return;
        }
        HttpRequest request = request(head, ends);
        long source = waste.key(request);
        if (!waste.mayBegin(source)) {
            context.handler().onClientRefused(channel().eventLoop(), "wasted_requests");
            refuse(its, waste.isOneOfMany(source) ? budget.onRefused() : budget.onWasteful());
            return;
        }
        Http2Stream begun = begin(its, request);
        begun.begun(source, System.nanoTime());
        waste.onBegun();
        begun.input().endsWithHead(ends);
        guard(its, () -> {
            owner.onRequest(begun, request);
            if (ends) {
                begun.input().onEnd();
            }
        });
        if (!budget.isLeft()) {
            throw Http2Exception.connectionError(Http2Error.ENHANCE_YOUR_CALM, "too many requests to the relay itself");
        }
    }

    @Override
    public int onDataRead(ChannelHandlerContext ctx, int id, ByteBuf data, int padding, boolean ends) {
        var its = codec.connection().stream(id);
        Http2Stream known = its.getProperty(key);
        int length = data.readableBytes();
        if (known == null) {
            return length + padding;
        }
        touched.add(known);
        int[] back = {length};
        guard(its, () -> back[0] = known.input().onData(data, ends));
        return back[0] + padding;
    }

    @Override
    public void onRstStreamRead(ChannelHandlerContext ctx, int id, long error) throws Http2Exception {
        Http2Stream known = codec.connection().stream(id).getProperty(key);
        if (known == null || known.responseStarted() || known.listener() == null) {
            return;
        }
        onCancelled(known.key(), known.beganNs());
    }

    private HttpRequest request(Http2Headers head, boolean ends) {
        return Http2Heads.request(head, !ends, context.limits().requestLine());
    }

    private void onCancelled(long source, long beganNs) throws Http2Exception {
        if (!waste.onCancelled(source, beganNs)) {
            throw Http2Exception.connectionError(Http2Error.ENHANCE_YOUR_CALM, "too many requests taken back");
        }
    }

    @Override
    public void onStreamClosed(io.netty.handler.codec.http2.Http2Stream its) {
        Http2Stream known = its.removeProperty(key);
        if (known != null) {
            streams.remove(known);
            if (!known.responseStarted()) {
                waste.onUnanswered(known.key(), known.beganNs());
            }
            known.abandon(channel().isActive() ? "client reset the stream" : "client closed the connection");
            owner.onStreamClosed();
        }
    }

    @Override
    public void onSettingsRead(ChannelHandlerContext ctx, Http2Settings settings) {
        if (settings.initialWindowSize() != null) {
            streams.forEach(stream -> stream.output().onWindow());
        }
    }

    @Override
    public void onSettingsAckRead(ChannelHandlerContext ctx) {
        limitKnown = true;
        codec.openToAll();
    }

    /** A client cannot know the limit before it has read our settings, and some give up a request that is refused twice. */
    private int mostStreams() {
        int limit = context.http2().streams();
        return limitKnown ? limit : UNTOLD_FACTOR * limit;
    }

    @Override
    public void onWindowUpdateRead(ChannelHandlerContext ctx, int id, int increment) {
        Http2Stream known = id == 0 ? null : codec.connection().stream(id).getProperty(key);
        if (known != null) {
            known.output().onWindow();
        } else if (output != null) {
            output.resume();
        }
    }

    @Override
    public void onPingAckRead(ChannelHandlerContext ctx, long data) {
        owner.onPingAck();
    }

    private Http2Stream begin(io.netty.handler.codec.http2.Http2Stream its, @Nullable HttpRequest request) {
        var pace = new BodyPace(
                context.limits().bodyRate(),
                context.timeouts().requestBodyIdle().toNanos());
        pace.begin(System.nanoTime());
        var begun = new Http2Stream(this, its, Objects.requireNonNull(output), pace, request);
        its.setProperty(key, begun);
        streams.add(begun);
        touched.add(begun);
        return begun;
    }

    private void refuse(io.netty.handler.codec.http2.Http2Stream its, boolean mayGoOn) throws Http2Exception {
        reset(its, Http2Error.REFUSED_STREAM);
        if (!mayGoOn) {
            throw Http2Exception.connectionError(Http2Error.ENHANCE_YOUR_CALM, "too many requests over a limit");
        }
    }

    /** Keeps a failure in one request from ending the others. */
    private void guard(io.netty.handler.codec.http2.Http2Stream its, Runnable action) {
        try {
            action.run();
        } catch (RuntimeException e) {
            Http2Stream known = its.getProperty(key);
            if (known != null) {
                owner.onFault(known, e);
            }
        }
    }
}
