package io.millrace.server.test;

import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.SocketChannel;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.handler.codec.http.DefaultFullHttpResponse;
import io.netty.handler.codec.http.FullHttpRequest;
import io.netty.handler.codec.http.HttpObjectAggregator;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpServerCodec;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http2.AbstractHttp2ConnectionHandlerBuilder;
import io.netty.handler.codec.http2.DefaultHttp2Headers;
import io.netty.handler.codec.http2.Http2ConnectionDecoder;
import io.netty.handler.codec.http2.Http2ConnectionEncoder;
import io.netty.handler.codec.http2.Http2ConnectionHandler;
import io.netty.handler.codec.http2.Http2Error;
import io.netty.handler.codec.http2.Http2FrameAdapter;
import io.netty.handler.codec.http2.Http2Headers;
import io.netty.handler.codec.http2.Http2Settings;
import io.netty.handler.ssl.ApplicationProtocolNames;
import io.netty.handler.ssl.ApplicationProtocolNegotiationHandler;
import io.netty.handler.ssl.SslContext;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/** An upstream over HTTP/2 that the test controls frame by frame, on one event loop. */
public final class Http2Mock implements AutoCloseable {

    /** What becomes of a request that is here as a whole. Called on the event loop. */
    @FunctionalInterface
    public interface Script {
        void serve(Request request) throws Exception;
    }

    /** Before the request's body, in answers over HTTP/1.1. */
    public static final String HTTP_1_1 = "over HTTP/1.1: ";

    private final EventLoopGroup group = new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
    private final Script script;
    private final Http2Settings settings;
    private final Channel listener;
    private final List<Connection> connections = new CopyOnWriteArrayList<>();
    private final List<Request> requests = new CopyOnWriteArrayList<>();
    /** The codes of the streams that the relay took back. */
    private final Map<Request, Long> resets = new ConcurrentHashMap<>();

    private final AtomicInteger open = new AtomicInteger();
    private volatile boolean answersPings = true;
    private final AtomicInteger pings = new AtomicInteger();

    private Http2Mock(SslContext tls, Http2Settings settings, Script script) {
        this.script = script;
        this.settings = settings;
        listener = new ServerBootstrap()
                .group(group)
                .channel(NioServerSocketChannel.class)
                .childHandler(new ChannelInitializer<>() {
                    @Override
                    protected void initChannel(Channel channel) {
                        if (tls == null) {
                            speakHttp2(channel);
                        } else {
                            channel.pipeline().addLast(tls.newHandler(channel.alloc()), new Chosen());
                        }
                        open.incrementAndGet();
                        channel.closeFuture().addListener(closed -> open.decrementAndGet());
                    }
                })
                .bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
                .syncUninterruptibly()
                .channel();
    }

    private void speakHttp2(Channel channel) {
        var connection = new Connection(channel);
        connections.add(connection);
        channel.pipeline().addLast(connection.handler);
    }

    /** In the clear, by prior knowledge. */
    public static Http2Mock start(Script script) {
        return new Http2Mock(null, new Http2Settings(), script);
    }

    /** In the clear, with settings of its own. */
    public static Http2Mock start(Http2Settings settings, Script script) {
        return new Http2Mock(null, settings, script);
    }

    /** Over TLS. A client that does not choose HTTP/2 is answered by {@link #HTTP_1_1}. */
    public static Http2Mock start(SslContext tls, Script script) {
        return new Http2Mock(tls, new Http2Settings(), script);
    }

    public int port() {
        return ((InetSocketAddress) listener.localAddress()).getPort();
    }

    public URI uri() {
        return URI.create("http://127.0.0.1:" + port());
    }

    /** The requests that came as a whole, in their order. */
    public List<Request> requests() {
        return requests;
    }

    public List<Connection> connections() {
        return connections;
    }

    public int openConnections() {
        return open.get();
    }

    /** By what code the relay took {@code request} back; null if it did not. */
    public Long resetOf(Request request) {
        return resets.get(request);
    }

    /** From now on no PING is answered. */
    public void ignorePings() {
        answersPings = false;
    }

    public int pings() {
        return pings.get();
    }

    @Override
    public void close() {
        group.shutdownGracefully(0, 5, TimeUnit.SECONDS).awaitUninterruptibly();
    }

    /** One connection of the relay's. */
    public final class Connection {
        private final Channel channel;
        private final Http2ConnectionHandler handler;
        private final Map<Integer, Request> streams = new ConcurrentHashMap<>();
        private ChannelHandlerContext context;

        private Connection(Channel channel) {
            this.channel = channel;
            handler = new Builder(this).make();
        }

        /** What does it, on the event loop, now if this is called there. */
        public void run(Runnable task) {
            if (channel.eventLoop().inEventLoop()) {
                task.run();
            } else {
                channel.eventLoop().submit(task).syncUninterruptibly();
            }
        }

        /** Tells the relay that no request above {@code last} is served. */
        public void goAway(int last, Http2Error error) {
            run(() -> {
                handler.encoder()
                        .frameWriter()
                        .writeGoAway(context, last, error.code(), Unpooled.EMPTY_BUFFER, context.newPromise());
                context.flush();
            });
        }

        public void settings(Http2Settings changed) {
            run(() -> {
                handler.encoder().writeSettings(context, changed, context.newPromise());
                context.flush();
            });
        }

        /** Sends bytes that are frames, or none. */
        public void raw(ByteBuf bytes) {
            run(() -> context.writeAndFlush(bytes));
        }

        /** Ends the connection without a word. A close with unread bytes would be a reset, which can destroy what was sent. */
        public void close() {
            run(() -> {
                context.flush();
                ((SocketChannel) channel).shutdownOutput();
            });
        }

        /** The bytes that the relay has not yet given back of this connection's window. */
        public int windowLeft() {
            var left = new AtomicInteger();
            run(() -> left.set(handler.encoder()
                    .flowController()
                    .windowSize(handler.connection().connectionStream())));
            return left.get();
        }

        /** The requests whose heads came, whole or not. */
        public List<Request> begun() {
            return List.copyOf(streams.values());
        }

        /** Streams that are not over. */
        public int activeStreams() {
            var active = new AtomicInteger();
            run(() -> active.set(handler.connection().numActiveStreams()));
            return active.get();
        }
    }

    /** One request, and its response. */
    public static final class Request {
        private final Connection connection;
        private final int id;
        private final Http2Headers head;
        private final StringBuilder body = new StringBuilder();

        private Request(Connection connection, int id, Http2Headers head) {
            this.connection = connection;
            this.id = id;
            this.head = head;
        }

        public Connection connection() {
            return connection;
        }

        public int id() {
            return id;
        }

        public Http2Headers head() {
            return head;
        }

        public String body() {
            return body.toString();
        }

        public String path() {
            return head.path().toString();
        }

        /** Sends a head of {@code status} and fields, name by value. */
        public Request head(int status, boolean last, String... fields) {
            var headers = new DefaultHttp2Headers(false).status(String.valueOf(status));
            for (int i = 0; i < fields.length; i += 2) {
                headers.add(fields[i], fields[i + 1]);
            }
            return headers(headers, last);
        }

        public Request headers(Http2Headers headers, boolean last) {
            connection.run(() -> {
                var ctx = connection.context;
                connection.handler.encoder().writeHeaders(ctx, id, headers, 0, last, ctx.newPromise());
                connection.handler.flush(ctx);
            });
            return this;
        }

        /** The head of an event stream. */
        public Request stream() {
            return head(200, false, "content-type", "text/event-stream");
        }

        public Request data(String text) {
            return data(text.getBytes(StandardCharsets.UTF_8), false);
        }

        public Request data(byte[] bytes, boolean last) {
            return data(Unpooled.wrappedBuffer(bytes), last);
        }

        public Request data(ByteBuf bytes, boolean last) {
            connection.run(() -> {
                var ctx = connection.context;
                connection.handler.encoder().writeData(ctx, id, bytes, 0, last, ctx.newPromise());
                connection.handler.flush(ctx);
            });
            return this;
        }

        public Request end() {
            return data(Unpooled.EMPTY_BUFFER, true);
        }

        public void reset(Http2Error error) {
            connection.run(() -> {
                var ctx = connection.context;
                connection.handler.resetStream(ctx, id, error.code(), ctx.newPromise());
                connection.handler.flush(ctx);
            });
        }
    }

    /** Waits for what ALPN chooses. */
    private final class Chosen extends ApplicationProtocolNegotiationHandler {
        Chosen() {
            super(ApplicationProtocolNames.HTTP_1_1);
        }

        @Override
        protected void configurePipeline(ChannelHandlerContext ctx, String protocol) {
            if (protocol.equals(ApplicationProtocolNames.HTTP_2)) {
                speakHttp2(ctx.channel());
            } else {
                ctx.pipeline().addLast(new HttpServerCodec(), new HttpObjectAggregator(1 << 20), new OldRequests());
            }
        }
    }

    /** Answers each request over HTTP/1.1 with its body. */
    private static final class OldRequests extends SimpleChannelInboundHandler<FullHttpRequest> {
        @Override
        protected void channelRead0(ChannelHandlerContext ctx, FullHttpRequest request) {
            byte[] text =
                    (HTTP_1_1 + request.content().toString(StandardCharsets.UTF_8)).getBytes(StandardCharsets.UTF_8);
            var response = new DefaultFullHttpResponse(
                    HttpVersion.HTTP_1_1, HttpResponseStatus.OK, Unpooled.wrappedBuffer(text));
            response.headers().set("content-type", "text/plain").set("content-length", text.length);
            ctx.writeAndFlush(response);
        }
    }

    private final class Frames extends Http2FrameAdapter {
        private final Connection connection;

        Frames(Connection connection) {
            this.connection = connection;
        }

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
            var request = new Request(connection, id, headers);
            connection.streams.put(id, request);
            if (last) {
                serve(request);
            }
        }

        @Override
        public int onDataRead(ChannelHandlerContext ctx, int id, ByteBuf data, int padding, boolean last) {
            Request request = connection.streams.get(id);
            request.body.append(data.toString(StandardCharsets.UTF_8));
            int length = data.readableBytes() + padding;
            if (last) {
                serve(request);
            }
            return length;
        }

        private void serve(Request request) {
            requests.add(request);
            try {
                script.serve(request);
            } catch (Exception e) {
                throw new IllegalStateException(e);
            }
        }

        @Override
        public void onRstStreamRead(ChannelHandlerContext ctx, int id, long code) {
            resets.put(connection.streams.get(id), code);
        }

        @Override
        public void onPingRead(ChannelHandlerContext ctx, long data) {
            pings.incrementAndGet();
            if (answersPings) {
                connection.handler.encoder().writePing(ctx, true, data, ctx.newPromise());
            }
        }
    }

    private final class Builder extends AbstractHttp2ConnectionHandlerBuilder<Http2ConnectionHandler, Builder> {
        private final Connection connection;

        Builder(Connection connection) {
            this.connection = connection;
            server(true);
            initialSettings(settings);
            autoAckPingFrame(false);
            decoupleCloseAndGoAway(true);
            validateHeaders(false);
            decoderEnforceMaxRstFramesPerWindow(0, 0);
            encoderEnforceMaxRstFramesPerWindow(0, 0);
            frameListener(new Frames(connection));
        }

        Http2ConnectionHandler make() {
            return build();
        }

        @Override
        protected Http2ConnectionHandler build(
                Http2ConnectionDecoder decoder, Http2ConnectionEncoder encoder, Http2Settings initial) {
            return new Http2ConnectionHandler(decoder, encoder, initial) {
                @Override
                public void handlerAdded(ChannelHandlerContext ctx) throws Exception {
                    connection.context = ctx;
                    super.handlerAdded(ctx);
                    // What the relay sends is not held back, unless a test says so.
                    if (initial.initialWindowSize() == null) {
                        decoder.flowController()
                                .incrementWindowSize(connection().connectionStream(), 1 << 24);
                    }
                }
            };
        }
    }
}
