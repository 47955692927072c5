package io.millrace.server.relay;

import io.millrace.server.downstream.ClientConnection;
import io.millrace.server.memory.LoopMemory;
import io.millrace.server.replay.ReplayMemory;
import io.millrace.server.telemetry.AccessLogger;
import io.millrace.server.telemetry.LoopCounters;
import io.millrace.server.telemetry.Summary;
import io.millrace.server.timing.Sweeper;
import io.millrace.server.upstream.Upstreams;
import io.netty.channel.EventLoop;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.ThreadLocalRandom;

/**
 * The parts that the exchanges of one event loop share. Confined to that event loop.
 *
 * @param upstreams its connections to upstreams
 * @param memory the account of its memory
 * @param relief frees memory
 * @param streams the streams that their clients may stop or read again
 * @param readingOn for each stream that goes on without its client, an action that ends it at once
 */
record RelayLoop(
        EventLoop eventLoop,
        Upstreams upstreams,
        Sweeper sweeper,
        LoopCounters counters,
        AccessLogger accessLogger,
        LoopMemory memory,
        MemoryRelief relief,
        OpenStreams streams,
        Set<ClientConnection> connections,
        Set<Runnable> readingOn,
        RequestIds requestIds) {
    /** Creates the parts of {@code loop}, which is the relay's event loop number {@code number}. */
    static RelayLoop of(
            int number,
            EventLoop loop,
            Upstreams upstreams,
            Sweeper sweeper,
            LoopCounters counters,
            AccessLogger log,
            LoopMemory memory,
            ReplayMemory logs) {
        var connections = new HashSet<ClientConnection>();
        var relief = new MemoryRelief(loop, memory, connections);
        memory.onFull(relief::ask);
        loop.execute(() -> memory.attach(loop));
        var streams = new OpenStreams(number, loop, sweeper, logs);
        return new RelayLoop(
                loop,
                upstreams,
                sweeper,
                counters,
                log,
                memory,
                relief,
                streams,
                connections,
                new HashSet<>(),
                new RequestIds());
    }

    /** Makes ids that are unique within the process and almost certainly outside of it. */
    static final class RequestIds {
        private final String prefix =
                "mr-" + Long.toString(ThreadLocalRandom.current().nextLong(1L << 40, 1L << 44), 36) + "-";
        private long next = ThreadLocalRandom.current().nextInt(36 * 36 * 36);

        String next() {
            return prefix + Long.toString(next++, 36);
        }
    }

    /** Counts and logs an exchange that is over. */
    void onEnded(Summary summary) {
        counters.ended(summary);
        accessLogger.log(summary);
    }
}
