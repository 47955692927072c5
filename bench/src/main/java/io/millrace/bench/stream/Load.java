package io.millrace.bench.stream;

import io.millrace.server.transport.Transport;
import io.netty.channel.EventLoop;
import io.netty.channel.EventLoopGroup;
import io.netty.util.concurrent.Future;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.IntFunction;
import java.util.function.LongSupplier;
import java.util.function.ToIntFunction;

/**
 * A load in progress: one lane per event loop. It ends by itself or by {@link #abort}. Methods may be called from any
 * thread except the event loops'.
 */
public final class Load {
    /** The time between the call and the first stream. All lanes are ready after it. */
    private static final long LEAD_IN_NS = TimeUnit.MILLISECONDS.toNanos(20);

    private final List<Lane> lanes = new ArrayList<>();
    private final List<EventLoop> loops = new ArrayList<>();
    private final long startNs;

    private Load(
            StreamPlan plan,
            EventLoopGroup group,
            int count,
            Transport transport,
            IntFunction<StreamObserver> observers) {
        var descriptors = Descriptors.ofProcess(); // the first call takes longer than the lead-in
        startNs = System.nanoTime() + LEAD_IN_NS;
        var begun = new AtomicLong();
        var measured = new AtomicLong();
        for (int turn = 0; turn < count; turn++) {
            var feed = plan.shape().isOpen()
                    ? new OpenFeed(plan.shape(), arrivals(plan), startNs, turn, count)
                    : new ClosedFeed(plan.shape(), startNs, begun, measured, turn, count);
            var loop = group.next();
            loops.add(loop);
            lanes.add(new Lane(
                    plan,
                    feed,
                    startNs + plan.shape().leadNs(),
                    http2Connections(plan, turn, count),
                    loop,
                    transport.clientChannel(),
                    descriptors,
                    observers.apply(turn)));
        }
    }

    /** The part of the connections of HTTP/2 that belongs to a lane: at least one of them. */
    private static int http2Connections(StreamPlan plan, int turn, int lanes) {
        int all = plan.template().http2Connections();
        return all == 0 ? 0 : Math.max(1, ClosedFeed.share(all, turn, lanes));
    }

    /** When the streams of an open loop are due. Each lane goes through all of them. */
    private static LongSupplier arrivals(StreamPlan plan) {
        var sessions = plan.sessions();
        long[] startsNs = sessions == null ? null : sessions.startsNs();
        if (startsNs != null) {
            var starts = Arrays.stream(startsNs).iterator();
            return () -> starts.hasNext() ? starts.nextLong() : Long.MAX_VALUE;
        }
        var shape = plan.shape();
        return new Arrivals(shape.rate(), shape.burstiness(), shape.rampNs(), plan.seed())::nextNs;
    }

    /**
     * Begins a load.
     *
     * @param group the {@code lanes} event loops, of {@code transport}
     * @param observers makes the observer of each lane, which is called on that lane's event loop only
     */
    public static Load start(
            StreamPlan plan,
            EventLoopGroup group,
            int lanes,
            Transport transport,
            IntFunction<StreamObserver> observers) {
        var load = new Load(plan, group, lanes, transport, observers);
        for (int turn = 0; turn < lanes; turn++) {
            load.loops.get(turn).execute(load.lanes.get(turn)::start);
        }
        return load;
    }

    /** When the first stream was due, on the clock of {@link System#nanoTime()}. */
    public long startNs() {
        return startNs;
    }

    /** Waits for the end for at most the given time. Returns whether the load has ended. */
    public boolean await(long timeout, TimeUnit unit) throws InterruptedException {
        long deadlineNs = System.nanoTime() + unit.toNanos(timeout);
        for (var lane : lanes) {
            Future<Void> done = lane.done();
            if (!done.await(Math.max(1, deadlineNs - System.nanoTime()), TimeUnit.NANOSECONDS)) {
                return false;
            }
        }
        return true;
    }

    /** Ends the load now. Streams in progress count as unfinished. */
    public void abort() {
        for (int turn = 0; turn < lanes.size(); turn++) {
            loops.get(turn).execute(lanes.get(turn)::abort);
        }
    }

    /** Streams in progress or waiting. */
    public int active() throws InterruptedException {
        return sum(Lane::active);
    }

    /** Open connections. */
    public int connections() throws InterruptedException {
        return sum(Lane::connections);
    }

    /** Streams in progress that have brought output. */
    public int streaming() throws InterruptedException {
        return sum(Lane::streaming);
    }

    /** How many requests were sent again on another connection, because the server had closed the idle one. */
    public int stale() throws InterruptedException {
        return sum(Lane::stale);
    }

    /** Runs a task on a lane's event loop and waits for its result. */
    public <T> T of(int lane, Callable<T> task) throws InterruptedException {
        try {
            return loops.get(lane).submit(task).get();
        } catch (ExecutionException e) {
            throw new IllegalStateException(e.getCause());
        }
    }

    private int sum(ToIntFunction<Lane> count) throws InterruptedException {
        int sum = 0;
        for (int turn = 0; turn < lanes.size(); turn++) {
            var lane = lanes.get(turn);
            sum += of(turn, () -> count.applyAsInt(lane));
        }
        return sum;
    }
}
