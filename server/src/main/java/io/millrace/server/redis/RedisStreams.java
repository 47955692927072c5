package io.millrace.server.redis;

import static java.util.concurrent.TimeUnit.MILLISECONDS;
import static java.util.concurrent.TimeUnit.NANOSECONDS;

import io.millrace.server.config.RedisSettings;
import io.millrace.server.share.LoopShare;
import io.millrace.server.share.NodeShare;
import io.millrace.server.share.StoreLink;
import io.millrace.server.transport.Transport;
import io.netty.channel.EventLoop;
import io.netty.resolver.AddressResolverGroup;
import io.netty.util.Timer;
import io.netty.util.concurrent.Future;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Connects the {@link NodeShare} of this node with Redis. Each event loop has a connection, and one more receives the
 * messages of other nodes. No stream waits for them.
 */
public final class RedisStreams implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(RedisStreams.class);
    private static final long TICK_MS = 20;

    private final NodeShare node;
    private final RedisSettings settings;
    private final Timer timer = RedisLink.newTimer();
    private final List<Link> links = new ArrayList<>();
    private final RedisLink inbox;

    /** The connection of one event loop. Confined to it. */
    private final class Link implements StoreLink, RedisLink.Listener {
        private final LoopShare share;
        private final EventLoop loop;
        private final RedisLink redis;
        private @Nullable Future<?> ticks;
        private boolean up;
        private String told = "";
        private String warned = "";

        Link(LoopShare share, EventLoop loop, Transport transport, AddressResolverGroup<InetSocketAddress> names) {
            this.share = share;
            this.loop = loop;
            redis = new RedisLink(settings, transport, loop, names, timer, this);
        }

        void open() {
            loop.execute(() -> ticks = loop.scheduleAtFixedRate(share::tick, TICK_MS, TICK_MS, MILLISECONDS));
            redis.open();
        }

        /**
         * Ships the remaining bytes, and waits until Redis has them: the end of the connection would drop what the socket
         * has not taken. Must be called before {@link RedisLink#close}.
         */
        void close(CompletableFuture<?> shipped) {
            loop.execute(() -> {
                if (ticks != null) {
                    ticks.cancel(false);
                }
                share.close();
                confirm(shipped);
            });
        }

        /** Completes {@code done} when Redis has carried out all commands, or at once without a connection. */
        void confirm(CompletableFuture<?> done) {
            if (redis.isConnected()) {
                redis.call((answer, refusal) -> done.complete(null), "PING");
                redis.flush();
            } else {
                done.complete(null);
            }
        }

        @Override
        public boolean isConnected() {
            return redis.isConnected();
        }

        @Override
        public void call(Answer answer, Object... words) {
            redis.call(answer::on, words);
        }

        @Override
        public void later(Runnable task, long delayNs) {
            loop.schedule(task, delayNs, NANOSECONDS);
        }

        @Override
        public void reset(String reason) {
            redis.reset(reason);
        }

        @Override
        public void onConnected() {
            up = true;
            share.onConnected(this);
            if (share.number() == 0) {
                told = "";
                LOG.info("streams are shared: {}; this node is {}", settings.url(), node.name());
                redis.call((info, refusal) -> warn(Eviction.warning(info)), "INFO", "memory");
            }
        }

        private void warn(@Nullable String warning) {
            if (warning != null && !warning.equals(warned)) {
                warned = warning;
                LOG.warn("streams are shared: {}: {}", settings.url(), warning);
            }
        }

        @Override
        public void onLost(String reason) {
            boolean news = up || told.isEmpty() || (reason.startsWith(RedisLink.REFUSED) && !reason.equals(told));
            if (up) {
                up = false;
                share.onLost();
            }
            if (news && share.number() == 0) {
                told = reason;
                LOG.warn(
                        "streams are not shared: {}: {}; meanwhile clients can resume at their own node only",
                        settings.url(),
                        reason);
            }
        }
    }

    private RedisStreams(
            NodeShare node, Transport transport, List<EventLoop> loops, AddressResolverGroup<InetSocketAddress> names) {
        this.node = node;
        settings = node.settings().redis();
        for (LoopShare share : node.loops()) {
            links.add(new Link(share, loops.get(share.number()), transport, names));
        }
        inbox = new RedisLink(settings, transport, loops.get(0), names, timer, new RedisLink.Listener() {
            @Override
            public void onConnected() {
                // The messages of other nodes arrive from now on.
            }

            @Override
            public void onLost(String reason) {
                // The connection of the first event loop logs it.
            }
        });
        inbox.listenTo(node.inbox(), node::onMessage);
    }

    /**
     * Begins to connect.
     *
     * @param loops the event loops of the shares, in the same order
     * @param names resolves the server's name
     * @throws IllegalArgumentException if TLS cannot be set up
     */
    public static RedisStreams open(
            NodeShare node, Transport transport, List<EventLoop> loops, AddressResolverGroup<InetSocketAddress> names) {
        var streams = new RedisStreams(node, transport, loops, names);
        streams.links.forEach(Link::open);
        streams.inbox.open();
        return streams;
    }

    /**
     * Ships the remaining bytes and closes the connections. Must be called after all streams have ended, and not on an
     * event loop.
     */
    @Override
    public void close() {
        var shipped = new ArrayList<CompletableFuture<?>>();
        for (Link link : links) {
            var its = new CompletableFuture<Void>();
            link.close(its);
            shipped.add(its);
        }
        Link first = links.get(0);
        var ended = new CompletableFuture<Void>();
        try {
            CompletableFuture.allOf(shipped.toArray(CompletableFuture[]::new)).get(2, TimeUnit.SECONDS);
            first.loop.execute(() -> {
                node.endLease();
                first.confirm(ended);
            });
            ended.get(1, TimeUnit.SECONDS);
        } catch (Exception e) {
            LOG.warn("streams: Redis has not confirmed the last of them before the end");
        }
        inbox.close();
        links.forEach(link -> link.redis.close());
        timer.stop();
    }

    /** Frees the memory that TLS has outside the heap. May be called once, after all event loops have ended. */
    public void releaseTls() {
        links.forEach(link -> link.redis.release());
        inbox.release();
    }
}
