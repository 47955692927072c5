package io.millrace.server.redis;

import static java.util.concurrent.TimeUnit.MILLISECONDS;

import io.millrace.server.config.RedisSettings;
import io.millrace.server.limit.SharedChange;
import io.millrace.server.limit.SharedLimits;
import io.millrace.server.transport.Transport;
import io.netty.channel.EventLoop;
import io.netty.resolver.AddressResolverGroup;
import io.netty.util.Timer;
import io.netty.util.concurrent.Future;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Shares the limits of clients through Redis. Every 100 ms it sends what this node has used and gets what the other
 * nodes have used. After a large use it sends within 5 ms. Once a second it counts the nodes. If Redis is silent for
 * half a second, refuses a command, or cannot be reached, it tells the limits that the store is down.
 *
 * <p>Confined to one event loop, except for {@link #open} and {@link #close}. No request waits for it.
 */
public final class RedisLimits implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(RedisLimits.class);
    private static final long TICK_MS = 100;
    /** An early message is sent at least this long after the message before it. */
    private static final long GAP_NS = MILLISECONDS.toNanos(5);

    private static final long SILENCE_NS = MILLISECONDS.toNanos(500);
    private static final long BEAT_NS = MILLISECONDS.toNanos(1_000);
    private static final long GONE_NS = MILLISECONDS.toNanos(10_000);
    /** The most messages in one go, before the first answer has come. */
    private static final int MOST_AT_ONCE = 16;

    private final RedisSettings settings;
    private final EventLoop loop;
    private final SharedLimits limits;
    private final RedisLink link;
    private final String node = Long.toString(ThreadLocalRandom.current().nextLong(1L << 40, 1L << 44), 36);
    private final Timer timer = RedisLink.newTimer();
    private @Nullable Future<?> ticks;
    private int unanswered;
    private long sentAtNs;
    private long beatAtNs;
    private long enoughAtNs = System.nanoTime();
    private boolean early;
    private boolean up;
    private String told = "";

    private RedisLimits(
            RedisSettings settings,
            Transport transport,
            EventLoop loop,
            AddressResolverGroup<InetSocketAddress> names,
            SharedLimits limits) {
        this.settings = settings;
        this.loop = loop;
        this.limits = limits;
        link = new RedisLink(settings, transport, loop, names, timer, new RedisLink.Listener() {
            @Override
            public void onConnected() {
                unanswered = 0;
                beat(System.nanoTime());
            }

            @Override
            public void onLost(String reason) {
                lost(reason);
            }
        });
    }

    /**
     * Begins to connect, and to share {@code limits}.
     *
     * @param loop the event loop for everything
     * @param names resolves the server's name
     * @throws IllegalArgumentException if TLS cannot be set up
     */
    public static RedisLimits open(
            RedisSettings settings,
            Transport transport,
            EventLoop loop,
            AddressResolverGroup<InetSocketAddress> names,
            SharedLimits limits) {
        var shared = new RedisLimits(settings, transport, loop, names, limits);
        limits.onHurry(() -> loop.execute(shared::tellEarly));
        loop.execute(shared::start);
        shared.link.open();
        return shared;
    }

    private void start() {
        ticks = loop.scheduleAtFixedRate(this::tick, TICK_MS, TICK_MS, MILLISECONDS);
    }

    private void tick() {
        long nowNs = System.nanoTime();
        if (!link.isConnected()) {
            return;
        }
        if (unanswered > 0 && nowNs - sentAtNs > SILENCE_NS) {
            link.reset("no answer for " + TimeUnit.NANOSECONDS.toMillis(SILENCE_NS) + " ms");
        } else if (unanswered == 0) {
            if (nowNs - beatAtNs >= BEAT_NS) {
                beat(nowNs);
            }
            tell(nowNs);
        }
    }

    private void tellEarly() {
        long nowNs = System.nanoTime();
        if (unanswered > 0) {
            early = true;
        } else if (nowNs - sentAtNs >= GAP_NS) {
            tell(nowNs);
        } else {
            loop.schedule(this::tellEarly, GAP_NS - (nowNs - sentAtNs), TimeUnit.NANOSECONDS);
        }
    }

    /** Sends the changes since the last message, if that one was answered. */
    private void tell(long nowNs) {
        if (!up || !link.isConnected()) {
            return;
        }
        long nowMs = System.currentTimeMillis();
        for (int i = 0; i < MOST_AT_ONCE; i++) {
            List<SharedChange> changes = limits.next(nowNs, nowMs);
            if (changes.isEmpty()) {
                break;
            }
            send(changes, nowNs);
        }
    }

    private void send(List<SharedChange> changes, long nowNs) {
        var keys = new ArrayList<String>(changes.size());
        var arguments = new ArrayList<String>(changes.size() * Scripts.ARGUMENTS);
        for (SharedChange change : changes) {
            keys.add(settings.prefix() + "limits:" + change.key());
            Scripts.add(arguments, change);
        }
        begin(nowNs);
        Scripts.eval(link, Scripts.TELL, keys, arguments, (totals, refusal) -> {
            if (refusal == null) {
                long atNs = System.nanoTime() / 2 + nowNs / 2;
                for (int i = 0; i < changes.size(); i++) {
                    changes.get(i).answer().total(totals.get(i), atNs);
                }
                onTold();
            } else {
                changes.forEach(change -> change.answer().refused());
                onRefused(refusal);
            }
        });
    }

    private void onTold() {
        limits.onTold(true);
        answered();
    }

    private void begin(long nowNs) {
        if (unanswered++ == 0) {
            sentAtNs = nowNs;
        }
    }

    private void answered() {
        unanswered--;
        if (unanswered == 0 && early) {
            early = false;
            tellEarly();
        }
    }

    /** Tells Redis that this node is running, and asks how many nodes are. */
    private void beat(long nowNs) {
        beatAtNs = nowNs;
        begin(nowNs);
        Scripts.eval(
                link, Scripts.BEAT, List.of(settings.prefix() + "limits:nodes"), List.of(node), (count, refusal) -> {
                    if (refusal == null) {
                        count(Math.toIntExact(count.get(0)), nowNs);
                        answered();
                        found();
                    } else {
                        onRefused(refusal);
                    }
                });
    }

    /**
     * A smaller number of nodes is believed only after a while. After a restart of Redis, the node that comes back
     * first is alone there.
     */
    private void count(int nodes, long nowNs) {
        if (nodes >= limits.nodes()) {
            enoughAtNs = nowNs;
        }
        if (nodes >= limits.nodes() || nowNs - enoughAtNs > GONE_NS) {
            limits.nodes(nodes);
        }
    }

    private void onRefused(String refusal) {
        limits.onTold(false);
        answered();
        lost(RedisLink.refused(refusal));
    }

    private void found() {
        if (up) {
            return;
        }
        up = true;
        limits.onUp(System.nanoTime());
        told = "";
        LOG.info("limits of clients are shared: {}; nodes: {}", settings.url(), limits.nodes());
        tell(System.nanoTime());
    }

    private void lost(String reason) {
        unanswered = link.isConnected() ? unanswered : 0;
        // After the first message about a loss, only another answer of the server is worth a line in the log.
        boolean news = up || told.isEmpty() || (reason.startsWith(RedisLink.REFUSED) && !reason.equals(told));
        up = false;
        limits.onDown();
        if (news) {
            told = reason;
            LOG.warn("limits of clients are not shared: {}: {}; meanwhile {}", settings.url(), reason, meanwhile());
        }
    }

    private String meanwhile() {
        int nodes = limits.nodes();
        if (limits.isRefusing()) {
            return "clients with such limits are refused";
        }
        return nodes == 1 ? "this node, the only one known, has all" : "each of " + nodes + " nodes has its part";
    }

    /** Closes the connection. The limits stay as they are. Must not be called on the event loop. */
    @Override
    public void close() {
        loop.execute(() -> {
            if (ticks != null) {
                ticks.cancel(false);
            }
        });
        link.close();
        timer.stop();
    }

    /** Frees the memory that TLS has outside the heap. May be called once, after all event loops have ended. */
    public void releaseTls() {
        link.release();
    }
}
