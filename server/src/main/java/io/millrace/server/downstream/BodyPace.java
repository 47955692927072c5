package io.millrace.server.downstream;

import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** Tells when a request's body arrives too slowly: when it stops, or stays below a least rate. */
final class BodyPace {
    private static final double NS_PER_SECOND = TimeUnit.SECONDS.toNanos(1);

    private final long bytesPerSecond;
    private final long idleNs;
    private long lastNs;
    private long checkedNs;
    /** Bytes that the body is ahead of its least rate; at most the bytes that this rate gives in the idle limit. */
    private double aheadBytes;

    /**
     * A pace with its limits.
     *
     * @param bytesPerSecond the least rate
     * @param idleNs the longest time without any byte
     */
    BodyPace(long bytesPerSecond, long idleNs) {
        this.bytesPerSecond = bytesPerSecond;
        this.idleNs = idleNs;
    }

    /** Begins to measure, because a body begins. */
    void begin(long nowNs) {
        lastNs = nowNs;
        checkedNs = nowNs;
        aheadBytes = mostAhead();
    }

    /** Counts bytes of the body that have arrived. */
    void onBytes(int bytes, long nowNs) {
        lastNs = nowNs;
        aheadBytes = Math.min(mostAhead(), aheadBytes + bytes);
    }

    /**
     * Says what is wrong with the pace, or null.
     *
     * @param read whether the body was read; while it is not, it has no pace
     */
    @Nullable
    String complaint(long nowNs, boolean read) {
        double seconds = (nowNs - checkedNs) / NS_PER_SECOND;
        checkedNs = nowNs;
        if (!read) {
            lastNs = nowNs;
            return null;
        }
        aheadBytes -= bytesPerSecond * seconds;
        long silenceNs = nowNs - lastNs;
        if (silenceNs > idleNs || (aheadBytes < 0 && silenceNs > idleNs / 2)) {
            return "The request body stopped arriving.";
        }
        return aheadBytes < 0 ? "The request body arrives at less than " + bytesPerSecond + " bytes a second." : null;
    }

    private double mostAhead() {
        return bytesPerSecond * (idleNs / NS_PER_SECOND);
    }
}
