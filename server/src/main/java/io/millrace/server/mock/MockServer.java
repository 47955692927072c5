package io.millrace.server.mock;

import io.millrace.server.transport.Transport;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.group.ChannelGroup;
import io.netty.channel.group.DefaultChannelGroup;
import io.netty.handler.codec.http.HttpDecoderConfig;
import io.netty.handler.codec.http.HttpRequestDecoder;
import io.netty.util.concurrent.GlobalEventExecutor;
import java.net.InetSocketAddress;
import java.net.URI;
import java.util.ArrayDeque;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * A fake LLM provider. It answers every request by its path and its {@link MockSpec}; see {@code docs/mock.md}. All
 * methods may be called from any thread.
 */
public final class MockServer implements AutoCloseable {
    private static final int REQUESTS_KEPT = 1024;
    private static final long BYTES_KEPT = 16 << 20;
    private static final int BACKLOG = 4096;
    private static final int MAX_HEAD_BYTES = 256 * 1024;

    private final EventLoopGroup loops;
    private final ChannelGroup channels = new DefaultChannelGroup(GlobalEventExecutor.INSTANCE, true);
    private final MockCounters counters = new MockCounters();
    private final ArrayDeque<MockRequest> requests = new ArrayDeque<>();
    private final boolean tls;
    private final MockRoutes routes;
    private long bytesKept;
    private final InetSocketAddress address;
    private volatile boolean closing;

    private MockServer(MockConfig config) {
        tls = config.ssl() != null;
        routes = new MockRoutes(config.spec(), new Replays(config.replayDir()), counters, this::requests);
        loops = config.transport().newEventLoops(config.eventLoops(), "mock");
        var bound = bootstrap(config).bind(config.host(), config.port()).awaitUninterruptibly();
        if (!bound.isSuccess()) {
            shutDown();
            throw new IllegalStateException(
                    "mock: cannot listen on " + config.host() + ":" + config.port() + ": "
                            + reason(String.valueOf(bound.cause().getMessage())),
                    bound.cause());
        }
        channels.add(bound.channel());
        address = (InetSocketAddress) bound.channel().localAddress();
    }

    /**
     * Binds the address and serves requests.
     *
     * @throws IllegalStateException if the address cannot be bound
     */
    public static MockServer start(MockConfig config) {
        return new MockServer(config);
    }

    /** The bound address. */
    public InetSocketAddress address() {
        return address;
    }

    /** The bound port. */
    public int port() {
        return address.getPort();
    }

    /** The base URL without a path, such as {@code http://127.0.0.1:40123}. */
    public URI uri() {
        String host = address.getAddress().getHostAddress();
        String literal = host.indexOf(':') < 0 ? host : "[" + host + "]";
        return URI.create((tls ? "https://" : "http://") + literal + ":" + port());
    }

    /** The current counts. */
    public MockStats stats() {
        return counters.snapshot();
    }

    /**
     * The last 1,024 requests, oldest first. There are fewer if their bodies exceed 16 MiB together, but always the
     * last one.
     */
    public List<MockRequest> requests() {
        synchronized (requests) {
            return List.copyOf(requests);
        }
    }

    /** Sets the default responses, from the next request on. */
    public void setSpec(MockSpec spec) {
        routes.defaults(spec);
    }

    /** Closes every connection and waits until its threads have ended. */
    @Override
    public void close() {
        closing = true;
        channels.close().awaitUninterruptibly();
        shutDown();
    }

    boolean isClosing() {
        return closing;
    }

    void record(MockRequest request) {
        synchronized (requests) {
            requests.add(request);
            bytesKept += request.body().length;
            while (requests.size() > 1 && (requests.size() > REQUESTS_KEPT || bytesKept > BYTES_KEPT)) {
                bytesKept -= requests.remove().body().length;
            }
        }
    }

    /** The message without the prefix of native transports: {@code bind(..) failed with error(-98): }. */
    private static String reason(String message) {
        return message.substring(message.indexOf("): ") < 0 ? 0 : message.indexOf("): ") + 3);
    }

    private void shutDown() {
        loops.shutdownGracefully(0, 5, TimeUnit.SECONDS).awaitUninterruptibly();
    }

    private ServerBootstrap bootstrap(MockConfig config) {
        return new ServerBootstrap()
                .group(loops)
                .channel(config.transport().serverChannel())
                .option(ChannelOption.SO_BACKLOG, BACKLOG)
                .option(ChannelOption.RECVBUF_ALLOCATOR, Transport.ACCEPTS)
                .option(ChannelOption.SO_REUSEADDR, true)
                .childOption(ChannelOption.TCP_NODELAY, true)
                .childHandler(new ChannelInitializer<Channel>() {
                    @Override
                    protected void initChannel(Channel channel) {
                        channels.add(channel);
                        if (config.ssl() != null) {
                            channel.pipeline().addLast(config.ssl().newHandler(channel.alloc()));
                        }
                        channel.pipeline()
                                .addLast(new HttpRequestDecoder(new HttpDecoderConfig()
                                        .setMaxInitialLineLength(MAX_HEAD_BYTES)
                                        .setMaxHeaderSize(MAX_HEAD_BYTES)))
                                .addLast(new MockConnection(MockServer.this, routes, counters));
                    }
                });
    }
}
