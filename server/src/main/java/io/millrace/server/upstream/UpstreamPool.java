package io.millrace.server.upstream;

import io.millrace.server.timing.Sweepable;
import io.millrace.server.timing.Sweeper;
import io.netty.channel.Channel;
import io.netty.channel.EventLoop;
import java.util.ArrayDeque;
import java.util.HashSet;
import java.util.Set;

/**
 * The connections of one event loop to one upstream. Idle ones are taken last in, first out, so that the rest can age and
 * be closed. Confined to its event loop.
 */
public final class UpstreamPool implements Sweepable {
    private final Origin origin;
    private final Connector connector;
    private final EventLoop loop;
    private final Sweeper sweeper;
    private final ArrayDeque<UpstreamConnection> idle = new ArrayDeque<>();
    private final Set<Channel> open = new HashSet<>();
    private Sweeper.Registration sweep;
    private int connecting;
    private boolean closed;

    /** Receives the outcome of one attempt to get a connection, on the event loop, perhaps before the call returns. */
    public interface Waiter {
        /** A connection to use once. */
        void onConnection(UpstreamConnection connection);

        /** None could be had: no address answered, TLS failed, or all allowed connections are busy. */
        void onConnectFailure(ConnectFailure failure);
    }

    /**
     * Why no connection could be had.
     *
     * @param timeout whether it was for lack of an answer in time
     * @param full whether all connections that are allowed are busy
     * @param detail for logs and error messages
     */
    public record ConnectFailure(boolean timeout, boolean full, String detail) {}

    public UpstreamPool(Origin origin, Connector connector, EventLoop loop, Sweeper sweeper) {
        this.origin = origin;
        this.connector = connector;
        this.loop = loop;
        this.sweeper = sweeper;
    }

    /** The upstream this pool connects to. */
    public Origin origin() {
        return origin;
    }

    /** Takes an idle connection, or makes one. */
    public void acquire(Waiter waiter) {
        UpstreamConnection connection;
        while ((connection = pollIdle()) != null) {
            if (connection.channel().isActive()) {
                waiter.onConnection(connection);
                return;
            }
        }
        acquireNew(waiter);
    }

    /** Makes a connection, whatever is idle: for the retry after a pooled one turned out to be stale. */
    public void acquireNew(Waiter waiter) {
        if (open.size() + connecting >= origin.maxConnections()) {
            waiter.onConnectFailure(new ConnectFailure(
                    false, true, "all " + origin.maxConnections() + " connections to " + origin.name() + " are busy"));
            return;
        }
        connecting++;
        connector.connect(this, loop, new Waiter() {
            @Override
            public void onConnection(UpstreamConnection connection) {
                connecting--;
                open.add(connection.channel());
                waiter.onConnection(connection);
            }

            @Override
            public void onConnectFailure(ConnectFailure failure) {
                connecting--;
                waiter.onConnectFailure(failure);
            }
        });
    }

    /** Closes the idle connections now and each busy one as it comes back: the upstream is gone from the configuration. */
    public void close() {
        closed = true;
        UpstreamConnection connection;
        while ((connection = pollIdle()) != null) {
            connection.channel().close();
        }
        stopSweepIfEmpty();
    }

    @Override
    public void onSweep(long nowNs) {
        UpstreamConnection oldest;
        while ((oldest = idle.peekFirst()) != null && nowNs - oldest.idleSinceNs() > origin.idleNs()) {
            idle.pollFirst();
            oldest.channel().close();
        }
        stopSweepIfEmpty();
    }

    void put(UpstreamConnection connection) {
        if (closed) {
            connection.channel().close();
            return;
        }
        if (sweep == null) {
            sweep = sweeper.add(this);
        }
        idle.addLast(connection);
    }

    void onClosed(UpstreamConnection connection) {
        open.remove(connection.channel());
        if (idle.remove(connection)) {
            stopSweepIfEmpty();
        }
    }

    private UpstreamConnection pollIdle() {
        return idle.pollLast();
    }

    private void stopSweepIfEmpty() {
        if (idle.isEmpty() && sweep != null) {
            sweep.cancel();
            sweep = null;
        }
    }
}
