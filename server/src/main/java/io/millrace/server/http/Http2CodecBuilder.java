package io.millrace.server.http;

import io.netty.handler.codec.http2.AbstractHttp2ConnectionHandlerBuilder;
import io.netty.handler.codec.http2.DefaultHttp2Connection;
import io.netty.handler.codec.http2.DefaultHttp2RemoteFlowController;
import io.netty.handler.codec.http2.Http2ConnectionDecoder;
import io.netty.handler.codec.http2.Http2ConnectionEncoder;
import io.netty.handler.codec.http2.Http2ConnectionHandler;
import io.netty.handler.codec.http2.Http2FrameListener;
import io.netty.handler.codec.http2.Http2Settings;
import io.netty.handler.codec.http2.UniformStreamByteDistributor;

/**
 * Builds Netty's HTTP/2 codec with the options that connections of clients and to upstreams share: strict heads, no
 * priorities, and no limit of resets, because the relay counts frames itself.
 *
 * @param <T> the codec
 */
public abstract class Http2CodecBuilder<T extends Http2ConnectionHandler>
        extends AbstractHttp2ConnectionHandlerBuilder<T, Http2CodecBuilder<T>> {
    /** Builds the codec. If {@code connection} has no controller for the peer's windows, it gets Netty's. */
    public final T make(DefaultHttp2Connection connection, Http2Settings settings, Http2FrameListener frames) {
        if (connection.remote().flowController() == null) {
            var distributor = new UniformStreamByteDistributor(connection);
            connection.remote().flowController(new DefaultHttp2RemoteFlowController(connection, distributor));
        }
        connection(connection);
        initialSettings(settings);
        frameListener(frames);
        validateRequiredPseudoHeaders(true);
        encoderIgnoreMaxHeaderListSize(true);
        decoderEnforceMaxRstFramesPerWindow(0, 0);
        decoupleCloseAndGoAway(true);
        return build();
    }

    @Override
    protected abstract T build(
            Http2ConnectionDecoder decoder, Http2ConnectionEncoder encoder, Http2Settings initialSettings);
}
