package io.millrace.server.relay;

/**
 * The moments of one exchange with one of its attempts, all by {@link System#nanoTime()}; 0 means not reached. Latencies are their differences:
 * TTFT is {@code firstOutputWrittenNs - requestCompleteNs}, the relay's own share of it
 * {@code firstOutputWrittenNs - firstOutputNs}.
 */
final class Timeline {
    /** The request head was read. */
    final long startNs;
    /** The last byte of the request was read. */
    long requestCompleteNs;
    /** The latest attempt began. */
    long attemptNs;
    /** The latest attempt had its connection. */
    long connectedNs;
    /** The upstream's response head came. */
    long headNs;
    /** The first frame came. */
    long firstFrameNs;
    /** The first output frame came. */
    long firstOutputNs;
    /** The kernel took the first output for the client. */
    long firstOutputWrittenNs;
    /** The latest output frame came. */
    long lastOutputNs;
    /** The latest byte of the response body came. */
    long lastByteNs;
    /** The upstream was read again after a pause for a slow client. */
    long resumedNs;
    /** The longest time between two reads that brought output. */
    long longestGapNs;
    /** The exchange ended. */
    long endNs;

    /** Of an exchange that begins now. */
    Timeline() {
        this(System.nanoTime());
    }

    private Timeline(long startNs) {
        this.startNs = startNs;
    }

    /** Of a further attempt for the same request. */
    Timeline ofAttempt() {
        var its = new Timeline(startNs);
        its.requestCompleteNs = requestCompleteNs;
        return its;
    }

    /** An output frame came with the read at {@code nowNs}. */
    void onOutput(long nowNs) {
        if (firstOutputNs == 0) {
            firstOutputNs = nowNs;
        } else {
            longestGapNs = Math.max(longestGapNs, nowNs - lastOutputNs);
        }
        lastOutputNs = nowNs;
    }
}
