package io.millrace.server.relay;

import io.millrace.server.config.Route.Disconnect;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * How long nobody has read a stream since the client that asked has left. It is looked at in intervals, so its times are as
 * exact as these. Confined to the exchange's event loop.
 */
final class UnreadTime {
    private final Disconnect bounds;
    private long leftNs;
    private long lookedNs;
    private long sinceNs;
    private long sinceFrames;
    private long totalNs;

    /** The time within {@code bounds} for a client that is there. */
    UnreadTime(Disconnect bounds) {
        this.bounds = bounds;
    }

    /** The client has left, after so many frames of output. */
    void begin(long nowNs, long frames) {
        leftNs = nowNs;
        lookedNs = nowNs;
        sinceNs = nowNs;
        sinceFrames = frames;
    }

    /**
     * Counts the time since the last look.
     *
     * @param read whether somebody reads
     * @param frames the frames of output so far
     * @return why the stream has to end; null if it need not
     */
    @Nullable
    String look(long nowNs, boolean read, long frames) {
        totalNs += read ? 0 : nowNs - lookedNs;
        lookedNs = nowNs;
        if (read) {
            sinceNs = nowNs;
            sinceFrames = frames;
        } else if (nowNs - sinceNs >= bounds.maxTime().toNanos()) {
            return "Nobody read the stream for " + text(bounds.maxTime());
        } else if (frames - sinceFrames >= bounds.maxFrames()) {
            return "Nobody read the stream for " + bounds.maxFrames() + " frames of output";
        }
        return null;
    }

    /** When the client left; 0 if it has not. */
    long leftNs() {
        return leftNs;
    }

    /** All time without a reader until the last look. */
    long totalNs() {
        return totalNs;
    }

    private static String text(Duration time) {
        return time.toMillis() / 1000.0 + " s";
    }
}
