package io.millrace.server.upstream;

import io.millrace.server.http.FrameBudget;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.codec.DecoderException;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http2.Http2Connection;
import io.netty.handler.codec.http2.Http2ConnectionAdapter;
import io.netty.handler.codec.http2.Http2Error;
import io.netty.handler.codec.http2.Http2Exception;
import io.netty.handler.codec.http2.Http2FrameAdapter;
import io.netty.handler.codec.http2.Http2Headers;
import io.netty.handler.codec.http2.Http2Settings;
import io.netty.handler.codec.http2.Http2Stream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One HTTP/2 connection to an upstream, which its pool keeps: the handler after {@link Http2Codec}. Each stream of it
 * carries one {@link Http2Call}. It takes calls until the upstream sends GOAWAY or its pool drains it, and closes after
 * the last one. It is always read. If a client is slow, the window of its stream stops the upstream. Confined to its
 * event loop.
 */
final class Http2Upstream extends ChannelInboundHandlerAdapter implements UpstreamConnection, Http2Codec.Events {
    private static final Logger LOG = LoggerFactory.getLogger(Http2Upstream.class);
    private static final int CONTROL_BURST = 1000;
    private static final int CONTROL_PER_SECOND = 100;
    /** The most frames that may still arrive for a stream that was reset. */
    private static final int LATE_FRAMES_A_STREAM = 4096;

    /** A connection gets no further request above this id, because ids end at 2^31. */
    private static final int LAST_ID = Integer.MAX_VALUE - 1_000_000;

    final Owner owner;
    private final Http2Codec codec;
    private final FrameBudget budget = FrameBudget.ofServer(CONTROL_BURST, CONTROL_PER_SECOND, System::nanoTime);
    private final Http2Connection.PropertyKey responseKey;
    private final StaleRule stale = new StaleRule();
    private final Liveness liveness = new Liveness();
    /** The responses that have data in the read that is being delivered. */
    private final List<Http2Response> touched = new ArrayList<>();

    private final long openedNs = System.nanoTime();
    private ChannelHandlerContext context;
    private int limit;
    private int calls;
    private long lateFrames;
    private boolean used;
    private boolean draining;
    private long idleSinceNs = openedNs;
    private @Nullable Throwable failure;

    /** The owner of the connection. */
    interface Owner {
        Origin origin();

        /** The connection has room for one more call. */
        void onRoom();

        /** The upstream wants HTTP/1.1. Returns whether it can be asked over that. */
        boolean onHttp1Required();

        /** The connection is closed. */
        void onClosed(Http2Upstream connection);
    }

    @SuppressWarnings("NullAway.Init") // its pipeline sets the context when it is added
    Http2Upstream(Owner owner) {
        this.owner = owner;
        limit = owner.origin().http().streams();
        codec = Http2Codec.of(limit, this, new Frames());
        responseKey = codec.connection().newKey();
        codec.connection().addListener(new Http2ConnectionAdapter() {
            @Override
            public void onStreamClosed(Http2Stream stream) {
                onClosed(stream);
            }
        });
    }

    /** The first handler. The codec follows it, and this handler follows the codec. */
    FrameBudget budget() {
        return budget;
    }

    Http2Codec codec() {
        return codec;
    }

    StaleRule stale() {
        return stale;
    }

    @Override
    public Channel channel() {
        return context.channel();
    }

    @Override
    public long openedNs() {
        return openedNs;
    }

    int calls() {
        return calls;
    }

    /** How many more calls it takes. */
    int room() {
        var local = codec.connection().local();
        boolean closing = draining || !takesRequests() || local.lastStreamCreated() > LAST_ID;
        return closing ? 0 : Math.min(limit, local.maxActiveStreams()) - Math.max(calls, local.numActiveStreams());
    }

    /** Whether one of its calls may send its request. */
    boolean takesRequests() {
        return context.channel().isActive()
                && !codec.connection().goAwayReceived()
                && codec.connection().local().canOpenStream();
    }

    /** Makes a call. To be called only if there is room. */
    Http2Call newCall() {
        if (calls++ == 0) {
            liveness.onHeard();
        }
        return new Http2Call(this, used && calls == 1);
    }

    /** Takes no more calls, and closes after the last one. */
    void drain() {
        draining = true;
        closeIfDrained();
    }

    /** When the last call ended; has no meaning while there are calls. */
    long idleSinceNs() {
        return idleSinceNs;
    }

    boolean wasStale(long sentNs, boolean handedOver) {
        return !codec.connection().goAwayReceived() && stale.wasStale(sentNs, handedOver);
    }

    /** Sends a PING to an upstream that is silent while it owes responses. Ends the calls if it does not answer. */
    void onSweep(long nowNs) {
        if (calls == 0) {
            return;
        }
        switch (liveness.at(nowNs)) {
            case WAIT -> {}
            case ASK -> codec.ping(nowNs);
            case DEAD -> close(new IOException("no answer to a PING"));
        }
    }

    int newStreamId() {
        return codec.connection().local().incrementAndGetNextStreamId();
    }

    /** Writes a head on a new stream, without a flush. */
    ChannelFuture writeHead(int id, HttpRequest request, boolean last) {
        var ctx = codec.context();
        Http2Headers head = Http2Heads.request(request, owner.origin().tls() != null);
        return codec.encoder().writeHeaders(ctx, id, head, 0, last, ctx.newPromise());
    }

    /** The response to the head that was just written; null if its stream could not be opened. */
    @Nullable
    Http2Response expect(int id, Http2Call call, HttpRequest request, CallListener listener) {
        Http2Stream stream = codec.connection().stream(id);
        if (stream == null) {
            return null;
        }
        var response = new Http2Response(this, call, stream, request.method().equals(HttpMethod.HEAD), listener);
        stream.setProperty(responseKey, response);
        return response;
    }

    /** Writes a part of a request's body, without a flush; ownership is transferred. */
    ChannelFuture writeData(Http2Stream stream, ByteBuf data, boolean last) {
        var ctx = codec.context();
        budget.onDataWritten();
        return codec.encoder().writeData(ctx, stream.id(), data, 0, last, ctx.newPromise());
    }

    void flush() {
        context.flush();
    }

    void reset(Http2Stream stream, Http2Error error) {
        lateFrames += LATE_FRAMES_A_STREAM;
        codec.reset(stream, error);
    }

    void giveBack(Http2Stream stream, int bytes) {
        codec.giveBack(stream, bytes);
    }

    /** A request was refused because the connection has too many requests. Another connection may still take it. */
    void onRefused() {
        if (calls > 1) {
            limit = Math.min(limit, calls - 1);
        } else {
            draining = true;
        }
    }

    /** A call is over. If it has no stream, it was not needed. */
    void onCallOver(@Nullable Http2Stream stream) {
        if (stream != null) {
            used = true;
            stream.removeProperty(responseKey);
        }
        if (--calls == 0) {
            idleSinceNs = System.nanoTime();
            closeIfDrained();
        }
        owner.onRoom();
    }

    private void closeIfDrained() {
        if (draining && calls == 0 && context.channel().isActive()) {
            var ctx = codec.context();
            codec.goAway(ctx, 0, Http2Error.NO_ERROR.code(), Unpooled.EMPTY_BUFFER, ctx.newPromise());
            flush();
            context.close();
        }
    }

    @Override
    public void onStreamError(Http2Stream stream, Http2Exception error) {
        Http2Response response = response(stream);
        if (response != null) {
            response.broken(CallListener.Breakage.ofProtocol(error));
        }
    }

    @Override
    public boolean onLateFrame() {
        return lateFrames > 0 ? lateFrames-- > 0 : budget.onRefused();
    }

    @Override
    public void onConnectionError(Throwable cause) {
        close(cause);
    }

    private void close(Throwable cause) {
        if (failure == null) {
            failure = cause;
        }
        draining = true;
        breakAll();
        context.close();
    }

    private void breakAll() {
        try {
            codec.connection().forEachActiveStream(stream -> {
                Http2Response response = response(stream);
                if (response != null) {
                    response.onConnectionGone(failure);
                }
                return true;
            });
        } catch (Http2Exception e) {
            throw new IllegalStateException(e); // the visitor does not throw
        }
    }

    /** A stream is closed. Its response ends now if it has not ended. */
    private void onClosed(Http2Stream stream) {
        Http2Response response = response(stream);
        if (response == null) {
            return;
        }
        var local = codec.connection().local();
        if (codec.connection().goAwayReceived() && stream.id() > local.lastStreamKnownByPeer()) {
            response.onUnprocessed();
        } else {
            response.onConnectionGone(failure);
        }
    }

    private @Nullable Http2Response response(@Nullable Http2Stream stream) {
        return stream == null ? null : stream.getProperty(responseKey);
    }

    @Override
    public void handlerAdded(ChannelHandlerContext ctx) {
        context = ctx;
    }

    @Override
    public void channelReadComplete(ChannelHandlerContext ctx) {
        liveness.onHeard();
        for (int i = 0; i < touched.size(); i++) {
            touched.get(i).onReadComplete();
        }
        touched.clear();
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        if (!(cause instanceof IOException || cause instanceof DecoderException || cause instanceof OutOfMemoryError)) {
            LOG.warn(
                    "[{}] closing the connection to {}",
                    ctx.channel().id(),
                    owner.origin().name(),
                    cause);
        }
        close(cause);
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) {
        draining = true;
        breakAll();
        owner.onClosed(this);
    }

    /** Receives the frames that the codec reads. */
    private final class Frames extends Http2FrameAdapter {
        @Override
        public void onHeadersRead(
                ChannelHandlerContext ctx,
                int id,
                Http2Headers headers,
                int dependency,
                short weight,
                boolean exclusive,
                int padding,
                boolean last) {
            onHeadersRead(ctx, id, headers, padding, last);
        }

        @Override
        public void onHeadersRead(ChannelHandlerContext ctx, int id, Http2Headers headers, int padding, boolean last) {
            Http2Response response = touch(id);
            if (response != null) {
                response.onHeaders(headers, last);
            }
        }

        @Override
        public int onDataRead(ChannelHandlerContext ctx, int id, ByteBuf data, int padding, boolean last) {
            Http2Response response = touch(id);
            if (response == null) {
                return data.readableBytes() + padding;
            }
            response.onData(data, padding, last);
            return 0;
        }

        @Override
        public void onRstStreamRead(ChannelHandlerContext ctx, int id, long code) {
            Http2Response response = touch(id);
            if (response != null) {
                response.onReset(code);
            }
        }

        @Override
        public void onSettingsRead(ChannelHandlerContext ctx, Http2Settings settings) {
            limit = owner.origin().http().streams();
            owner.onRoom();
        }

        @Override
        public void onGoAwayRead(ChannelHandlerContext ctx, int last, long code, ByteBuf debugData) {
            if (code != Http2Error.NO_ERROR.code() && failure == null) {
                failure = new IOException("GOAWAY: " + Http2Error.valueOf(code));
            }
            if (code == Http2Error.HTTP_1_1_REQUIRED.code()) {
                owner.onHttp1Required();
            }
            drain();
        }

        private @Nullable Http2Response touch(int id) {
            Http2Response response = response(codec.connection().stream(id));
            if (response != null && response.touch()) {
                touched.add(response);
            }
            return response;
        }
    }
}
