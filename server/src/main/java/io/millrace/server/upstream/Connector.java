package io.millrace.server.upstream;

import io.millrace.server.Transport;
import io.millrace.server.memory.ShortReads;
import io.millrace.server.upstream.UpstreamPool.ConnectFailure;
import io.millrace.server.upstream.UpstreamPool.Waiter;
import io.netty.bootstrap.Bootstrap;
import io.netty.channel.AdaptiveRecvByteBufAllocator;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.ConnectTimeoutException;
import io.netty.channel.EventLoop;
import io.netty.channel.RecvByteBufAllocator;
import io.netty.handler.codec.http.HttpDecoderConfig;
import io.netty.handler.codec.http.HttpRequestEncoder;
import io.netty.handler.ssl.SslHandler;
import io.netty.handler.ssl.SslHandshakeTimeoutException;
import io.netty.resolver.AddressResolverGroup;
import io.netty.resolver.dns.DnsAddressResolverGroup;
import io.netty.resolver.dns.DnsNameResolverBuilder;
import io.netty.util.NetUtil;
import io.netty.util.concurrent.Future;
import java.net.InetSocketAddress;
import java.nio.channels.ClosedChannelException;
import java.util.Iterator;
import java.util.List;

/**
 * Opens connections to upstreams: resolves the name without blocking, then tries each of its addresses in turn until one
 * answers, TLS handshake included. The pipeline of such a connection:
 *
 * <ol>
 *   <li>{@link SslHandler}, for an origin with TLS
 *   <li>{@link ResponseDecoder}: bytes to response heads and plain bodies; the bytes of event streams pass it by
 *   <li>{@link HttpRequestEncoder}, which requests that are here as a whole pass by
 *   <li>{@link UpstreamConnection}
 * </ol>
 */
public final class Connector implements AutoCloseable {
    private static final int MAX_HEAD_BYTES = 64 * 1024;
    private static final int MAX_STATUS_LINE = 8 * 1024;

    /**
     * One read, up to 64 KiB, then the other connections have their turn: no stream slows another, and what was read is
     * written while the processor's cache still holds it.
     */
    private static final RecvByteBufAllocator READS =
            new ShortReads(new AdaptiveRecvByteBufAllocator(512, 2048, 64 * 1024).maxMessagesPerRead(1));

    private final Transport transport;
    private final AddressResolverGroup<InetSocketAddress> resolvers;

    public Connector(Transport transport) {
        this(
                transport,
                new DnsAddressResolverGroup(new DnsNameResolverBuilder()
                        .datagramChannelType(transport.datagramChannel())
                        .ttl(1, 30)
                        .negativeTtl(1)));
    }

    Connector(Transport transport, AddressResolverGroup<InetSocketAddress> resolvers) {
        this.transport = transport;
        this.resolvers = resolvers;
    }

    @Override
    public void close() {
        resolvers.close();
    }

    void connect(UpstreamPool pool, EventLoop loop, Waiter waiter) {
        Origin origin = pool.origin();
        var address = InetSocketAddress.createUnresolved(origin.host(), origin.port());
        if (NetUtil.isValidIpV4Address(origin.host()) || NetUtil.isValidIpV6Address(origin.host())) {
            byte[] literal = NetUtil.createByteArrayFromIpAddressString(origin.host());
            new Attempt(pool, loop, waiter)
                    .next(List.of(resolved(literal, origin.port())).iterator(), null);
            return;
        }
        resolvers.getResolver(loop).resolveAll(address).addListener((Future<List<InetSocketAddress>> resolution) -> {
            if (resolution.isSuccess()) {
                new Attempt(pool, loop, waiter).next(resolution.getNow().iterator(), null);
            } else {
                waiter.onConnectFailure(
                        new ConnectFailure(false, false, "cannot resolve the host name " + origin.host()));
            }
        });
    }

    /**
     * The last handler until the connection is ready. What fails before, the futures of connecting and of the handshake
     * tell: it is no surprise to log. The kernel may even report a socket before it is connected.
     */
    private static final class EarlyFailures extends ChannelInboundHandlerAdapter {
        @Override
        public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
            if (ctx.channel().isActive()) {
                ctx.close();
            }
        }
    }

    private static InetSocketAddress resolved(byte[] literal, int port) {
        try {
            return new InetSocketAddress(java.net.InetAddress.getByAddress(literal), port);
        } catch (java.net.UnknownHostException e) {
            throw new IllegalArgumentException(e);
        }
    }

    /** One walk over an upstream's addresses. */
    private final class Attempt {
        private final UpstreamPool pool;
        private final Origin origin;
        private final EventLoop loop;
        private final Waiter waiter;

        Attempt(UpstreamPool pool, EventLoop loop, Waiter waiter) {
            this.pool = pool;
            origin = pool.origin();
            this.loop = loop;
            this.waiter = waiter;
        }

        void next(Iterator<InetSocketAddress> addresses, Throwable lastFailure) {
            if (!addresses.hasNext()) {
                waiter.onConnectFailure(failure(lastFailure));
                return;
            }
            InetSocketAddress address = addresses.next();
            var decoder = new ResponseDecoder(new HttpDecoderConfig()
                    .setMaxInitialLineLength(MAX_STATUS_LINE)
                    .setMaxHeaderSize(MAX_HEAD_BYTES)
                    .setMaxChunkSize(Integer.MAX_VALUE));
            var connection = new UpstreamConnection(pool, decoder);
            var bootstrap = new Bootstrap()
                    .group(loop)
                    .channel(transport.clientChannel())
                    .option(ChannelOption.TCP_NODELAY, true)
                    .option(ChannelOption.SO_KEEPALIVE, true)
                    .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, origin.connectTimeoutMs())
                    .option(ChannelOption.RECVBUF_ALLOCATOR, READS)
                    .handler(new ChannelInitializer<Channel>() {
                        @Override
                        protected void initChannel(Channel channel) {
                            if (origin.tls() != null) {
                                channel.pipeline().addLast(tls(channel));
                            }
                            channel.pipeline().addLast(decoder, new HttpRequestEncoder(), new EarlyFailures());
                        }
                    });
            long startNs = System.nanoTime();
            bootstrap.connect(address).addListener((io.netty.channel.ChannelFuture connect) -> {
                connection.roundTripNs(System.nanoTime() - startNs);
                if (!connect.isSuccess()) {
                    next(addresses, connect.cause());
                } else if (origin.tls() == null) {
                    ready(connect.channel(), connection, addresses);
                } else {
                    afterHandshake(connect.channel(), connection, addresses);
                }
            });
        }

        private SslHandler tls(Channel channel) {
            SslHandler handler = origin.tls().newHandler(channel.alloc(), origin.host(), origin.port());
            handler.setHandshakeTimeoutMillis(origin.connectTimeoutMs());
            return handler;
        }

        private void afterHandshake(
                Channel channel, UpstreamConnection connection, Iterator<InetSocketAddress> addresses) {
            SslHandler tls = channel.pipeline().get(SslHandler.class);
            if (tls == null) {
                next(addresses, new ClosedChannelException());
                return;
            }
            tls.handshakeFuture().addListener((Future<Channel> handshake) -> {
                if (handshake.isSuccess()) {
                    ready(channel, connection, addresses);
                } else {
                    channel.close();
                    next(addresses, handshake.cause());
                }
            });
        }

        private void ready(Channel channel, UpstreamConnection connection, Iterator<InetSocketAddress> addresses) {
            if (!channel.isActive()) {
                next(addresses, new ClosedChannelException());
                return;
            }
            channel.pipeline().replace(EarlyFailures.class, null, connection);
            waiter.onConnection(connection);
        }

        private ConnectFailure failure(Throwable cause) {
            boolean timeout = cause instanceof ConnectTimeoutException || cause instanceof SslHandshakeTimeoutException;
            String detail = cause == null ? "no address" : cause.getMessage();
            return new ConnectFailure(timeout, false, "cannot connect to " + origin.name() + ": " + detail);
        }
    }
}
