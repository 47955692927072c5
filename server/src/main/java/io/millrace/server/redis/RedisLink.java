package io.millrace.server.redis;

import io.lettuce.core.ClientOptions;
import io.lettuce.core.RedisCommandExecutionException;
import io.lettuce.core.RedisCredentials;
import io.lettuce.core.RedisCredentialsProvider;
import io.lettuce.core.RedisURI;
import io.lettuce.core.TimeoutOptions;
import io.lettuce.core.api.StatefulRedisConnection;
import io.lettuce.core.codec.RedisCodec;
import io.lettuce.core.codec.StringCodec;
import io.lettuce.core.metrics.CommandLatencyRecorder;
import io.lettuce.core.protocol.ProtocolVersion;
import io.lettuce.core.pubsub.RedisPubSubAdapter;
import io.lettuce.core.pubsub.StatefulRedisPubSubConnection;
import io.lettuce.core.resource.ClientResources;
import io.lettuce.core.resource.DefaultClientResources;
import io.lettuce.core.resource.NettyCustomizer;
import io.millrace.server.config.RedisSettings;
import io.millrace.server.tls.UpstreamTls;
import io.millrace.server.transport.Transport;
import io.netty.bootstrap.Bootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFactory;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoop;
import io.netty.channel.ReflectiveChannelFactory;
import io.netty.handler.ssl.SslContext;
import io.netty.resolver.AddressResolverGroup;
import io.netty.util.HashedWheelTimer;
import io.netty.util.ReferenceCountUtil;
import io.netty.util.Timer;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;

/**
 * A connection to a Redis server, on one event loop of the relay. When it is lost, the link opens another one, until it
 * is closed. Commands that were sent on a lost connection are not sent again. Confined to the event loop, except for
 * {@link #open}, {@link #close} and {@link #release}.
 */
final class RedisLink {
    /** The limit for opening the connection, and again for the greeting with the password. */
    private static final Duration CONNECT = Duration.ofSeconds(1);

    private static final long AGAIN_MS = 500;
    /** Begins a reason that is an answer of the server. */
    static final String REFUSED = "it answers ";

    /** Messages may have bytes of streams. */
    private static final RedisCodec<String, String> MESSAGES =
            RedisCodec.of(StringCodec.UTF8, new StringCodec(StandardCharsets.ISO_8859_1));

    private final EventLoop loop;
    private final Listener listener;
    private final RedisURI uri;
    private final @Nullable SslContext tls;
    private final RelayRedisClient client;
    private final ClientResources resources;
    /** Null if the link does not listen to a channel. */
    private @Nullable String channel;

    private Consumer<String> onMessage = message -> {};
    private @Nullable StatefulRedisConnection<String, String> connection;
    /** The handler of {@link #last}. */
    private RedisCommands commands = new RedisCommands(this::reset);

    /** The channel of the connection, or of the attempt to open one. */
    private @Nullable Channel last;

    private volatile boolean closed;

    /** Receives the state of the connection, on the event loop. */
    interface Listener {
        /** Commands can be sent. */
        void onConnected();

        /** There is no connection, because of {@code reason}. The link tries again. */
        void onLost(String reason);
    }

    /**
     * A link that is not open yet.
     *
     * @param timer for limits of Lettuce's; it may be that of several links
     * @throws IllegalArgumentException if TLS cannot be set up
     */
    RedisLink(
            RedisSettings settings,
            Transport transport,
            EventLoop loop,
            AddressResolverGroup<InetSocketAddress> names,
            Timer timer,
            Listener listener) {
        this.loop = loop;
        this.listener = listener;
        tls = tls(settings);
        resources = DefaultClientResources.builder()
                .eventLoopGroupProvider(new LoopResources(loop))
                .eventExecutorGroup(loop)
                .timer(timer)
                .addressResolverGroup(names)
                .commandLatencyRecorder(CommandLatencyRecorder.disabled())
                .nettyCustomizer(new NettyCustomizer() {
                    @Override
                    public void afterChannelInitialized(Channel channel) {
                        onChannel(channel, settings);
                    }
                })
                .build();
        uri = uri(settings);
        client = new RelayRedisClient(
                resources, uri, address(settings, transport), () -> bootstrap(settings, transport, names));
        client.setOptions(ClientOptions.builder()
                .autoReconnect(false)
                .disconnectedBehavior(ClientOptions.DisconnectedBehavior.REJECT_COMMANDS)
                .protocolVersion(ProtocolVersion.RESP2)
                // Those who send commands watch for silence. A timer for each command would cost more than the command.
                .timeoutOptions(TimeoutOptions.builder().timeoutCommands(false).build())
                .build());
    }

    /** A timer for links. Its creator must stop it, and not on an event loop. */
    static Timer newTimer() {
        return new HashedWheelTimer(new DefaultThreadFactory("millrace-redis-timer", true), 100, TimeUnit.MILLISECONDS);
    }

    /**
     * Makes the link listen to this channel. It then sends no commands. Must be called before {@link #open}. {@code told}
     * receives messages whose characters are their bytes.
     */
    void listenTo(String itsChannel, Consumer<String> told) {
        channel = itsChannel;
        onMessage = told;
    }

    private static RedisURI uri(RedisSettings settings) {
        boolean socket = settings.socket() != null;
        var builder = RedisURI.Builder.redis(socket ? "localhost" : settings.host(), socket ? 1 : settings.port())
                .withDatabase(settings.database())
                .withTimeout(CONNECT);
        RedisURI uri = builder.build();
        var password = settings.password();
        if (password != null) {
            String user = settings.user().isEmpty() ? null : settings.user();
            uri.setCredentialsProvider(
                    RedisCredentialsProvider.from(() -> RedisCredentials.just(user, password.reveal())));
        }
        return uri;
    }

    private static SocketAddress address(RedisSettings settings, Transport transport) {
        Path socket = settings.socket();
        return socket == null
                ? InetSocketAddress.createUnresolved(settings.host(), settings.port())
                : transport.unixAddress(socket);
    }

    private static @Nullable SslContext tls(RedisSettings settings) {
        try {
            return settings.tls() ? UpstreamTls.context(settings.ca()) : null;
        } catch (SSLException e) {
            throw new IllegalArgumentException("redis: TLS cannot be set up: " + e.getMessage(), e);
        }
    }

    private Bootstrap bootstrap(
            RedisSettings settings, Transport transport, AddressResolverGroup<InetSocketAddress> names) {
        ChannelFactory<Channel> channels = settings.socket() == null
                ? new ReflectiveChannelFactory<Channel>(transport.clientChannel())
                : transport::newUnixChannel;
        var bootstrap = new Bootstrap()
                .group(loop)
                .channelFactory(channels)
                .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, (int) CONNECT.toMillis());
        if (settings.socket() == null) {
            bootstrap.resolver(names).option(ChannelOption.TCP_NODELAY, true);
            transport.watchPeer(bootstrap);
        }
        return bootstrap;
    }

    private void onChannel(Channel its, RedisSettings settings) {
        if (channel == null) {
            commands = new RedisCommands(this::reset);
            its.pipeline().addFirst(commands);
        }
        if (tls != null) {
            its.pipeline().addFirst(UpstreamTls.handler(settings.host(), settings.port(), tls, its.alloc()));
        }
        last = its;
        its.closeFuture().addListener(over -> onClosed(its));
    }

    private void onClosed(Channel its) {
        if (its == last) {
            reset("the connection was closed");
        }
    }

    /** Begins to connect. May be called once. */
    void open() {
        if (channel == null) {
            client.connectAsync(StringCodec.UTF8, uri)
                    .whenComplete((opened, failure) -> loop.execute(() -> onOpened(opened, failure)));
        } else {
            String its = channel;
            client.connectPubSubAsync(MESSAGES, uri)
                    .whenComplete((opened, failure) -> loop.execute(() -> {
                        if (opened != null) {
                            listen(opened, its);
                        }
                        onOpened(opened, failure);
                    }));
        }
    }

    private void listen(StatefulRedisPubSubConnection<String, String> opened, String its) {
        opened.addListener(new RedisPubSubAdapter<>() {
            @Override
            public void message(String from, String message) {
                onMessage.accept(message);
            }
        });
        opened.async().subscribe(its).whenComplete((nothing, failure) -> {
            if (failure != null) {
                reset(reason(failure));
            }
        });
    }

    private void onOpened(@Nullable StatefulRedisConnection<String, String> opened, @Nullable Throwable failure) {
        if (opened == null) {
            lost(reason(failure));
        } else if (closed) {
            opened.closeAsync();
        } else if (!opened.isOpen()) {
            // It was closed before it could be used, so that onClosed has found no connection.
            opened.closeAsync();
            lost("the connection was closed");
        } else {
            connection = opened;
            commands.begin();
            listener.onConnected();
        }
    }

    /** Whether commands can be sent. */
    boolean isConnected() {
        return connection != null && connection.isOpen();
    }

    /**
     * Sends a command with the others of this turn of the event loop. The link must be {@linkplain #isConnected connected}.
     *
     * @param told called on the event loop with the answer or the refusal; not called if the connection is lost first
     * @param words the command's name, then texts, numbers, {@code byte[]} and {@link StoreLink.Content}
     */
    void call(BiConsumer<@Nullable Object, @Nullable String> told, Object... words) {
        StatefulRedisConnection<String, String> its = connection;
        if (its == null) {
            return;
        }
        boolean first = commands.write(
                (answer, refusal) -> {
                    if (connection == its) {
                        told.accept(answer, refusal);
                    }
                },
                words);
        if (first) {
            loop.execute(this::flush);
        }
    }

    /** Sends the commands that wait. */
    void flush() {
        commands.flush();
    }

    /** Closes the connection and opens another. */
    void reset(String reason) {
        StatefulRedisConnection<String, String> its = connection;
        if (its != null) {
            connection = null;
            its.closeAsync();
            lost(reason);
        }
    }

    private void lost(String reason) {
        if (!closed) {
            long waitMs = AGAIN_MS + ThreadLocalRandom.current().nextLong(AGAIN_MS / 2);
            loop.schedule(this::again, waitMs, TimeUnit.MILLISECONDS);
            listener.onLost(reason);
        }
    }

    private void again() {
        if (!closed) {
            open();
        }
    }

    /** Closes the link. May be called by any thread. */
    void close() {
        closed = true;
        loop.execute(() -> {
            flush();
            connection = null;
            client.shutdownAsync(0, 0, TimeUnit.MILLISECONDS);
            resources.shutdown(0, 0, TimeUnit.MILLISECONDS);
        });
    }

    /** Frees the memory that TLS has outside the heap. May be called once, after the event loop has ended. */
    void release() {
        ReferenceCountUtil.release(tls);
    }

    /** The reason of a failure to connect. Answers of Redis do not contain the password. */
    static String reason(@Nullable Throwable failure) {
        Throwable cause = failure;
        while (cause != null && !(cause instanceof RedisCommandExecutionException) && cause.getCause() != null) {
            cause = cause.getCause();
        }
        if (cause == null) {
            return "no connection";
        }
        String message = String.valueOf(cause.getMessage());
        return cause instanceof RedisCommandExecutionException ? refused(message) : message;
    }

    /** The reason that a refusal is. */
    static String refused(String answer) {
        return REFUSED + answer.replaceFirst("\\. script: .*", ".");
    }
}
