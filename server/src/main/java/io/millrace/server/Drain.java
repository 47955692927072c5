package io.millrace.server;

import io.millrace.server.config.Listener;
import io.millrace.server.listen.Listeners;
import io.millrace.server.relay.Relay;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import java.math.BigDecimal;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Ends a relay's service in an order that clients notice as little as possible: first its listeners, then its idle
 * connections, then what is in progress. For any thread.
 */
final class Drain {
    private static final Logger LOG = LoggerFactory.getLogger(Drain.class);
    private static final long POLL_MS = 10;
    private static final long LAST_WORDS_MS = 500;
    /**
     * A client that sends a request just when its idle connection is closed loses that request. If there is time, the
     * client's next response says that the connection ends, and only connections without a request are closed.
     */
    private static final Duration IDLE_GRACE = Duration.ofSeconds(5);

    private final Relay relay;
    private final Listeners listeners;
    private final MultiThreadIoEventLoopGroup group;
    private final CompletableFuture<Void> over = new CompletableFuture<>();
    private boolean stopping;
    private boolean handedOver;
    private boolean cut;
    private long limitNs;

    Drain(Relay relay, Listeners listeners, MultiThreadIoEventLoopGroup group) {
        this.relay = relay;
        this.listeners = listeners;
        this.group = group;
    }

    /** Completes when the last client is gone. */
    CompletableFuture<Void> over() {
        return over;
    }

    /** Stops, as {@link RelayServer#drain} describes. */
    synchronized void stop() {
        if (stopping) {
            return;
        }
        stopping = true;
        LOG.info(
                "stopping: {} clients, {} requests in progress",
                relay.metrics().relayedConnections(),
                relay.metrics().activeExchanges());
        if (handedOver) {
            relay.drain();
            limit(relay.config().timeouts().drain());
            return;
        }
        relay.endReadiness();
        Duration delay = relay.config().timeouts().shutdownDelay();
        if (delay.isZero()) {
            closeListeners();
        } else {
            LOG.info("stopping: not ready, and no longer listening in {} s", seconds(delay));
            group.schedule(this::closeListeners, delay.toNanos(), TimeUnit.NANOSECONDS);
        }
    }

    /** Stops, as {@link RelayServer#handOver} describes. */
    synchronized void handOver() {
        if (stopping || handedOver) {
            return;
        }
        handedOver = true;
        LOG.info(
                "taken over by another process: {} clients, {} requests in progress",
                relay.metrics().relayedConnections(),
                relay.metrics().activeExchanges());
        relay.endKeepAlive();
        Duration limit = relay.config().timeouts().takeover();
        limit(limit);
        listeners.letGo(this::afterAccepted);
        long graceNs = Math.min(IDLE_GRACE.toNanos(), limit.toNanos());
        group.schedule(relay::drain, graceNs, TimeUnit.NANOSECONDS);
    }

    private void closeListeners() {
        listeners.serveAndClose(
                listener -> !listener.isAdmin(),
                () -> endConnections(relay.config().timeouts().drain()));
    }

    private void endConnections(Duration limit) {
        relay.drain();
        limit(limit);
        afterAccepted();
    }

    private synchronized void limit(Duration limit) {
        limitNs = System.nanoTime() + limit.toNanos();
        long running = relay.metrics().activeExchanges();
        if (running > 0) {
            LOG.info("stopping: {} requests have up to {} s to end", running, seconds(limit));
        }
    }

    /** A connection that one event loop has accepted for another may not be counted yet. */
    private void afterAccepted() {
        var left = new AtomicInteger(group.executorCount());
        group.forEach(loop -> loop.execute(() -> {
            if (left.decrementAndGet() == 0) {
                awaitIdle();
            }
        }));
    }

    private synchronized void awaitIdle() {
        // A response that has ended may still be on its way to a slow client. Its connection closes after it.
        boolean idle = relay.metrics().activeExchanges() == 0 && relay.metrics().relayedConnections() == 0;
        boolean late = System.nanoTime() - limitNs > 0;
        if (idle || (cut && late)) {
            listeners.serveAndClose(Listener::isAdmin, () -> over.complete(null));
            return;
        }
        if (late) {
            LOG.warn(
                    "stopping: {} requests are cut after their limit",
                    relay.metrics().activeExchanges());
            cut = true;
            limitNs = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(LAST_WORDS_MS);
            relay.cutAll();
        }
        group.schedule(this::awaitIdle, POLL_MS, TimeUnit.MILLISECONDS);
    }

    private static String seconds(Duration duration) {
        return BigDecimal.valueOf(duration.toMillis(), 3).stripTrailingZeros().toPlainString();
    }
}
