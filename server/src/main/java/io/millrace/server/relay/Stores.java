package io.millrace.server.relay;

import io.millrace.codec.dialect.Dialect;
import io.millrace.codec.dialect.RelayError;
import io.millrace.server.config.RedisSettings;
import io.millrace.server.config.RelayConfig;
import io.millrace.server.config.ResumeStore;
import io.millrace.server.limit.SharedLimits;
import io.millrace.server.redis.RedisLimits;
import io.millrace.server.redis.RedisStreams;
import io.millrace.server.replay.ReplayMemory;
import io.millrace.server.replay.StreamLog;
import io.millrace.server.replay.StreamNames;
import io.millrace.server.share.NodeShare;
import io.millrace.server.telemetry.Tracing;
import io.millrace.server.upstream.Connector;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.ByteBufUtil;
import io.netty.channel.EventLoop;
import java.util.Collections;
import java.util.List;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** What the relay shares with other nodes: the limits of clients, and streams that are kept. */
final class Stores {
    static final String LOST = "The node of the relay that had this stream is gone";

    private final RelayConfig config;
    private final Connector connector;
    private final List<EventLoop> loops;
    private final Supplier<RelayConfig> current;
    private final @Nullable NodeShare node;
    private @Nullable RedisLimits limits;
    private @Nullable RedisStreams streams;

    /**
     * Nothing is connected yet.
     *
     * @param loops those that relay
     */
    Stores(RelayConfig config, Connector connector, List<EventLoop> loops, Owner owner) {
        this.config = config;
        this.connector = connector;
        this.loops = loops;
        current = owner.config();
        ResumeStore store = config.resume().redis();
        node = store == null ? null : new NodeShare(store, owner, System::nanoTime);
    }

    /** The relay, as other nodes see it. */
    record Owner(List<RelayLoop> all, Supplier<RelayConfig> config) implements NodeShare.Owner {
        @Override
        public boolean stop(int loop, String id, byte[] key) {
            return all.get(loop).streams().stop(id, key);
        }

        @Override
        public @Nullable ByteBuf lostEvent(String text, StreamLog log, ByteBufAllocator alloc) {
            LogHead head = LogHead.read(text);
            if (head == null || !head.hasFrames()) {
                return null;
            }
            if (head.lostEvent() != null) {
                return ByteBufUtil.writeUtf8(alloc, head.lostEvent());
            }
            Dialect dialect = head.dialect();
            long number = dialect == Dialect.RESPONSES ? LastNumber.of(log, alloc) : -1;
            return dialect.errorFrame(alloc, RelayError.RELAY_LOST, LOST, number, head.id());
        }

        @Override
        public int most() {
            return config.get().resume().bytes();
        }
    }

    /** What event loops share of streams; {@code all} gets the loops before the first request. */
    RelayLoop.Shared shared(List<RelayLoop> all) {
        var memory = new ReplayMemory(config.resume().memory());
        return new RelayLoop.Shared(
                memory,
                new StreamNames(),
                Collections.unmodifiableList(all),
                node,
                loops.size(),
                () -> current.get().resume(),
                Tracing.of(config.telemetry().otlp()));
    }

    /** Begins to share; {@code clients} are their limits, null if these are not shared. */
    void open(@Nullable SharedLimits clients) {
        RedisSettings store = config.clients().redis();
        if (store != null && clients != null) {
            limits = RedisLimits.open(store, config.transport(), loops.get(0), connector.names(), clients);
        }
        if (node != null) {
            streams = RedisStreams.open(node, config.transport(), loops, connector.names());
        }
    }

    /** What is shared of streams; null if that is nothing. */
    @Nullable
    NodeShare node() {
        return node;
    }

    /** Ships what is left, and ends the connections. To be called by another thread than an event loop. */
    void close() {
        if (limits != null) {
            limits.close();
        }
        if (streams != null) {
            streams.close();
        }
    }

    /** To be called once, when no loop runs any more. */
    void releaseTls() {
        if (limits != null) {
            limits.releaseTls();
        }
        if (streams != null) {
            streams.releaseTls();
        }
    }
}
