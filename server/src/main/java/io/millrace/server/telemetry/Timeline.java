package io.millrace.server.telemetry;

import org.jspecify.annotations.Nullable;

/**
 * The moments of one exchange with one of its attempts, all as {@link System#nanoTime()}; 0 means not reached.
 * Latencies are differences. TTFT is {@code firstOutputWrittenNs - requestCompleteNs}. The relay's own part of it is
 * {@code firstOutputWrittenNs - firstOutputNs}.
 */
public final class Timeline {
    /** The request head was read. */
    public final long startNs;
    /** The last byte of the request was read. */
    public long requestCompleteNs;
    /** The latest attempt began. */
    public long attemptNs;
    /** The latest attempt had its connection. */
    public long connectedNs;
    /** The upstream's response head came. */
    public long headNs;
    /** The first frame came. */
    public long firstFrameNs;
    /** The first output frame came. */
    public long firstOutputNs;
    /** The kernel took the first output for the client. */
    public long firstOutputWrittenNs;
    /** The latest output frame came. */
    public long lastOutputNs;
    /** The latest byte of the response body came. */
    public long lastByteNs;
    /** The upstream was read again after a pause for a slow client. */
    public long resumedNs;
    /** The longest time between two reads that brought output. */
    long longestGapNs;
    /** The exchange ended. */
    public long endNs;
    /** Counts the times between output frames; null counts none. */
    private @Nullable Distribution gaps;

    /** The timeline of an exchange that begins now. */
    public Timeline() {
        this(System.nanoTime());
    }

    private Timeline(long startNs) {
        this.startNs = startNs;
    }

    /** The start of the time limit for retries: when the request was complete, or its begin until then. */
    public long askedNs() {
        return requestCompleteNs == 0 ? startNs : requestCompleteNs;
    }

    /** The timeline of a further attempt for the same request. */
    public Timeline ofAttempt() {
        var its = new Timeline(startNs);
        its.requestCompleteNs = requestCompleteNs;
        return its;
    }

    /** Counts the times between output frames of {@code upstream} from now on. */
    public void countGaps(LoopHistograms histograms, String upstream) {
        gaps = histograms.gaps(upstream);
    }

    /** From the end of the request to the first output that the client has. Both must have been reached. */
    long ttftNs() {
        return firstOutputWrittenNs - askedNs();
    }

    /**
     * From the begin of the attempt to its first output, which must have been reached. While the request was still
     * being read, the upstream could not answer.
     */
    public long upstreamTtftNs() {
        long fromNs = requestCompleteNs == 0 ? attemptNs : Math.max(attemptNs, requestCompleteNs);
        return firstOutputNs - fromNs;
    }

    /** The head of the response came. */
    public void onHead(long nowNs) {
        headNs = nowNs;
        lastByteNs = nowNs;
    }

    /** The upstream is read again: the pause was no silence of its own. */
    public void onResumed(long nowNs) {
        resumedNs = nowNs;
        lastByteNs = nowNs;
    }

    /** The longest time between two reads that brought output; 0 before the second. */
    public long longestGapNs() {
        return longestGapNs;
    }

    /** An output frame came with the read at {@code nowNs}. */
    public void onOutput(long nowNs) {
        if (firstOutputNs == 0) {
            firstOutputNs = nowNs;
        } else {
            long gapNs = nowNs - lastOutputNs;
            longestGapNs = Math.max(longestGapNs, gapNs);
            if (gaps != null) {
                gaps.record(gapNs);
            }
        }
        lastOutputNs = nowNs;
    }
}
