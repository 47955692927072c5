package io.millrace.server.upstream;

import static java.util.Objects.requireNonNull;

import io.millrace.server.http.Http2CodecBuilder;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.http2.DefaultHttp2Connection;
import io.netty.handler.codec.http2.Http2ConnectionDecoder;
import io.netty.handler.codec.http2.Http2ConnectionEncoder;
import io.netty.handler.codec.http2.Http2ConnectionHandler;
import io.netty.handler.codec.http2.Http2Error;
import io.netty.handler.codec.http2.Http2Exception;
import io.netty.handler.codec.http2.Http2FrameListener;
import io.netty.handler.codec.http2.Http2Settings;
import io.netty.handler.codec.http2.Http2Stream;
import org.jspecify.annotations.Nullable;

/**
 * Netty's HTTP/2 codec for one connection to an upstream: frames, HPACK, the states and windows of streams. It allows
 * no push and heads of 64 KiB. The connection's window is twice as large as the windows of all streams together, because
 * Netty returns the bytes of a window only when they are half of it. So streams with slow clients never block the others.
 */
final class Http2Codec extends Http2ConnectionHandler {
    /** The most bytes of one response that are in transit or wait for its client. */
    static final int STREAM_WINDOW = 256 * 1024;

    private static final int MAX_HEAD_BYTES = 64 * 1024;
    private static final int FIRST_WINDOW = 65_535;

    private final int streams;
    private final Events events;
    private @Nullable ChannelHandlerContext context;

    /** Receives the events that are not frames. */
    interface Events {
        /** A frame for {@code stream}, in either direction, breaks the rules. The stream is about to be reset. */
        void onStreamError(Http2Stream stream, Http2Exception error);

        /**
         * A frame arrived for a stream that is over on this side.
         *
         * @return whether the connection may continue
         */
        boolean onLateFrame();

        /** The connection cannot be used any more. It is closed after this call. */
        void onConnectionError(Throwable cause);
    }

    private static final class Builder extends Http2CodecBuilder<Http2Codec> {
        private final int streams;
        private final Events events;

        Builder(int streams, Events events) {
            this.streams = streams;
            this.events = events;
            headerSensitivityDetector((name, value) -> Http2Heads.isSecret(name));
            decoderEnforceMaxConsecutiveEmptyDataFrames(0); // FrameBudget counts them
            flushPreface(false); // it is sent with the first request
        }

        @Override
        protected Http2Codec build(
                Http2ConnectionDecoder decoder, Http2ConnectionEncoder encoder, Http2Settings initialSettings) {
            return new Http2Codec(decoder, encoder, initialSettings, streams, events);
        }
    }

    private Http2Codec(
            Http2ConnectionDecoder decoder,
            Http2ConnectionEncoder encoder,
            Http2Settings settings,
            int streams,
            Events events) {
        super(decoder, encoder, settings, true, false);
        this.streams = streams;
        this.events = events;
    }

    /** Makes a codec for at most {@code streams} requests at once. */
    static Http2Codec of(int streams, Events events, Http2FrameListener frames) {
        var settings = new Http2Settings()
                .pushEnabled(false)
                .initialWindowSize(STREAM_WINDOW)
                .maxHeaderListSize(MAX_HEAD_BYTES);
        return new Builder(streams, events).make(new DefaultHttp2Connection(false, 0), settings, frames);
    }

    /** The context for writes. */
    ChannelHandlerContext context() {
        return requireNonNull(context);
    }

    /** Asks the upstream whether it is there. */
    void ping(long data) {
        encoder().writePing(context(), false, data, context().newPromise());
        context().flush();
    }

    /** Tells the upstream that the answer to {@code stream} is not needed any more, without a flush. */
    void reset(Http2Stream stream, Http2Error error) {
        if (stream.state() != Http2Stream.State.CLOSED && context().channel().isActive()) {
            resetStream(context(), stream.id(), error.code(), context().newPromise());
        }
    }

    /** Returns bytes of a response to the windows. The upstream learns of it at the next flush. */
    void giveBack(Http2Stream stream, int bytes) {
        try {
            decoder().flowController().consumeBytes(stream, bytes);
        } catch (Http2Exception e) {
            onError(context(), true, e);
        }
    }

    @Override
    public void handlerAdded(ChannelHandlerContext ctx) throws Exception {
        context = ctx;
        super.handlerAdded(ctx);
        decoder()
                .flowController()
                .incrementWindowSize(connection().connectionStream(), 2 * streams * STREAM_WINDOW - FIRST_WINDOW);
    }

    @Override
    protected void onStreamError(
            ChannelHandlerContext ctx, boolean outbound, Throwable cause, Http2Exception.StreamException error) {
        if (error.streamId() % 2 == 0) {
            onConnectionError(
                    ctx, outbound, cause, Http2Exception.connectionError(Http2Error.PROTOCOL_ERROR, "a stream pushed"));
            return;
        }
        Http2Stream stream = connection().stream(error.streamId());
        if (stream != null) {
            events.onStreamError(stream, error);
            super.onStreamError(ctx, outbound, cause, error);
        } else if (!outbound && !events.onLateFrame()) {
            onConnectionError(
                    ctx,
                    false,
                    cause,
                    Http2Exception.connectionError(Http2Error.ENHANCE_YOUR_CALM, "too many frames for no stream"));
        }
    }

    @Override
    protected void onConnectionError(
            ChannelHandlerContext ctx, boolean outbound, Throwable cause, @Nullable Http2Exception error) {
        super.onConnectionError(ctx, outbound, cause, error);
        ctx.flush();
        events.onConnectionError(error == null ? cause : error);
    }
}
