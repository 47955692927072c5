package io.millrace.server.upstream;

import static java.util.Objects.requireNonNull;

import io.millrace.server.timing.Sweeper;
import io.millrace.server.timing.Sweeper.Sweepable;
import io.millrace.server.timing.Turns;
import io.millrace.server.upstream.Upstreams.Waiter;
import io.netty.channel.Channel;
import io.netty.handler.ssl.SslContext;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The connections of one event loop to one upstream. The connection that became idle last is taken first, so that the
 * others can age and be closed. With HTTP/2, the fullest connection takes the next request. While there are
 * connections, the host name is resolved again, and connections to addresses that it no longer has are closed. Confined
 * to its event loop.
 */
final class UpstreamPool implements Sweepable, Http1Connection.Owner, Http2Upstream.Owner {
    private static final Logger LOG = LoggerFactory.getLogger(UpstreamPool.class);
    /** How often the name is resolved again. No answer is cached for that long, so each resolution is a new one. */
    static final long RESOLVE_NS = TimeUnit.SECONDS.toNanos(5);
    /**
     * An address is gone when this many answers in a row did not have it. Some name servers return only some of many
     * addresses each time.
     */
    private static final int MISSES_OF_A_GONE_ADDRESS = 2;
    /** A connection that is older than this is not used again. */
    private static final long MAX_AGE_NS = TimeUnit.MINUTES.toNanos(10);
    /** At most one warning about failures to connect in this time. */
    private static final long WARNING_NS = TimeUnit.SECONDS.toNanos(10);

    /** The most connections made in one turn of the event loop. Each takes about 0.1 ms. */
    private static final int CONNECTS_A_TURN = 32;
    /** The most connections that are read again in one turn. Each may have 64 KiB to read. */
    private static final int READS_A_TURN = 32;

    private final Origin origin;
    private final Connector connector;
    private final Sweeper sweeper;
    private final Upstreams.Listener listener;
    private final Turns connects;
    private final Turns reads;
    private final IdleConnections idle = new IdleConnections();
    private final Http2Connections http2;
    private final Set<Channel> open = new HashSet<>();
    /** The addresses of open connections, and how many answers in a row did not have them. */
    private final Map<InetAddress, Integer> addresses = new HashMap<>();

    private Sweeper.@Nullable Registration sweep;
    private int connecting;
    private boolean closed;
    private boolean resolving;
    private long resolvedNs = System.nanoTime();
    private long warnedNs = resolvedNs - WARNING_NS;

    UpstreamPool(Origin origin, Connector connector, Sweeper sweeper, Upstreams.Listener listener) {
        this.origin = origin;
        this.connector = connector;
        this.sweeper = sweeper;
        this.listener = listener;
        http2 = new Http2Connections(origin);
        connects = new Turns(sweeper.loop(), CONNECTS_A_TURN);
        reads = new Turns(sweeper.loop(), READS_A_TURN);
    }

    @Override
    public Origin origin() {
        return origin;
    }

    /** The TLS client context of the next connection; null for plain TCP. */
    @Nullable
    SslContext tls() {
        return http2.http1Required() ? origin.http1Tls() : origin.tls();
    }

    /** Takes a connection that has room for a request, or makes one. */
    void acquire(Waiter waiter) {
        Http1Connection connection;
        while (waiter.takesUsed() && (connection = idle.pollNewest()) != null) {
            if (connection.channel().isActive()) {
                waiter.onCall(new Http1Call(connection));
                return;
            }
        }
        acquireNew(waiter);
    }

    /** Makes a new connection even if one is idle. For the retry after a pooled connection turned out to be stale. */
    void acquireNew(Waiter waiter) {
        Http2Upstream shared = http2.fullest();
        if (shared != null) {
            // A connection that refused a request, or is about to close, has no room.
            waiter.onCall(shared.newCall());
        } else if (http2.shouldWait(connecting)) {
            http2.await(waiter);
        } else {
            connect(waiter);
        }
    }

    private void connect(Waiter waiter) {
        if (open.size() + connecting >= origin.maxConnections() && !makeRoom()) {
            waiter.onConnectFailure(ConnectFailure.ofFull(origin));
            return;
        }
        connecting++;
        long startNs = System.nanoTime();
        connectInTurn((connection, failure) -> {
            connecting--;
            if (failure == null) {
                listener.onConnected(origin.name(), System.nanoTime() - startNs);
                onConnected(connection, waiter);
            } else {
                onConnectFailure(failure, waiter);
            }
        });
    }

    private void onConnected(UpstreamConnection connection, Waiter waiter) {
        open.add(connection.channel());
        addresses.put(address(connection), 0);
        http2.onConnected(connection);
        if (connection instanceof Http2Upstream shared) {
            startSweep();
            waiter.onCall(shared.newCall());
            if (closed || http2.http1Required()) {
                shared.drain();
            }
        } else {
            var single = (Http1Connection) connection;
            if (!waiter.takesUsed()) {
                single.closeAfterUse();
            }
            waiter.onCall(new Http1Call(single));
        }
        for (int i = http2.waiting(); i > 0; i--) {
            acquire(requireNonNull(http2.nextWaiting()));
        }
    }

    /** Requests that wait for new connections fail too, because these have no better chance. */
    private void onConnectFailure(ConnectFailure failure, Waiter waiter) {
        warn(failure);
        waiter.onConnectFailure(failure);
        for (int i = connecting == 0 ? http2.waiting() : 0; i > 0; i--) {
            requireNonNull(http2.nextWaiting()).onConnectFailure(failure);
        }
    }

    private void connectInTurn(BiConsumer<UpstreamConnection, ConnectFailure> outcome) {
        if (connects.take()) {
            connector.connect(this, sweeper.loop(), outcome);
        } else {
            connects.later(() -> connector.connect(this, sweeper.loop(), outcome));
        }
    }

    @Override
    public Turns reads() {
        return reads;
    }

    /**
     * Closes the idle connections now, and each busy connection when it returns. The upstream is gone from the
     * configuration.
     */
    void close() {
        closed = true;
        Http1Connection connection;
        while ((connection = idle.pollNewest()) != null) {
            connection.channel().close();
        }
        http2.toList().forEach(Http2Upstream::drain);
        stopSweepIfEmpty();
    }

    @Override
    public void onSweep(long nowNs) {
        Http1Connection oldest;
        while ((oldest = idle.oldest()) != null && nowNs - oldest.idleSinceNs() > origin.idleNs()) {
            idle.remove(oldest);
            oldest.channel().close();
        }
        for (Http2Upstream shared : http2.toList()) {
            boolean unused = shared.calls() == 0 && nowNs - shared.idleSinceNs() > origin.idleNs();
            if (unused || nowNs - shared.openedNs() > MAX_AGE_NS) {
                shared.drain();
            } else {
                shared.onSweep(nowNs);
            }
        }
        stopSweepIfEmpty();
        if (sweep != null) {
            resolveAgain(nowNs);
        }
    }

    @Override
    public void put(Http1Connection connection) {
        long nowNs = connection.idleSinceNs();
        resolveAgain(nowNs);
        if (closed || nowNs - connection.openedNs() > MAX_AGE_NS || isGone(address(connection))) {
            connection.channel().close();
            return;
        }
        startSweep();
        idle.add(connection);
    }

    @Override
    public void onClosed(Http1Connection connection) {
        open.remove(connection.channel());
        if (idle.remove(connection)) {
            stopSweepIfEmpty();
        }
    }

    @Override
    public void onRoom() {
        Http2Upstream shared = http2.waiting() == 0 ? null : http2.fullest();
        Waiter next = shared == null ? null : http2.nextWaiting();
        if (shared != null && next != null) {
            next.onCall(shared.newCall());
        }
    }

    @Override
    public boolean onHttp1Required() {
        if (origin.http1Tls() == null) {
            return false;
        }
        if (!http2.http1Required()) {
            LOG.info("upstream {}: {} requires HTTP/1.1", origin.name(), origin.host());
            http2.requireHttp1();
        }
        return true;
    }

    @Override
    public void onClosed(Http2Upstream connection) {
        open.remove(connection.channel());
        http2.onClosed(connection);
        stopSweepIfEmpty();
    }

    /** Closes the idle connection that has waited longest; false if there is none. */
    private boolean makeRoom() {
        Http1Connection oldest = idle.oldest();
        if (oldest == null) {
            return false;
        }
        idle.remove(oldest);
        open.remove(oldest.channel());
        oldest.channel().close();
        return true;
    }

    private void resolveAgain(long nowNs) {
        if (resolving || closed || origin.socket() != null || nowNs - resolvedNs < RESOLVE_NS) {
            return;
        }
        resolving = true;
        resolvedNs = nowNs;
        connector.resolve(origin, sweeper.loop(), (found, failure) -> {
            resolving = false;
            if (failure == null) {
                onAddresses(found);
            }
        });
    }

    private void onAddresses(List<InetSocketAddress> found) {
        addresses.replaceAll((address, misses) -> misses + 1);
        for (InetSocketAddress address : found) {
            addresses.computeIfPresent(address.getAddress(), (known, misses) -> 0);
        }
        addresses.values().removeIf(misses -> misses >= MISSES_OF_A_GONE_ADDRESS);
        for (Http1Connection connection : idle.toList()) {
            if (isGone(address(connection))) {
                idle.remove(connection);
                connection.channel().close();
            }
        }
        for (Http2Upstream shared : http2.toList()) {
            if (isGone(address(shared))) {
                shared.drain();
            }
        }
        stopSweepIfEmpty();
    }

    private boolean isGone(@Nullable InetAddress address) {
        return !addresses.containsKey(address);
    }

    private static @Nullable InetAddress address(UpstreamConnection connection) {
        return connection.channel().remoteAddress() instanceof InetSocketAddress remote ? remote.getAddress() : null;
    }

    private void warn(ConnectFailure failure) {
        long nowNs = System.nanoTime();
        Throwable cause = failure.cause();
        if (cause == null || nowNs - warnedNs < WARNING_NS) {
            return;
        }
        warnedNs = nowNs;
        LOG.warn("upstream {}: {}: {}", origin.name(), failure.detail(), ConnectFailure.reason(cause));
    }

    private void startSweep() {
        if (sweep == null) {
            sweep = sweeper.add(this);
        }
    }

    private void stopSweepIfEmpty() {
        if (idle.isEmpty() && http2.isEmpty() && sweep != null) {
            sweep.cancel();
            sweep = null;
        }
    }
}
