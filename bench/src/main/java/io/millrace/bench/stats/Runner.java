package io.millrace.bench.stats;

import io.millrace.bench.stream.Load;
import io.millrace.bench.stream.StreamPlan;
import io.millrace.bench.stream.StreamSample;
import io.millrace.server.transport.Transport;
import io.netty.channel.EventLoopGroup;
import io.netty.util.concurrent.EventExecutor;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** Holds the client's event loops and runs loads on them, one after another. */
public final class Runner implements AutoCloseable {
    private static final long TICK_MS = 500;

    private final Transport transport;
    private final int lanes;
    private final EventLoopGroup group;
    private volatile boolean aborted;

    /** @param lanes the number of event loops */
    public Runner(Transport transport, int lanes) {
        this.transport = transport;
        this.lanes = lanes;
        group = transport.newEventLoops(lanes, "bench");
    }

    /** Receives the progress of a run, about twice a second, on the thread that runs the load. */
    @FunctionalInterface
    public interface Watcher {
        /** Ignores the progress. */
        Watcher NONE = (seconds, progress, active) -> {};

        /**
         * Receives the progress since the last call.
         *
         * @param seconds since the first stream was due
         * @param progress since the last call
         * @param active streams in progress
         */
        void onTick(double seconds, Progress progress, int active);
    }

    /**
     * Runs a load and waits until it is over.
     *
     * @param slo the limits for goodput, null for none
     * @param sink receives every measured stream on an event loop, null for none
     */
    public RunResult run(StreamPlan plan, @Nullable Slo slo, @Nullable Consumer<StreamSample> sink, Watcher watcher)
            throws InterruptedException {
        long baseNs = System.nanoTime();
        var begun = Instant.now();
        var recorders = new ArrayList<Recorder>();
        for (int i = 0; i < lanes; i++) {
            recorders.add(new Recorder(plan.shape(), baseNs, slo, sink));
        }
        var probe = new VitalsProbe(threads());
        var load = Load.start(plan, group, lanes, transport, recorders::get);
        boolean over = false;
        long stoppedNs = Long.MAX_VALUE;
        while (!over) {
            over = load.await(TICK_MS, TimeUnit.MILLISECONDS);
            if (aborted && !over) {
                stoppedNs = Math.min(stoppedNs, System.nanoTime());
                load.abort();
            }
            var progress = new Progress();
            for (int i = 0; i < lanes; i++) {
                progress.add(load.of(i, recorders.get(i)::takeProgress));
            }
            watcher.onTick((System.nanoTime() - load.startNs()) / 1e9, progress, load.active());
        }
        var beginning = new RunResult.Beginning(
                begun,
                baseNs,
                load.startNs() + plan.shape().leadNs(),
                Math.min(stoppedNs, System.nanoTime()),
                stoppedNs != Long.MAX_VALUE);
        return new RunResult(plan.shape(), beginning, slo, recorders, probe.end(), load.stale());
    }

    /** Aborts the current run and all later ones. May be called from any thread. */
    public void abort() {
        aborted = true;
    }

    /** Whether it was aborted. */
    public boolean isAborted() {
        return aborted;
    }

    @Override
    public void close() {
        group.shutdownGracefully(0, 5, TimeUnit.SECONDS).awaitUninterruptibly();
    }

    private List<Thread> threads() throws InterruptedException {
        var threads = new ArrayList<Thread>();
        for (EventExecutor loop : group) {
            threads.add(
                    loop.submit(Thread::currentThread).awaitUninterruptibly().getNow());
        }
        return threads;
    }
}
