package io.millrace.server.live;

import io.millrace.server.telemetry.Outcome;
import io.millrace.server.telemetry.Summary;
import io.millrace.server.telemetry.Timeline;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicLongArray;

/** What the history of the live view needs of the requests of one event loop. Only {@link LiveHistory} reads it. */
public final class LiveRecorder {
    /** The ends that are told apart: whole, failed upstream, ended by the client, refused or ended by the relay. */
    static final int ENDS = 4;

    private final Executor loop;
    final LiveTimes ttft = new LiveTimes();
    final LiveTimes gaps = new LiveTimes();
    private final AtomicLongArray ends = new AtomicLongArray(ENDS);
    private final AtomicLong lateNs = new AtomicLong();

    /** For requests of {@code loop}. */
    public LiveRecorder(Executor loop) {
        this.loop = loop;
    }

    /** A request ended. To be called on the event loop. */
    public void ended(Summary summary) {
        Timeline time = summary.timeline();
        int end = end(summary.response().outcome());
        ends.lazySet(end, ends.getPlain(end) + 1);
        if (summary.stream() != null && time.firstOutputWrittenNs != 0) {
            ttft.record(time.firstOutputWrittenNs - time.requestCompleteNs);
            gaps.record(time.longestGapNs());
        }
    }

    /** Adds the number of ends to {@code sums}. */
    void addEndsTo(long[] sums) {
        for (int i = 0; i < ENDS; i++) {
            sums[i] += ends.get(i);
        }
    }

    /** How late the event loop ran the task of the call before this one; gives it another task. */
    long lateNs() {
        long askedNs = System.nanoTime();
        loop.execute(() -> lateNs.lazySet(System.nanoTime() - askedNs));
        return lateNs.get();
    }

    private static int end(Outcome outcome) {
        return switch (outcome) {
            case COMPLETED, LOCAL, RESUMED -> 0;
            case UPSTREAM_ERROR,
                    UPSTREAM_FAILED,
                    UPSTREAM_TRUNCATED,
                    UPSTREAM_RESET,
                    UPSTREAM_IDLE,
                    UPSTREAM_NO_OUTPUT -> 1;
            case STOPPED, CLIENT_GONE, UNREAD -> 2;
            case DRAINED, OVERLOADED, REFUSED -> 3;
        };
    }
}
