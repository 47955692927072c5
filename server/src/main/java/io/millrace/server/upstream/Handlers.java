package io.millrace.server.upstream;

import io.millrace.server.config.Upstream;
import io.millrace.server.http.ReadFields;
import io.millrace.server.tls.UpstreamTls;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelPipeline;
import io.netty.handler.codec.http.HttpDecoderConfig;
import io.netty.handler.codec.http.HttpRequestEncoder;
import io.netty.handler.ssl.ApplicationProtocolNames;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslHandler;
import javax.net.ssl.SSLException;

/**
 * Makes the pipeline of a connection to an upstream: {@link SslHandler} for an origin with TLS, and then, when the
 * connection is ready, either
 *
 * <ol>
 *    {@link ResponseDecoder}: bytes to response heads and plain bodies; the bytes of event streams bypass it
 *   <li>{@link Http1Connection}
 * </ol>
 *
 * or, for HTTP/2, {@link io.millrace.server.http.FrameBudget}, {@link Http2Codec} and {@link Http2Upstream}.
 */
final class Handlers {
    private static final int MAX_HEAD_BYTES = 64 * 1024;
    private static final int MAX_STATUS_LINE = 8 * 1024;

    private Handlers() {}

    /** The server does not speak HTTP/2, and the configuration requires it. */
    static final class NoHttp2Exception extends SSLException {
        private static final long serialVersionUID = 1;

        NoHttp2Exception() {
            super("the server did not choose HTTP/2 by ALPN");
        }
    }

    /**
     * The last handler until the connection is ready. The futures of connecting and of the handshake report earlier
     * failures, so there is nothing to log. The kernel may even report a socket before it is connected.
     */
    private static final class EarlyFailures extends ChannelInboundHandlerAdapter {
        @Override
        public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
            if (ctx.channel().isActive()) {
                ctx.close();
            }
        }
    }

    /** Adds the handlers of a connection that is being made. */
    static void begin(Channel channel, UpstreamPool pool) {
        Origin origin = pool.origin();
        SslContext tls = pool.tls();
        if (tls != null) {
            SslHandler handler = UpstreamTls.handler(origin.host(), origin.port(), tls, channel.alloc());
            handler.setHandshakeTimeoutMillis(origin.connectTimeoutMs());
            channel.pipeline().addLast(handler);
        }
        channel.pipeline().addLast(new EarlyFailures());
    }

    /**
     * Adds the handlers of a connection that is ready.
     *
     * @param roundTripNs how long the kernel's first packet took to be answered
     * @throws NoHttp2Exception if the server does not speak HTTP/2 and must
     */
    static UpstreamConnection complete(Channel channel, UpstreamPool pool, long roundTripNs) throws NoHttp2Exception {
        ChannelPipeline pipeline = channel.pipeline();
        if (speaksHttp2(pipeline, pool.origin())) {
            var connection = new Http2Upstream(pool);
            connection.stale().roundTripNs(roundTripNs);
            pipeline.remove(EarlyFailures.class);
            pipeline.addLast(connection.budget(), connection.codec(), connection);
            return connection;
        }
        var decoder = new ResponseDecoder(new HttpDecoderConfig()
                .setMaxInitialLineLength(MAX_STATUS_LINE)
                .setMaxHeaderSize(MAX_HEAD_BYTES)
                .setMaxChunkSize(Integer.MAX_VALUE)
                .setHeadersFactory(ReadFields.FACTORY));
        var connection = new Http1Connection(pool, decoder);
        connection.stale().roundTripNs(roundTripNs);
        pipeline.remove(EarlyFailures.class);
        pipeline.addLast(decoder, new HttpRequestEncoder(), connection);
        return connection;
    }

    private static boolean speaksHttp2(ChannelPipeline pipeline, Origin origin) throws NoHttp2Exception {
        SslHandler tls = pipeline.get(SslHandler.class);
        if (!origin.mayBeHttp2() || tls == null) {
            return origin.mayBeHttp2();
        }
        boolean chosen = ApplicationProtocolNames.HTTP_2.equals(tls.applicationProtocol());
        if (!chosen && origin.http().version() == Upstream.Http.Version.HTTP_2) {
            throw new NoHttp2Exception();
        }
        return chosen;
    }
}
