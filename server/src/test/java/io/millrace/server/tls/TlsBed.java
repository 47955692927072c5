package io.millrace.server.tls;

import io.millrace.server.config.Listener;
import io.millrace.server.config.Listener.Protocol;
import io.millrace.server.transport.Transport;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.EventLoopGroup;
import io.netty.handler.ssl.SslProvider;
import io.netty.util.ReferenceCountUtil;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SNIHostName;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;

/** A server that sends each client the result of its handshake, then closes. */
final class TlsBed implements AutoCloseable {
    final Handshakes handshakes;
    final ServerTls tls;
    volatile long timeoutNs = TimeUnit.SECONDS.toNanos(10);
    private final EventLoopGroup loops = Transport.NIO.newEventLoops(2, "tls-bed");
    private final Channel listener;

    TlsBed(Listener.Tls settings, SslProvider provider) {
        this(settings, provider, List.of(Protocol.HTTP_1_1), 512);
    }

    TlsBed(Listener.Tls settings, SslProvider provider, List<Protocol> protocols, int most) {
        handshakes = new Handshakes(() -> most);
        tls = ServerTls.of(settings, protocols, handshakes, provider);
        listener = new ServerBootstrap()
                .group(loops)
                .channel(Transport.NIO.serverChannel())
                .childHandler(new ChannelInitializer<Channel>() {
                    @Override
                    protected void initChannel(Channel channel) {
                        tls.secure(
                                channel,
                                timeoutNs,
                                (secure, agreed) -> secure.pipeline().addLast(new Teller(agreed)));
                    }
                })
                .bind(InetAddress.getLoopbackAddress(), 0)
                .syncUninterruptibly()
                .channel();
    }

    private static final class Teller extends ChannelInboundHandlerAdapter {
        private final ServerTls.Secured agreed;

        Teller(ServerTls.Secured agreed) {
            this.agreed = agreed;
        }

        @Override
        public void channelRead(ChannelHandlerContext ctx, Object msg) {
            ReferenceCountUtil.release(msg);
            ctx.writeAndFlush(Unpooled.copiedBuffer(agreed.toString(), StandardCharsets.UTF_8))
                    .addListener(ChannelFutureListener.CLOSE);
        }
    }

    int port() {
        return ((InetSocketAddress) listener.localAddress()).getPort();
    }

    /** A connection without TLS. */
    Socket connect() throws IOException {
        var socket = new Socket(InetAddress.getLoopbackAddress(), port());
        socket.setSoTimeout(10_000);
        socket.setTcpNoDelay(true);
        return socket;
    }

    /** A connection that has not begun its handshake, for {@code host}; null names none. */
    SSLSocket connect(SSLContext context, String host) throws IOException {
        Socket plain = connect();
        var socket = (SSLSocket) context.getSocketFactory().createSocket(plain, "127.0.0.1", plain.getPort(), true);
        if (host != null) {
            SSLParameters parameters = socket.getSSLParameters();
            parameters.setServerNames(List.of(new SNIHostName(host)));
            socket.setSSLParameters(parameters);
        }
        return socket;
    }

    /** What the server tells after a handshake. */
    static String ask(SSLSocket socket) throws IOException {
        try (socket) {
            socket.getOutputStream().write('?');
            return new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    /** How many handshakes failed for {@code reason}. */
    long failed(HandshakeFailure reason) {
        return handshakes.failures().get(reason.label());
    }

    @Override
    public void close() {
        loops.shutdownGracefully(0, 10, TimeUnit.SECONDS).awaitUninterruptibly();
        tls.close();
    }
}
