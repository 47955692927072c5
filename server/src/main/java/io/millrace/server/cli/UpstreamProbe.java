package io.millrace.server.cli;

import io.millrace.server.config.RelayConfig;
import io.millrace.server.config.Upstream;
import io.millrace.server.tls.TlsFailure;
import io.millrace.server.tls.UpstreamTls;
import io.millrace.server.transport.Transport;
import io.netty.bootstrap.Bootstrap;
import io.netty.buffer.ByteBufAllocator;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslHandler;
import io.netty.util.ReferenceCountUtil;
import java.io.IOException;
import java.io.PrintWriter;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.UnixDomainSocketAddress;
import java.net.UnknownHostException;
import java.nio.channels.SocketChannel;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;

/** Connects to each origin of each upstream, with TLS if the upstream has it. It sends no request. */
final class UpstreamProbe {
    private static final int LIMIT_MS = 10_000;

    private final PrintWriter out;

    UpstreamProbe(PrintWriter out) {
        this.out = out;
    }

    /** Whether all origins can be reached. Prints a line for each. */
    boolean run(RelayConfig config) {
        boolean all = true;
        EventLoopGroup group = Transport.NIO.newEventLoops(1, "probe");
        try {
            for (Upstream upstream : config.upstreams().values()) {
                for (URI url : upstream.urls()) {
                    String failure = failure(group, upstream, url);
                    String success = upstream.tls() ? "connects, TLS" : "connects";
                    out.printf(Locale.ROOT, "%s: %s: %s%n", upstream.name(), url, failure == null ? success : failure);
                    all &= failure == null;
                }
            }
        } finally {
            group.shutdownGracefully(0, 1, TimeUnit.SECONDS).awaitUninterruptibly();
        }
        out.flush();
        return all;
    }

    /** Why the origin cannot be reached; null if it can. */
    private static @Nullable String failure(EventLoopGroup group, Upstream upstream, URI url) {
        if (String.valueOf(url.getRawAuthority()).startsWith("unix:")) {
            return ofSocket(url);
        }
        int port = url.getPort() >= 0 ? url.getPort() : upstream.tls() ? 443 : 80;
        InetAddress[] addresses;
        try {
            addresses = InetAddress.getAllByName(url.getHost());
        } catch (UnknownHostException e) {
            return "the name does not resolve";
        }
        String failure = null;
        for (InetAddress address : addresses) {
            failure = ofAddress(group, upstream, url.getHost(), new InetSocketAddress(address, port));
            if (failure == null) {
                return null;
            }
        }
        return failure;
    }

    private static @Nullable String ofSocket(URI url) {
        String rest = url.toString().substring("http://unix:".length());
        int colon = rest.indexOf(':');
        String path = colon < 0 ? rest : rest.substring(0, colon);
        try (SocketChannel channel = SocketChannel.open(UnixDomainSocketAddress.of(path))) {
            return channel.isConnected() ? null : "no connection";
        } catch (IOException e) {
            return "no connection to the socket " + path;
        }
    }

    private static @Nullable String ofAddress(
            EventLoopGroup group, Upstream upstream, String host, InetSocketAddress address) {
        SslContext tls;
        try {
            tls = upstream.tls()
                    ? UpstreamTls.context(upstream.ca(), upstream.http().version())
                    : null;
        } catch (SSLException e) {
            return "TLS cannot be set up: " + e.getMessage();
        }
        try {
            return connect(group, tls, host, address);
        } finally {
            ReferenceCountUtil.release(tls);
        }
    }

    private static @Nullable String connect(
            EventLoopGroup group, @Nullable SslContext tls, String host, InetSocketAddress address) {
        // The pipeline drops its handlers when the channel closes, which may be before the handshake is awaited.
        SslHandler handler =
                tls == null ? null : UpstreamTls.handler(host, address.getPort(), tls, ByteBufAllocator.DEFAULT);
        ChannelFuture connect = new Bootstrap()
                .group(group)
                .channel(Transport.NIO.clientChannel())
                .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, LIMIT_MS)
                .handler(new ChannelInitializer<Channel>() {
                    @Override
                    protected void initChannel(Channel channel) {
                        if (handler != null) {
                            channel.pipeline().addLast(handler).addLast(new Silence());
                        }
                    }
                })
                .connect(address)
                .awaitUninterruptibly();
        if (!connect.isSuccess()) {
            boolean refused = String.valueOf(connect.cause().getMessage()).contains("refused");
            return (refused ? "the connection is refused at " : "no connection to ")
                    + address.getAddress().getHostAddress() + ":" + address.getPort();
        }
        try {
            if (handler == null) {
                return null;
            }
            var handshake = handler.handshakeFuture().awaitUninterruptibly();
            return handshake.isSuccess() ? null : TlsFailure.words(handshake.cause());
        } finally {
            connect.channel().close().awaitUninterruptibly();
        }
    }

    /** Netty would also log a failure of the handshake, which its future already tells. */
    private static final class Silence extends ChannelInboundHandlerAdapter {
        @Override
        public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
            ctx.close();
        }
    }
}
