package io.millrace.bench.stream;

import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.handler.codec.http2.Http2ConnectionAdapter;
import io.netty.handler.codec.http2.Http2Exception;
import io.netty.handler.codec.http2.Http2FrameCodec;
import io.netty.handler.codec.http2.Http2FrameCodecBuilder;
import io.netty.handler.codec.http2.Http2GoAwayFrame;
import io.netty.handler.codec.http2.Http2MultiplexHandler;
import io.netty.handler.codec.http2.Http2Settings;
import io.netty.handler.codec.http2.Http2SettingsFrame;
import io.netty.handler.codec.http2.Http2Stream;
import io.netty.handler.codec.http2.Http2StreamChannel;
import io.netty.handler.codec.http2.Http2StreamChannelBootstrap;
import io.netty.util.ReferenceCountUtil;
import io.netty.util.concurrent.Future;
import io.netty.util.concurrent.Promise;
import java.net.ConnectException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The HTTP/2 connections of a lane: a fixed number, over which its streams are spread evenly. If all of them have as many
 * streams as the server allows, further streams wait. A connection that the server ends is replaced. Lives on the lane's
 * event loop.
 */
final class Http2Connections {
    /** So much that the flow control of this client holds back neither a stream nor a connection. */
    private static final int STREAM_WINDOW = 1 << 20;

    private static final int CONNECTION_WINDOW = 1 << 26;

    private final Lane lane;
    private final int most;
    private final List<Connection> open = new ArrayList<>();
    private final ArrayDeque<StreamSample> waiting = new ArrayDeque<>();

    /** @param most how many connections there are when all are open */
    Http2Connections(Lane lane, int most) {
        this.lane = lane;
        this.most = most;
    }

    /** Adds what speaks HTTP/2 to a connection. */
    static void init(Channel channel) {
        var settings = Http2Settings.defaultSettings().pushEnabled(false).initialWindowSize(STREAM_WINDOW);
        channel.pipeline()
                .addLast(Http2FrameCodecBuilder.forClient()
                        .initialSettings(settings)
                        .gracefulShutdownTimeoutMillis(0)
                        .build())
                .addLast(new Http2MultiplexHandler(new ChannelInitializer<>() {
                    @Override
                    protected void initChannel(Channel pushed) {
                        pushed.close();
                    }
                }))
                .addLast(new Connection(channel));
    }

    /** Open connections. */
    int size() {
        return open.size();
    }

    /** Streams that wait for a connection that can have one more. */
    int waiting() {
        return waiting.size();
    }

    /** Takes a stream that waits; null if there is none. */
    @Nullable
    StreamSample poll() {
        return waiting.poll();
    }

    /** Begins a stream as soon as a connection can have it. */
    void begin(StreamSample stream) {
        var least = open.stream()
                .filter(Connection::canOpen)
                .min(Comparator.comparingInt(connection -> connection.active))
                .orElse(null);
        long staying = open.stream().filter(connection -> !connection.leaving).count();
        boolean grows = staying + lane.connecting() < most;
        if (grows && (least == null || least.active > 0)) {
            lane.connect(stream);
        } else if (least != null) {
            begin(stream, least);
        } else {
            if (stream.waitsSinceNs == 0 && lane.connecting() == 0) {
                stream.waitsSinceNs = System.nanoTime();
            }
            waiting.add(stream);
        }
    }

    /** Begins streams that wait, as far as there is room. */
    void proceed() {
        for (int left = waiting.size(); left > 0 && !waiting.isEmpty(); left--) {
            begin(waiting.remove());
        }
    }

    private void begin(StreamSample stream, Connection connection) {
        connection.active++;
        lane.observer()
                .onPlace(stream.waitsSinceNs == 0 ? 0 : System.nanoTime() - stream.waitsSinceNs, stream.counts());
        new Http2StreamChannelBootstrap(connection.channel)
                .handler(new ChannelInitializer<Channel>() {
                    @Override
                    protected void initChannel(Channel channel) {
                        channel.pipeline().addLast(lane.newWire(channel, connection.channel));
                    }
                })
                .open()
                .addListener((Future<Http2StreamChannel> opened) -> {
                    if (opened.isSuccess()) {
                        lane.send(opened.getNow().pipeline().get(Wire.class), stream);
                    } else {
                        connection.active--;
                        lane.endUnsent(stream, Outcome.CONNECT, "no stream of HTTP/2");
                    }
                });
    }

    /** Waits for the server's settings, which say how many streams a connection can have. */
    Future<Void> ready(Channel channel) {
        var connection = channel.pipeline().get(Connection.class);
        if (connection == null || !channel.isActive()) {
            return channel.eventLoop().newFailedFuture(new ConnectException("closed at once"));
        }
        connection.ready.addListener(settings -> {
            if (settings.isSuccess()) {
                open.add(connection);
                connection.whenLeaving = this::proceed;
                connection.whenStreamCloses(() -> {
                    if (!waiting.isEmpty()) {
                        channel.eventLoop().execute(this::proceed);
                    }
                });
                channel.closeFuture().addListener(closed -> {
                    open.remove(connection);
                    proceed();
                });
            }
        });
        return connection.ready;
    }

    /** A stream has ended. */
    void release(Channel stream) {
        for (var connection : open) {
            if (connection.channel == stream.parent()) {
                connection.active--;
            }
        }
        proceed();
    }

    void close() {
        List.copyOf(open).forEach(connection -> connection.channel.close());
    }

    /** One connection. */
    private static final class Connection extends ChannelInboundHandlerAdapter {
        final Channel channel;
        final Promise<Void> ready;
        int active;
        /** Whether the server has said that it takes no more streams. */
        boolean leaving;

        Runnable whenLeaving = () -> {};

        Connection(Channel channel) {
            this.channel = channel;
            ready = channel.eventLoop().newPromise();
        }

        /** A stream that ends has its place until its end has been read. */
        void whenStreamCloses(Runnable task) {
            channel.pipeline().get(Http2FrameCodec.class).connection().addListener(new Http2ConnectionAdapter() {
                @Override
                public void onStreamClosed(Http2Stream stream) {
                    task.run();
                }
            });
        }

        boolean canOpen() {
            var codec = channel.pipeline().get(Http2FrameCodec.class);
            return channel.isActive() && !leaving && codec.connection().local().canOpenStream();
        }

        @Override
        public void channelRead(ChannelHandlerContext ctx, Object message) throws Http2Exception {
            if (message instanceof Http2SettingsFrame && !ready.isDone()) {
                var local = ctx.pipeline().get(Http2FrameCodec.class).connection();
                local.local().flowController().incrementWindowSize(local.connectionStream(), CONNECTION_WINDOW);
                ready.setSuccess(null);
            } else if (message instanceof Http2GoAwayFrame) {
                leaving = true;
                whenLeaving.run();
            }
            ReferenceCountUtil.release(message);
        }

        @Override
        public void channelInactive(ChannelHandlerContext ctx) {
            ready.tryFailure(new ConnectException("no HTTP/2"));
            ctx.fireChannelInactive();
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
            ready.tryFailure(new ConnectException("no HTTP/2"));
            ctx.close();
        }
    }
}
