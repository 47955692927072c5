package io.millrace.server.telemetry;

import io.millrace.server.config.Telemetry.Otlp;
import io.netty.handler.codec.http.HttpHeaders;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * Decides which exchanges are recorded, and keeps those that have ended for whoever exports them. Any thread may use it,
 * and none waits. An exchange that is not recorded costs the choice of its trace id.
 */
public final class Tracing {
    /** Nothing is recorded, and {@code traceparent} passes unchanged. */
    public static final Tracing OFF = new Tracing(false, 0);

    /** Exchanges that wait for the exporter. Further ones are lost. */
    static final int MOST_WAITING = 1024;

    private final boolean on;
    private final long threshold;
    private final Queue<Summary> waiting = new ConcurrentLinkedQueue<>();
    private final AtomicInteger count = new AtomicInteger();
    private final AtomicLong lost = new AtomicLong();

    private Tracing(boolean on, double ratio) {
        this.on = on;
        threshold = ratio >= 1 ? Long.MAX_VALUE : (long) (ratio * Long.MAX_VALUE);
    }

    /** Tracing as the settings say. */
    public static Tracing of(Otlp settings) {
        return settings.tracing() ? new Tracing(true, settings.ratio()) : OFF;
    }

    /**
     * The names that others have for the request with this head, and its trace. A client's trace goes on. The relay takes
     * no part in it if the client does not record it.
     */
    public Correlation correlate(HttpHeaders head) {
        Correlation names = Correlation.of(head);
        if (!on) {
            return names;
        }
        TraceParent parent = parent(head);
        if (parent != null && !parent.isSampled()) {
            return names;
        }
        Trace trace = parent == null ? begin() : Trace.of(parent);
        return new Correlation(names.requestId(), trace.id(), trace);
    }

    /** An exchange is over. */
    public void ended(Summary summary) {
        Trace trace = summary.request().correlation().trace();
        if (trace == null || !trace.isSampled()) {
            return;
        }
        if (count.incrementAndGet() > MOST_WAITING) {
            count.decrementAndGet();
            lost.incrementAndGet();
        } else {
            waiting.add(summary);
        }
    }

    /** Takes the first of the recorded exchanges that wait; null if there is none. */
    public @Nullable Summary poll() {
        Summary first = waiting.poll();
        if (first != null) {
            count.decrementAndGet();
        }
        return first;
    }

    /** Recorded exchanges that were lost so far, because too many waited. */
    public long lost() {
        return lost.get();
    }

    private Trace begin() {
        var random = ThreadLocalRandom.current();
        long low = random.nextLong();
        boolean sampled = threshold == Long.MAX_VALUE || (low & Long.MAX_VALUE) < threshold;
        return Trace.begin(random.nextLong(), low == 0 ? 1 : low, sampled);
    }

    private static @Nullable TraceParent parent(HttpHeaders head) {
        List<String> parents = head.getAll(Trace.PARENT);
        return parents.size() == 1 ? TraceParent.read(parents.get(0).trim()) : null;
    }
}
