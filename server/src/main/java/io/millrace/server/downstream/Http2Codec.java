package io.millrace.server.downstream;

import io.millrace.server.config.Http2;
import io.millrace.server.config.Limits;
import io.millrace.server.http.Http2CodecBuilder;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http2.DefaultHttp2Connection;
import io.netty.handler.codec.http2.DefaultHttp2LocalFlowController;
import io.netty.handler.codec.http2.Http2ConnectionDecoder;
import io.netty.handler.codec.http2.Http2ConnectionEncoder;
import io.netty.handler.codec.http2.Http2ConnectionHandler;
import io.netty.handler.codec.http2.Http2Error;
import io.netty.handler.codec.http2.Http2Exception;
import io.netty.handler.codec.http2.Http2FrameAdapter;
import io.netty.handler.codec.http2.Http2Settings;
import io.netty.handler.codec.http2.Http2Stream;
import io.netty.util.ReferenceCountUtil;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Netty's HTTP/2 codec for one client's connection: reads frames, writes HEADERS and control frames, keeps the states
 * of streams. DATA is written without it ({@link Http2Output}), within the client's {@link Http2Windows}.
 */
final class Http2Codec extends Http2ConnectionHandler {
    private static final int MADE_RESETS = 200;
    private static final int MADE_RESETS_SECONDS = 30;
    private static final long GOAWAY_WAIT_MS = 5_000;
    /**
     * The part of the window that is left when Netty gives back the bytes that were taken: it does so when a sixteenth was
     * taken. By default it waits for half. Bodies that stand still in one half, and taken bytes that wait in the other one,
     * would stop all other bodies.
     */
    private static final float CONNECTION_UPDATE_RATIO = 15f / 16;

    private final RecentResets resets = new RecentResets();
    private @Nullable Events events;
    private @Nullable ChannelHandlerContext context;
    private boolean reading;
    private boolean failed;

    /** Receives the events that are not frames. */
    interface Events {
        /** Everything that was written is being flushed. */
        void onFlush();

        /** A GOAWAY with an error is about to be written. Nothing more is decoded, and the connection closes soon. */
        void onError(String reason);

        /** The head of a request was over the limit and must be answered with 431. */
        void onHeadTooLarge(Http2Stream stream);
    }

    /**
     * The ids of the last streams that the relay reset. Frames that the client sent before it knew of a reset are not
     * errors.
     */
    private static final class RecentResets {
        private static final int KEPT = 1024;

        private int @Nullable [] ids;
        private int next;

        void add(int id) {
            if (ids == null) {
                ids = new int[KEPT];
            }
            ids[next] = id;
            next = (next + 1) % KEPT;
        }

        boolean contains(int id) {
            if (ids != null) {
                for (int each : ids) {
                    if (each == id) {
                        return true;
                    }
                }
            }
            return false;
        }
    }

    private static final class Builder extends Http2CodecBuilder<Http2Codec> {
        Builder() {
            headerSensitivityDetector((name, value) -> HttpHeaderNames.SET_COOKIE.contentEqualsIgnoreCase(name));
            encoderEnforceMaxRstFramesPerWindow(MADE_RESETS, MADE_RESETS_SECONDS);
            gracefulShutdownTimeoutMillis(GOAWAY_WAIT_MS);
        }

        @Override
        protected Http2Codec build(
                Http2ConnectionDecoder decoder, Http2ConnectionEncoder encoder, Http2Settings initialSettings) {
            return new Http2Codec(decoder, encoder, initialSettings);
        }
    }

    private Http2Codec(Http2ConnectionDecoder decoder, Http2ConnectionEncoder encoder, Http2Settings settings) {
        super(decoder, encoder, settings, true);
    }

    /** Makes a codec with these limits. */
    static Http2Codec of(Limits limits, Http2 http2) {
        var settings = new Http2Settings()
                .maxConcurrentStreams(http2.streams())
                .initialWindowSize(http2.window())
                .maxHeaderListSize(limits.headerBytes());
        var connection = new DefaultHttp2Connection(true);
        connection.remote().flowController(new Http2Windows(connection));
        return new Builder().make(connection, settings, new Http2FrameAdapter());
    }

    /** Sets the listener, before anything is read. */
    void events(Events told) {
        events = told;
    }

    /** The context for writes that bypass the codec. */
    ChannelHandlerContext context() {
        return Objects.requireNonNull(context);
    }

    /** The windows of the client. */
    Http2Windows windows() {
        return (Http2Windows) encoder().flowController();
    }

    /** Whether a read is being decoded, so that more may come at once. */
    boolean isReading() {
        return reading;
    }

    /** Bytes that have been read and not decoded. */
    int bufferedBytes() {
        return actualReadableBytes();
    }

    /** Resets a stream, without a flush. It does not count as a reset by the client. */
    void reset(int id, Http2Error error) {
        resets.add(id);
        resetStream(context(), id, error.code(), context().newPromise());
    }

    /**
     * Sets the window of all request bodies together, without a flush. SETTINGS has no value for this window, so it
     * grows by WINDOW_UPDATE.
     */
    void connectionWindow(int bytes) {
        var windows = (DefaultHttp2LocalFlowController) connection().local().flowController();
        Http2Stream whole = connection().connectionStream();
        try {
            windows.windowUpdateRatio(whole, CONNECTION_UPDATE_RATIO);
            windows.incrementWindowSize(whole, bytes - windows.windowSize(whole));
        } catch (Http2Exception e) {
            throw new IllegalStateException(e); // the value is in the allowed range
        }
    }

    /**
     * Tells the client that no stream above {@code last} is served, without a flush. Netty is not told. Otherwise it
     * would treat the body of a later request as an error of the connection.
     */
    ChannelFuture goAway(int last) {
        return writeGoAway(last, Http2Error.NO_ERROR, Unpooled.EMPTY_BUFFER);
    }

    private ChannelFuture writeGoAway(int last, Http2Error error, ByteBuf reason) {
        ChannelHandlerContext to = context();
        return frameWriter().writeGoAway(to, last, error.code(), reason, to.newPromise());
    }

    /** Closes the connection because of the client's behaviour. */
    void fail(Http2Error error, String message) {
        onError(context(), false, Http2Exception.connectionError(error, message));
    }

    @Override
    public void handlerAdded(ChannelHandlerContext ctx) throws Exception {
        context = ctx;
        super.handlerAdded(ctx);
        openToAll();
    }

    /**
     * Netty closes the connection when it gets the body of a request that it refused. So {@link Http2Requests} refuses
     * requests over the limit.
     */
    void openToAll() {
        connection().remote().maxActiveStreams(Integer.MAX_VALUE);
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object msg) throws Exception {
        if (failed) {
            ReferenceCountUtil.release(msg);
            return;
        }
        reading = true;
        try {
            super.channelRead(ctx, msg);
        } finally {
            reading = false;
        }
    }

    /** Frames behind an error are dropped, also those of the same read. */
    @Override
    protected void decode(ChannelHandlerContext ctx, ByteBuf in, List<Object> out) throws Exception {
        if (failed) {
            in.skipBytes(in.readableBytes());
        } else {
            super.decode(ctx, in, out);
        }
    }

    @Override
    public void flush(ChannelHandlerContext ctx) {
        if (events != null) {
            events.onFlush();
        }
        super.flush(ctx);
    }

    @Override
    protected void onStreamError(
            ChannelHandlerContext ctx, boolean outbound, Throwable cause, Http2Exception.StreamException error) {
        boolean late = error.error() == Http2Error.STREAM_CLOSED
                && connection().stream(error.streamId()) == null
                && resets.contains(error.streamId());
        if (!late) {
            super.onStreamError(ctx, outbound, cause, error);
        }
    }

    /**
     * Netty would close at once. The client may still be sending, and then it would see a reset in place of the GOAWAY
     * that says why.
     */
    @Override
    protected void onConnectionError(
            ChannelHandlerContext ctx, boolean outbound, Throwable cause, @Nullable Http2Exception error) {
        if (failed) {
            return;
        }
        failed = true;
        Http2Error code = error == null ? Http2Error.INTERNAL_ERROR : error.error();
        if (events != null) {
            events.onError(code.name().toLowerCase(Locale.ROOT));
        }
        int last = connection().remote().lastStreamCreated();
        String text = error == null ? null : error.getMessage(); // words of a fault are for the log only
        ByteBuf reason = ByteBufUtil.writeUtf8(ctx.alloc(), text == null ? "" : text);
        Closing.lingering(writeGoAway(last, code, reason), Closing.UPLOAD_MS);
    }

    @Override
    protected void handleServerHeaderDecodeSizeError(ChannelHandlerContext ctx, Http2Stream stream) {
        if (events != null) {
            events.onHeadTooLarge(stream);
        }
    }
}
