package io.millrace.bench.stream;

import io.netty.channel.EventLoop;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/** An open loop: streams begin when they are due. The lanes take the arrivals in turn. */
@SuppressWarnings("NullAway.Init") // set at the start
final class OpenFeed implements Feed {
    private final LoadShape shape;
    private final LongSupplier arrivals;
    private final long startNs;
    private final int turn;
    private final int lanes;
    private Lane lane;
    private EventLoop loop;
    private long index = -1;
    private long measuredBegun;
    private long nextNs;
    private boolean nextMeasured;
    private boolean dry;

    /** @param arrivals when each stream is due, as nanoseconds from the start; {@link Long#MAX_VALUE} for no more */
    OpenFeed(LoadShape shape, LongSupplier arrivals, long startNs, int turn, int lanes) {
        this.shape = shape;
        this.startNs = startNs;
        this.turn = turn;
        this.lanes = lanes;
        this.arrivals = arrivals;
    }

    @Override
    public void start(Lane lane, EventLoop loop) {
        this.lane = lane;
        this.loop = loop;
        advance();
        dispatchDue();
    }

    @Override
    public void onEnd(StreamSample sample) {}

    @Override
    public boolean isDry() {
        return dry;
    }

    @Override
    public int maxInProgress() {
        return shape.concurrency() == 0 ? 0 : Math.max(1, ClosedFeed.share(shape.concurrency(), turn, lanes));
    }

    @Override
    public void stop() {
        dry = true;
    }

    private void dispatchDue() {
        long nowNs;
        while (!dry && nextNs - (nowNs = System.nanoTime()) <= 0) {
            lane.dispatch(index, nextNs, nextMeasured);
            advance();
        }
        if (!dry) {
            loop.schedule(this::dispatchDue, nextNs - System.nanoTime(), TimeUnit.NANOSECONDS);
        } else {
            lane.drainUntil(System.nanoTime() + shape.drainNs());
        }
    }

    /** Advances to this lane's next arrival. */
    private void advance() {
        do {
            long offsetNs = arrivals.getAsLong();
            if (offsetNs == Long.MAX_VALUE) {
                dry = true;
                return;
            }
            nextMeasured = offsetNs >= shape.leadNs();
            boolean late = nextMeasured && offsetNs - shape.leadNs() >= shape.durationNs();
            if (late || (nextMeasured && measuredBegun >= shape.requests())) {
                dry = true;
                return;
            }
            measuredBegun += nextMeasured ? 1 : 0;
            index++;
            nextNs = startNs + offsetNs;
        } while (index % lanes != turn);
    }
}
