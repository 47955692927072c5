package io.millrace.server.relay;

import io.millrace.server.config.RelayConfig;
import io.millrace.server.config.RelayConfig.Resume;
import io.millrace.server.downstream.ClientConnection;
import io.millrace.server.live.LiveRecorder;
import io.millrace.server.memory.LoopMemory;
import io.millrace.server.replay.ReplayMemory;
import io.millrace.server.replay.StreamNames;
import io.millrace.server.share.LoopShare;
import io.millrace.server.share.NodeShare;
import io.millrace.server.share.StreamId;
import io.millrace.server.telemetry.AccessLogger;
import io.millrace.server.telemetry.LoopCounters;
import io.millrace.server.telemetry.Summary;
import io.millrace.server.telemetry.Timeline;
import io.millrace.server.telemetry.Tracing;
import io.millrace.server.telemetry.UsageLogger;
import io.millrace.server.timing.Sweeper;
import io.millrace.server.timing.Turns;
import io.millrace.server.upstream.Connector;
import io.millrace.server.upstream.Upstreams;
import io.netty.buffer.ByteBufAllocator;
import io.netty.channel.EventLoop;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;

/**
 * The parts that the exchanges of one event loop share. Confined to that event loop.
 *
 * @param upstreams its connections to upstreams
 * @param recorder of the live view's history
 * @param memory the account of its memory
 * @param relief frees memory
 * @param requests how many requests of clients begin in one turn
 * @param streams the streams that their clients may stop or read again
 * @param shared the parts that all event loops share
 * @param readingOn for each stream that goes on without its client, an action that ends it at once
 */
record RelayLoop(
        EventLoop eventLoop,
        Upstreams upstreams,
        Sweeper sweeper,
        LoopCounters counters,
        AccessLogger accessLogger,
        UsageLogger usageLogger,
        LiveRecorder recorder,
        LoopMemory memory,
        MemoryRelief relief,
        Turns requests,
        OpenStreams streams,
        Shared shared,
        Set<ClientConnection> connections,
        Set<Runnable> readingOn,
        RequestIds requestIds) {
    /** Each may take 0.1 ms, and with it the begin of its answer. The streams of other clients wait. */
    private static final int REQUESTS_A_TURN = 8;

    /** Turns that are longer begin more requests: these get a tenth of a busy event loop. */
    private static final long LONG_TURN_NS = Duration.ofMillis(8).toNanos();

    /** Each brings a reader that is behind up to 64 KiB. */
    private static final int REPLAYS_A_TURN = 16;

    private static final long MAX_SWEEP_PERIOD_NS = Duration.ofMillis(250).toNanos();
    private static final long MIN_SWEEP_PERIOD_NS = Duration.ofMillis(5).toNanos();

    /**
     * Creates the parts of {@code loop}, which is the relay's event loop number {@code number}.
     *
     * @param accessLog receives the lines of the access log
     */
    static RelayLoop open(
            int number,
            EventLoop loop,
            Connector connector,
            RelayConfig config,
            Logger accessLog,
            LoopMemory memory,
            Shared shared) {
        var sweeper = new Sweeper(loop, sweepPeriodNs(config));
        var counters = new LoopCounters(config.telemetry().nativeHistograms());
        sweeper.measure(counters.histograms()::late);
        var upstreams = connector.upstreams(sweeper, counters.histograms()::connected);
        var log = new AccessLogger(accessLog, sweeper, config.accessLog());
        RelayLoop opened = of(number, loop, upstreams, sweeper, counters, log, memory, shared);
        opened.usageLogger.settings(config.telemetry().usageLog());
        return opened;
    }

    /** Creates the parts of {@code loop}, which is the relay's event loop number {@code number}. */
    static RelayLoop of(
            int number,
            EventLoop loop,
            Upstreams upstreams,
            Sweeper sweeper,
            LoopCounters counters,
            AccessLogger log,
            LoopMemory memory,
            Shared shared) {
        var connections = new HashSet<ClientConnection>();
        var relief = new MemoryRelief(loop, memory, connections);
        memory.onFull(relief::ask);
        loop.execute(() -> memory.attach(loop));
        var replays = new Turns(loop, REPLAYS_A_TURN);
        var streams = new OpenStreams(
                number,
                replays,
                sweeper,
                shared.logs(),
                shared.names(),
                shared.share(number, loop, replays),
                shared.resume());
        return new RelayLoop(
                loop,
                upstreams,
                sweeper,
                counters,
                log,
                new UsageLogger(sweeper),
                new LiveRecorder(loop),
                memory,
                relief,
                new Turns(loop, REQUESTS_A_TURN, LONG_TURN_NS, System::nanoTime),
                streams,
                shared,
                connections,
                new HashSet<>(),
                new RequestIds());
    }

    /**
     * The parts that all event loops of the relay share.
     *
     * @param logs the memory for logs
     * @param names the names of all streams
     * @param all the event loops, in the order of their numbers
     * @param node what is shared with other nodes; null if that is nothing
     * @param relaying how many of the event loops relay
     * @param resume the settings of streams that are kept
     * @param tracing the traces of all exchanges
     */
    record Shared(
            ReplayMemory logs,
            StreamNames names,
            List<RelayLoop> all,
            @Nullable NodeShare node,
            int relaying,
            Supplier<Resume> resume,
            Tracing tracing) {
        /** The part of an event loop in what is shared with other nodes; null if there is none. */
        private @Nullable LoopShare share(int number, EventLoop loop, Turns replays) {
            return node == null || number >= relaying ? null : node.add(loop, replays, ByteBufAllocator.DEFAULT, logs);
        }

        /** The event loop in a stream's id, or the one that reads it; null if there is none. */
        private @Nullable RelayLoop ownerOf(String streamId) {
            StreamId parts = StreamId.of(streamId);
            if (parts == null) {
                return null;
            }
            int number = parts.loop();
            if (!parts.node().equals(node == null ? "" : node.name())) {
                LoopShare reader = node == null ? null : node.readerOf(streamId);
                number = reader == null ? -1 : reader.number();
            }
            return number < 0 || number >= all.size() ? null : all.get(number);
        }
    }

    /** The event loop that has a stream, or reads it from elsewhere; null if the id names none. */
    @Nullable
    RelayLoop ownerOf(String streamId) {
        return shared.ownerOf(streamId);
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

    /** The traces of all exchanges. */
    Tracing tracing() {
        return shared.tracing();
    }

    /**
     * Counts, logs and records an exchange that is over. Its first output may be in what this turn of the loop still has to
     * flush: then this waits for the flush, which brings its time.
     */
    void onEnded(Summary summary) {
        Timeline timeline = summary.timeline();
        if (timeline.firstOutputNs != 0 && timeline.firstOutputWrittenNs == 0) {
            later(() -> record(summary));
        } else {
            record(summary);
        }
    }

    private void record(Summary summary) {
        counters.ended(summary);
        accessLogger.log(summary);
        usageLogger.log(summary);
        recorder.ended(summary);
        tracing().ended(summary);
    }

    /** Passes on the lines that the logs hold. Exchanges that end later write theirs at once. */
    void closeLogs() {
        accessLogger.close();
        usageLogger.close();
    }

    /** Runs {@code task} behind all that is queued; at once if the event loop has ended and takes no more tasks. */
    private void later(Runnable task) {
        try {
            eventLoop.execute(task);
        } catch (RejectedExecutionException e) {
            task.run();
        }
    }

    /** A tenth of the shortest limit that the sweep checks, so that a limit is late by at most this. */
    static long sweepPeriodNs(RelayConfig config) {
        var all = new ArrayList<>(List.of(config.timeouts()));
        config.routes().forEach(route -> route.targets().forEach(target -> all.add(route.timeouts(target))));
        var limits = all.stream()
                .flatMap(timeouts -> Stream.of(
                        timeouts.ttft(),
                        timeouts.idle(),
                        timeouts.progress(),
                        timeouts.hold(),
                        timeouts.terminalGrace(),
                        timeouts.writeStall(),
                        timeouts.keepAlive(),
                        timeouts.requestHead(),
                        timeouts.requestBodyIdle()));
        var heartbeats = config.routes().stream().map(route -> route.heartbeat().interval());
        long shortestNs = Stream.concat(limits, heartbeats)
                .mapToLong(Duration::toNanos)
                .filter(ns -> ns > 0)
                .min()
                .orElseThrow();
        return Math.max(MIN_SWEEP_PERIOD_NS, Math.min(MAX_SWEEP_PERIOD_NS, shortestNs / 10));
    }
}
