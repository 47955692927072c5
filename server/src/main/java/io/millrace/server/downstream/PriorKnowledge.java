package io.millrace.server.downstream;

import io.millrace.server.config.Listener.Protocol;
import io.millrace.server.timing.Sweeper;
import io.millrace.server.timing.Sweeper.Sweepable;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.EventLoop;
import io.netty.handler.codec.ByteToMessageDecoder;
import io.netty.handler.codec.http2.Http2CodecUtil;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Finds the protocol of a client without TLS. A client that begins with the preface of HTTP/2 knows beforehand that
 * the relay speaks it (RFC 9113 section 3.3). Until then this is a connection without a request. Confined to its event
 * loop.
 */
final class PriorKnowledge extends ByteToMessageDecoder implements ClientConnection, Sweepable {
    private static final long FRESH_NS = TimeUnit.SECONDS.toNanos(1);

    private final ConnectionContext connection;
    private final Consumer<Protocol> chosen;
    private final ByteBuf preface = Http2CodecUtil.connectionPrefaceBuf();
    private Sweeper.@Nullable Registration sweep;
    private long sinceNs;
    private long limitNs;

    /**
     * Makes a connection whose protocol is not known yet.
     *
     * @param chosen adds the handlers of the protocol, after this handler
     */
    PriorKnowledge(ConnectionContext connection, Consumer<Protocol> chosen) {
        this.connection = connection;
        this.chosen = chosen;
        limitNs = connection.timeouts().requestHead().toNanos();
    }

    /** Adds this to the pipeline. The pipeline has been told, or will be told, that the channel is {@code active}. */
    void open(boolean active) {
        connection.channel().pipeline().addLast(this);
        if (active) {
            begin();
        }
    }

    @Override
    public void channelActive(ChannelHandlerContext ctx) {
        begin();
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) {
        end();
    }

    @Override
    protected void decode(ChannelHandlerContext ctx, ByteBuf in, List<Object> out) {
        int length = Math.min(in.readableBytes(), preface.readableBytes());
        boolean h2 = in.slice(in.readerIndex(), length).equals(preface.slice(0, length));
        if (h2 && length < preface.readableBytes()) {
            return;
        }
        end();
        chosen.accept(h2 ? Protocol.H2 : Protocol.HTTP_1_1);
        ctx.pipeline().remove(this);
    }

    @Override
    protected void handlerRemoved0(ChannelHandlerContext ctx) {
        end();
        preface.release();
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        ctx.close();
    }

    @Override
    public EventLoop eventLoop() {
        return connection.channel().eventLoop();
    }

    @Override
    public List<RequestListener> requests() {
        return List.of();
    }

    @Override
    public long heldBytes() {
        return 0;
    }

    @Override
    public void closeAfterResponse() {
        // The connection of the chosen protocol must be told this too.
    }

    @Override
    public void drain() {
        limitNs = Math.min(limitNs, FRESH_NS);
    }

    @Override
    public void abandon(String reason) {
        Closing.withReset(connection.channel());
    }

    @Override
    public void close() {
        connection.channel().close();
    }

    @Override
    public void onSweep(long nowNs) {
        if (nowNs - sinceNs > limitNs) {
            close();
        }
    }

    private void begin() {
        sinceNs = System.nanoTime();
        sweep = connection.sweeper().add(this);
        connection.handler().onConnected(this);
    }

    private void end() {
        if (sweep != null) {
            sweep.cancel();
            sweep = null;
            connection.handler().onDisconnected(this);
        }
    }
}
