package io.millrace.server.mock;

import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;

/** The running counts for {@link MockStats}. Every event loop writes them. */
final class MockCounters {
    final LongAdder open = new LongAdder();
    final LongAdder connections = new LongAdder();
    final LongAdder active = new LongAdder();
    final AtomicLong requests = new AtomicLong();
    final LongAdder completed = new LongAdder();
    final LongAdder aborted = new LongAdder();
    final LongAdder cut = new LongAdder();
    final LongAdder frames = new LongAdder();
    final LongAdder bytes = new LongAdder();

    MockStats snapshot() {
        return new MockStats(
                open.sum(),
                connections.sum(),
                active.sum(),
                requests.get(),
                completed.sum(),
                aborted.sum(),
                cut.sum(),
                frames.sum(),
                bytes.sum());
    }
}
