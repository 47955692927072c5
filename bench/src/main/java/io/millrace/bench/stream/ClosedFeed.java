package io.millrace.bench.stream;

import io.netty.channel.EventLoop;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/** A closed loop: a number of clients. Each one asks again as soon as it has its answer. */
@SuppressWarnings("NullAway.Init") // set at the start
final class ClosedFeed implements Feed {
    private static final long AFTER_FAILURE_MS = 100;

    private final LoadShape shape;
    private final long startNs;
    private final AtomicLong begun;
    private final AtomicLong measuredBegun;
    private final int turn;
    private final int lanes;
    private Lane lane;
    private EventLoop loop;
    private int clients;
    private boolean stopped;

    /**
     * @param begun the number of streams of all lanes, which gives each stream its number
     * @param measuredBegun the number of streams of the measured part
     */
    ClosedFeed(LoadShape shape, long startNs, AtomicLong begun, AtomicLong measuredBegun, int turn, int lanes) {
        this.shape = shape;
        this.startNs = startNs;
        this.begun = begun;
        this.measuredBegun = measuredBegun;
        this.turn = turn;
        this.lanes = lanes;
    }

    /** The part of {@code all} that belongs to one of the lanes. */
    static int share(int all, int turn, int lanes) {
        return all / lanes + (turn < all % lanes ? 1 : 0);
    }

    @Override
    public void start(Lane lane, EventLoop loop) {
        this.lane = lane;
        this.loop = loop;
        clients = share(shape.concurrency(), turn, lanes);
        for (int client = 0; client < clients; client++) {
            long dueNs =
                    startNs + (long) ((double) shape.rampNs() * (client * (long) lanes + turn) / shape.concurrency());
            loop.schedule(() -> next(dueNs), dueNs - System.nanoTime(), TimeUnit.NANOSECONDS);
        }
        long endNs = startNs + shape.leadNs() + shape.durationNs();
        if (shape.durationNs() != Long.MAX_VALUE) {
            loop.schedule(this::endInTime, endNs - System.nanoTime(), TimeUnit.NANOSECONDS);
        }
        if (clients == 0) {
            lane.drainUntil(endNs);
        }
    }

    @Override
    public void onEnd(StreamSample sample) {
        if (sample.outcome() == Outcome.COMPLETED) {
            next(System.nanoTime());
            return;
        }
        // Not at once: the event that ended the stream may still be in progress, and streams that fail at once would
        // recurse.
        boolean noAnswer = sample.outcome().isError() && sample.firstByteNs() == 0;
        loop.schedule(() -> next(System.nanoTime()), noAnswer ? AFTER_FAILURE_MS : 0, TimeUnit.MILLISECONDS);
    }

    @Override
    public boolean isDry() {
        return clients == 0;
    }

    @Override
    public int maxInProgress() {
        return 0;
    }

    @Override
    public void stop() {
        stopped = true;
        clients = 0;
    }

    private void endInTime() {
        stopped = true;
        lane.drainUntil(System.nanoTime() + shape.drainNs());
    }

    private void next(long scheduledNs) {
        if (clients == 0) {
            return;
        }
        long offsetNs = scheduledNs - startNs;
        boolean measured = offsetNs >= shape.leadNs();
        boolean over = stopped || (measured && offsetNs - shape.leadNs() >= shape.durationNs());
        if (over || (measured && measuredBegun.getAndIncrement() >= shape.requests())) {
            clients--;
            lane.drainUntil(System.nanoTime() + shape.drainNs());
            return;
        }
        lane.dispatch(begun.getAndIncrement(), scheduledNs, measured);
    }
}
