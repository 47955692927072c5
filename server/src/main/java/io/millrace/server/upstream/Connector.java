package io.millrace.server.upstream;

import io.millrace.server.memory.LoopMemory;
import io.millrace.server.timing.Sweeper;
import io.millrace.server.transport.Transport;
import io.netty.bootstrap.Bootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelException;
import io.netty.channel.ChannelFactory;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.ConnectTimeoutException;
import io.netty.channel.EventLoop;
import io.netty.channel.RecvByteBufAllocator;
import io.netty.channel.ReflectiveChannelFactory;
import io.netty.handler.ssl.SslHandler;
import io.netty.handler.ssl.SslHandshakeTimeoutException;
import io.netty.resolver.AddressResolverGroup;
import io.netty.resolver.dns.DnsAddressResolverGroup;
import io.netty.resolver.dns.DnsNameResolverBuilder;
import io.netty.util.NetUtil;
import io.netty.util.concurrent.Future;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.UnknownHostException;
import java.nio.channels.ClosedChannelException;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.List;
import java.util.function.BiConsumer;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;

/**
 * Opens connections to upstreams. It resolves the name without blocking, then tries each of its addresses in turn
 * until one answers and completes the TLS handshake. {@link Handlers} makes the pipeline of the connection.
 */
public final class Connector implements AutoCloseable {
    /** How long the answer of a name server is cached. */
    static final int MOST_TTL_S = 4;

    private static final byte[] LOCALHOST6 = NetUtil.LOCALHOST6.getAddress();

    /**
     * After one read of up to 64 KiB the other connections have their turn. So no stream slows another, and what was
     * read is written while it is still in the processor's cache.
     */
    private static final RecvByteBufAllocator READS = LoopMemory.reads(512, 2048, 64 * 1024);

    private final Transport transport;
    private final AddressResolverGroup<InetSocketAddress> resolvers;
    private final ChannelFactory<Channel> channels;

    public Connector(Transport transport) {
        this(
                transport,
                new DnsAddressResolverGroup(new DnsNameResolverBuilder()
                        .datagramChannelType(transport.datagramChannel())
                        .ttl(1, MOST_TTL_S)
                        .negativeTtl(1)));
    }

    Connector(Transport transport, AddressResolverGroup<InetSocketAddress> resolvers) {
        this(transport, resolvers, new ReflectiveChannelFactory<>(transport.clientChannel()));
    }

    Connector(
            Transport transport, AddressResolverGroup<InetSocketAddress> resolvers, ChannelFactory<Channel> channels) {
        this.transport = transport;
        this.resolvers = resolvers;
        this.channels = channels;
    }

    /** The connections of the event loop of {@code sweeper}. */
    public Upstreams upstreams(Sweeper sweeper, Upstreams.Listener listener) {
        return new UpstreamPools(this, sweeper, listener);
    }

    /** Resolves names without blocking. */
    public AddressResolverGroup<InetSocketAddress> names() {
        return resolvers;
    }

    /** Frees the name resolvers. To be called once, when no loop runs any more. */
    @Override
    public void close() {
        resolvers.close();
    }

    /**
     * Opens a connection for {@code pool}, or reports why it could not. Calls back on the event loop, perhaps before
     * this returns.
     */
    void connect(UpstreamPool pool, EventLoop loop, BiConsumer<UpstreamConnection, ConnectFailure> outcome) {
        Path socket = pool.origin().socket();
        if (socket != null) {
            var only = List.of(transport.unixAddress(socket));
            new Attempt(pool, loop, outcome, only.iterator()).next();
            return;
        }
        resolve(pool.origin(), loop, (addresses, failure) -> {
            if (failure == null) {
                new Attempt(pool, loop, outcome, addresses.iterator()).next();
            } else {
                outcome.accept(null, failure);
            }
        });
    }

    /**
     * Resolves the addresses of {@code origin}, or reports why it could not. Calls back on the event loop, perhaps
     * before this returns.
     */
    void resolve(Origin origin, EventLoop loop, BiConsumer<List<InetSocketAddress>, ConnectFailure> outcome) {
        List<InetSocketAddress> known = known(origin);
        if (known != null) {
            outcome.accept(known, null);
            return;
        }
        var address = InetSocketAddress.createUnresolved(origin.host(), origin.port());
        Future<List<InetSocketAddress>> resolution;
        try {
            resolution = resolvers.getResolver(loop).resolveAll(address);
        } catch (RuntimeException e) {
            outcome.accept(null, ConnectFailure.ofOwn(origin, e));
            return;
        }
        resolution.addListener(done -> onLoop(loop, () -> {
            if (resolution.isSuccess()) {
                outcome.accept(resolution.getNow(), null);
            } else if (isOwn(resolution.cause())) {
                outcome.accept(null, ConnectFailure.ofOwn(origin, resolution.cause()));
            } else {
                // The name of the host is in the cause, for the log only.
                String detail = "cannot connect to " + origin.name() + ": the name of its host does not resolve";
                outcome.accept(null, ConnectFailure.of(detail, resolution.cause()));
            }
        }));
    }

    /**
     * Addresses that need no name server: those in the URL itself, and those of this machine (RFC 6761, section 6.3).
     */
    private static @Nullable List<InetSocketAddress> known(Origin origin) {
        String host = origin.host();
        if (host.equalsIgnoreCase("localhost")) {
            return List.of(resolved(NetUtil.LOCALHOST4.getAddress(), origin), resolved(LOCALHOST6, origin));
        }
        boolean literal = NetUtil.isValidIpV4Address(host) || NetUtil.isValidIpV6Address(host);
        return literal ? List.of(resolved(NetUtil.createByteArrayFromIpAddressString(host), origin)) : null;
    }

    private static InetSocketAddress resolved(byte[] address, Origin origin) {
        try {
            return new InetSocketAddress(InetAddress.getByAddress(address), origin.port());
        } catch (UnknownHostException e) {
            throw new IllegalArgumentException(e);
        }
    }

    /** Netty reports a failure before a channel is registered on a thread of its own. */
    private static void onLoop(EventLoop loop, Runnable task) {
        if (loop.inEventLoop()) {
            task.run();
        } else {
            loop.execute(task);
        }
    }

    /** Whether this process is at fault, because it could not make a channel. Mostly it has no descriptor left. */
    private static boolean isOwn(Throwable failure) {
        for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
            if (cause instanceof ChannelException) {
                return true;
            }
        }
        return false;
    }

    /** Tries an upstream's addresses one after the other. */
    private final class Attempt {
        private final UpstreamPool pool;
        private final Origin origin;
        private final EventLoop loop;
        private final BiConsumer<UpstreamConnection, ConnectFailure> outcome;

        private final Iterator<? extends SocketAddress> addresses;
        /** The failure so far that explains the most. */
        private @Nullable Throwable failure;

        Attempt(
                UpstreamPool pool,
                EventLoop loop,
                BiConsumer<UpstreamConnection, ConnectFailure> outcome,
                Iterator<? extends SocketAddress> addresses) {
            this.pool = pool;
            origin = pool.origin();
            this.loop = loop;
            this.outcome = outcome;
            this.addresses = addresses;
        }

        void next() {
            if (!addresses.hasNext()) {
                outcome.accept(null, failure());
                return;
            }
            Channel made;
            try {
                // Not with the bootstrap, which would report a failure on a thread of Netty's own.
                made = origin.socket() == null ? channels.newChannel() : transport.newUnixChannel();
            } catch (ChannelException e) {
                outcome.accept(null, ConnectFailure.ofOwn(origin, e));
                return;
            }
            connect(made, addresses.next());
        }

        private void connect(Channel made, SocketAddress address) {
            var bootstrap = new Bootstrap()
                    .group(loop)
                    .channelFactory(() -> made)
                    .option(ChannelOption.AUTO_CLOSE, false)
                    .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, origin.connectTimeoutMs())
                    .option(ChannelOption.RECVBUF_ALLOCATOR, READS)
                    .handler(new ChannelInitializer<Channel>() {
                        @Override
                        protected void initChannel(Channel channel) {
                            Handlers.begin(channel, pool);
                        }
                    });
            if (origin.socket() == null) {
                bootstrap.option(ChannelOption.TCP_NODELAY, true);
                transport.watchPeer(bootstrap);
            }
            long startNs = System.nanoTime();
            // Both calls happen in one turn of the loop, because the kernel reports a socket that is not connected as
            // hung up.
            bootstrap.register().addListener((ChannelFuture registered) -> {
                ChannelFuture connect =
                        registered.isSuccess() ? registered.channel().connect(address) : registered;
                connect.addListener(done -> onLoop(loop, () -> onConnected(connect, startNs)));
            });
        }

        private void onConnected(ChannelFuture connect, long startNs) {
            long roundTripNs = System.nanoTime() - startNs;
            if (isOwn(connect.cause())) {
                outcome.accept(null, ConnectFailure.ofOwn(origin, connect.cause()));
            } else if (!connect.isSuccess()) {
                failed(connect.cause());
            } else if (origin.tls() == null) {
                ready(connect.channel(), roundTripNs);
            } else {
                afterHandshake(connect.channel(), roundTripNs);
            }
        }

        private void failed(Throwable cause) {
            if (failure == null || weight(cause) >= weight(failure)) {
                failure = cause;
            }
            next();
        }

        /** A missing route to one address explains less than a failure at another address. */
        private static int weight(Throwable cause) {
            if (cause instanceof SSLException) {
                return 3;
            }
            return cause instanceof ConnectTimeoutException ? 2 : isRefusal(cause) ? 1 : 0;
        }

        private static boolean isRefusal(Throwable cause) {
            return cause.getMessage() != null && cause.getMessage().contains("refused");
        }

        private void afterHandshake(Channel channel, long roundTripNs) {
            SslHandler tls = channel.pipeline().get(SslHandler.class);
            if (tls == null) {
                failed(new ClosedChannelException());
                return;
            }
            tls.handshakeFuture().addListener((Future<Channel> handshake) -> {
                if (handshake.isSuccess()) {
                    ready(channel, roundTripNs);
                } else {
                    channel.close();
                    failed(handshake.cause());
                }
            });
        }

        private void ready(Channel channel, long roundTripNs) {
            if (!channel.isActive()) {
                failed(new ClosedChannelException());
                return;
            }
            UpstreamConnection connection;
            try {
                connection = Handlers.complete(channel, pool, roundTripNs);
            } catch (Handlers.NoHttp2Exception e) {
                channel.close();
                failed(e);
                return;
            }
            outcome.accept(connection, null);
        }

        private ConnectFailure failure() {
            String detail = "cannot connect to " + origin.name() + ": " + reason();
            boolean timeout =
                    failure instanceof ConnectTimeoutException || failure instanceof SslHandshakeTimeoutException;
            return timeout ? ConnectFailure.ofTimeout(detail, failure) : ConnectFailure.of(detail, failure);
        }

        /** The message without addresses, which are for the log only. */
        private String reason() {
            if (failure == null) {
                return "no address";
            }
            if (failure instanceof SslHandshakeTimeoutException) {
                return "TLS handshake timed out";
            }
            if (failure instanceof ConnectTimeoutException) {
                return "connection timed out";
            }
            if (failure instanceof Handlers.NoHttp2Exception) {
                return "no HTTP/2 by ALPN";
            }
            if (failure instanceof SSLException) {
                return "TLS handshake failed";
            }
            return isRefusal(failure) ? "connection refused" : "no connection";
        }
    }
}
