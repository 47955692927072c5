package io.millrace.server.relay;

import io.millrace.server.downstream.ClientConnection;
import io.millrace.server.memory.LoopMemory;
import io.millrace.server.telemetry.AccessLogger;
import io.millrace.server.telemetry.LoopCounters;
import io.millrace.server.telemetry.Summary;
import io.millrace.server.timing.Sweeper;
import io.millrace.server.upstream.Upstreams;
import io.netty.channel.EventLoop;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.ThreadLocalRandom;

/** What the exchanges of one event loop share: connections, counters, the sweep. Confined to that event loop. */
final class RelayLoop {
    private final EventLoop loop;
    private final Upstreams upstreams;
    private final Sweeper sweeper;
    private final LoopCounters counters;
    private final AccessLogger accessLogger;
    private final LoopMemory memory;
    private final MemoryRelief relief;
    private final OpenStreams streams;
    private final Set<Runnable> readingOn = new HashSet<>();
    private final Set<ClientConnection> connections = new HashSet<>();
    private final String idPrefix =
            "mr-" + Long.toString(ThreadLocalRandom.current().nextLong(1L << 40, 1L << 44), 36) + "-";
    private long nextId = ThreadLocalRandom.current().nextInt(36 * 36 * 36);

    RelayLoop(
            int number,
            EventLoop loop,
            Upstreams upstreams,
            Sweeper sweeper,
            LoopCounters counters,
            AccessLogger accessLogger,
            LoopMemory memory) {
        streams = new OpenStreams(number);
        this.loop = loop;
        this.upstreams = upstreams;
        this.sweeper = sweeper;
        this.counters = counters;
        this.accessLogger = accessLogger;
        this.memory = memory;
        relief = new MemoryRelief(loop, memory, connections);
        memory.onFull(relief::ask);
        loop.execute(() -> memory.attach(loop));
    }

    EventLoop eventLoop() {
        return loop;
    }

    Sweeper sweeper() {
        return sweeper;
    }

    /** Where its connections to upstreams come from. */
    Upstreams upstreams() {
        return upstreams;
    }

    LoopCounters counters() {
        return counters;
    }

    AccessLogger accessLogger() {
        return accessLogger;
    }

    /** What this loop holds. */
    LoopMemory memory() {
        return memory;
    }

    /** Makes room where memory is short. */
    MemoryRelief relief() {
        return relief;
    }

    /** The streams that their clients may stop. */
    OpenStreams streams() {
        return streams;
    }

    /** Of each stream that is read to its end without its client, what lets it go at once. */
    Set<Runnable> readingOn() {
        return readingOn;
    }

    /** Unique within the process and, but for chance, beyond it. */
    String nextRequestId() {
        return idPrefix + Long.toString(nextId++, 36);
    }

    Set<ClientConnection> connections() {
        return connections;
    }

    /** Counts and logs an exchange that is over. */
    void onEnded(Summary summary) {
        counters.ended(summary);
        accessLogger.log(summary);
    }
}
