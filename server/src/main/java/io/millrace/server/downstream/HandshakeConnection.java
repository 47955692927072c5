package io.millrace.server.downstream;

import io.netty.channel.Channel;
import io.netty.channel.EventLoop;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * A client's connection from its acceptance until it is encrypted. It counts as a connection, so that a stop waits for
 * it.
 */
final class HandshakeConnection implements ClientConnection {
    /** How long a stop of the process waits for a handshake. */
    private static final long DRAIN_MS = 1_000;

    private final Channel channel;
    private final RequestHandler handler;
    private boolean over;

    HandshakeConnection(Channel channel, RequestHandler handler) {
        this.channel = channel;
        this.handler = handler;
    }

    /** Registers with the handler, until {@link #end} or the end of the channel. */
    void begin() {
        handler.onConnected(this);
        channel.closeFuture().addListener(closed -> end());
    }

    /** The connection of the next protocol has replaced this one. */
    void end() {
        if (!over) {
            over = true;
            handler.onDisconnected(this);
        }
    }

    @Override
    public EventLoop eventLoop() {
        return channel.eventLoop();
    }

    @Override
    public List<RequestListener> requests() {
        return List.of();
    }

    @Override
    public long heldBytes() {
        return 0;
    }

    /** The connection that replaces this one asks again. */
    @Override
    public void closeAfterResponse() {}

    @Override
    public void drain() {
        channel.eventLoop()
                .schedule(
                        () -> {
                            if (!over) {
                                channel.close();
                            }
                        },
                        DRAIN_MS,
                        TimeUnit.MILLISECONDS);
    }

    @Override
    public void abandon(String reason) {
        Closing.withReset(channel);
    }

    @Override
    public void close() {
        channel.close();
    }
}
