package io.millrace.server.live;

import java.util.ArrayDeque;
import java.util.List;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BooleanSupplier;
import java.util.stream.LongStream;

/**
 * The last ten minutes, a point for every two seconds. A point costs a few microseconds, and is made whether or not someone
 * watches, so that the page can show what happened before it was opened. While the relay has no requests there are no
 * points, and no timer. Thread-safe.
 */
public final class LiveHistory {
    static final long PERIOD_MS = 2_000;
    private static final int POINTS = 300;

    private final List<LiveRecorder> loops;
    private final BooleanSupplier busy;
    private final ScheduledExecutorService timer;
    private final AtomicBoolean running = new AtomicBoolean();
    private final ArrayDeque<Point> points = new ArrayDeque<>();
    private long[] ttft = new long[LiveTimes.CELLS];
    private long[] gaps = new long[LiveTimes.CELLS];
    private long[] ends = new long[LiveRecorder.ENDS];
    private long count;

    /**
     * What happened in one period. Times are milliseconds, -1 if there were none.
     *
     * @param atNs its end
     * @param number one more than that of the point before
     * @param ends how many requests ended, by {@link LiveRecorder#ENDS}
     * @param lagMs the most by which an event loop ran a task late
     */
    @SuppressWarnings("ArrayRecordComponent") // never compared
    record Point(
            long atNs,
            long number,
            double ttftP50,
            double ttftP95,
            double ttftP99,
            double gapP50,
            double gapP99,
            long[] ends,
            double lagMs) {}

    /**
     * Nothing yet.
     *
     * @param busy whether there are requests in progress
     * @param timer makes the points
     */
    public LiveHistory(List<LiveRecorder> loops, BooleanSupplier busy, ScheduledExecutorService timer) {
        this.loops = List.copyOf(loops);
        this.busy = busy;
        this.timer = timer;
    }

    /** Makes points from now on, until a period passes without requests. To be called when a request has begun. */
    public void onRequest() {
        if (!running.get() && running.compareAndSet(false, true)) {
            schedule();
        }
    }

    private void schedule() {
        try {
            var unused = timer.schedule(this::onPeriod, PERIOD_MS, TimeUnit.MILLISECONDS);
        } catch (RejectedExecutionException e) {
            // The timer's event loop ends sooner than another one, which has just read a request.
            running.set(false);
        }
    }

    private void onPeriod() {
        boolean ended = add(System.nanoTime());
        if (ended || busy.getAsBoolean()) {
            schedule();
            return;
        }
        running.set(false);
        if (busy.getAsBoolean()) { // a request has begun since
            onRequest();
        }
    }

    /** Makes the point of the period that ends now; says whether requests ended in it. */
    synchronized boolean add(long nowNs) {
        var nextTtft = new long[LiveTimes.CELLS];
        var nextGaps = new long[LiveTimes.CELLS];
        var nextEnds = new long[LiveRecorder.ENDS];
        long lateNs = 0;
        for (LiveRecorder loop : loops) {
            loop.ttft.addTo(nextTtft);
            loop.gaps.addTo(nextGaps);
            loop.addEndsTo(nextEnds);
            lateNs = Math.max(lateNs, loop.lateNs());
        }
        long[] itsTtft = minus(nextTtft, ttft);
        long[] itsGaps = minus(nextGaps, gaps);
        long[] itsEnds = minus(nextEnds, ends);
        points.add(new Point(
                nowNs,
                count++,
                LiveTimes.percentileMs(itsTtft, 0.5),
                LiveTimes.percentileMs(itsTtft, 0.95),
                LiveTimes.percentileMs(itsTtft, 0.99),
                LiveTimes.percentileMs(itsGaps, 0.5),
                LiveTimes.percentileMs(itsGaps, 0.99),
                itsEnds,
                lateNs / 1e6));
        if (points.size() > POINTS) {
            points.remove();
        }
        ttft = nextTtft;
        gaps = nextGaps;
        ends = nextEnds;
        return LongStream.of(itsEnds).sum() != 0;
    }

    /** The points from {@code number} on. */
    synchronized List<Point> from(long number) {
        return points.stream().filter(point -> point.number() >= number).toList();
    }

    private static long[] minus(long[] now, long[] before) {
        var change = new long[now.length];
        for (int i = 0; i < now.length; i++) {
            change[i] = now[i] - before[i];
        }
        return change;
    }
}
