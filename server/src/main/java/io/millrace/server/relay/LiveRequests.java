package io.millrace.server.relay;

import io.millrace.server.balance.UpstreamState;
import io.millrace.server.live.CpuTime;
import io.millrace.server.live.LiveHistory;
import io.millrace.server.live.LiveSource;
import io.netty.channel.EventLoop;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.LongConsumer;
import java.util.function.Supplier;

/** The exchanges in progress for those who watch the relay. For any thread. */
final class LiveRequests implements LiveSource {
    private final List<RelayLoop> loops;
    private final Supplier<Map<String, UpstreamState>> upstreams;
    private final BooleanSupplier draining;
    private final LiveHistory history;

    /** Those of {@code loops}. */
    LiveRequests(
            List<RelayLoop> loops,
            Supplier<Map<String, UpstreamState>> upstreams,
            BooleanSupplier draining,
            BooleanSupplier busy) {
        this.loops = loops;
        this.upstreams = upstreams;
        this.draining = draining;
        history = new LiveHistory(
                loops.stream().map(RelayLoop::recorder).toList(),
                busy,
                loops.get(0).eventLoop());
    }

    @Override
    public LiveHistory history() {
        return history;
    }

    @Override
    public Map<String, UpstreamState> upstreams() {
        return upstreams.get();
    }

    @Override
    public boolean isDraining() {
        return draining.getAsBoolean();
    }

    @Override
    public List<Loop> loops() {
        return loops.stream()
                .<Loop>map(loop ->
                        (each, done) -> new Walk(loop, exchange -> each.accept(exchange.live()), done).begin())
                .toList();
    }

    @Override
    public void stop(String id, EventLoop asking, Consumer<Boolean> told) {
        var awaited = new AtomicInteger(loops.size());
        var found = new AtomicInteger();
        Consumer<Exchange> end = exchange -> {
            if (exchange.live().id().equals(id)) {
                exchange.end(OwnEnd.OPERATOR, caller -> true);
                found.incrementAndGet();
            }
        };
        LongConsumer done = tookNs -> {
            if (awaited.decrementAndGet() == 0) {
                asking.execute(() -> told.accept(found.get() > 0));
            }
        };
        for (RelayLoop loop : loops) {
            new Walk(loop, end, done).begin();
        }
    }

    /** Goes through the exchanges of one event loop, a part of them in each turn, so that no token waits long. */
    private static final class Walk implements Runnable {
        private static final int PART = 500;

        private final RelayLoop loop;
        private final Consumer<Exchange> each;
        private final LongConsumer done;
        private List<Exchange> exchanges = List.of();
        private int next;
        private long tookNs;

        Walk(RelayLoop loop, Consumer<Exchange> each, LongConsumer done) {
            this.loop = loop;
            this.each = each;
            this.done = done;
        }

        void begin() {
            loop.eventLoop().execute(() -> {
                long fromNs = CpuTime.nowNs();
                exchanges = InProgress.on(loop);
                tookNs = CpuTime.nowNs() - fromNs;
                run();
            });
        }

        @Override
        public void run() {
            long fromNs = CpuTime.nowNs();
            int end = Math.min(next + PART, exchanges.size());
            for (; next < end; next++) {
                Exchange exchange = exchanges.get(next);
                if (!exchange.isOver()) {
                    each.accept(exchange);
                }
            }
            tookNs += CpuTime.nowNs() - fromNs;
            if (next < exchanges.size()) {
                loop.eventLoop().schedule(this, 0, TimeUnit.NANOSECONDS); // a task would run in this same turn
            } else {
                done.accept(tookNs);
            }
        }
    }
}
