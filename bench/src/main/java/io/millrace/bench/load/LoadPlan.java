package io.millrace.bench.load;

import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.Objects;

/**
 * The load of a {@link LoadClient}. It keeps a number of streams open. When one ends, the next begins on the same
 * connection.
 *
 * @param target where to connect
 * @param spec of the mock behind the target, sent as {@code x-mock}; without {@code stamp=1} no frame is timed
 * @param streams how many at once
 * @param outputFrames how many output frames every stream must bring, by their stamps; {@link #ANY} if that is not
 *     known
 * @param ramp the time over which the first streams begin, evenly
 */
public record LoadPlan(InetSocketAddress target, String spec, int streams, int outputFrames, Duration ramp) {
    /** Output frames are not counted. */
    public static final int ANY = -1;

    private static final int MAX_STREAMS = 60_000;

    /** Checks every range. */
    public LoadPlan {
        Objects.requireNonNull(target, "target");
        Objects.requireNonNull(spec, "spec");
        if (streams < 1 || streams > MAX_STREAMS) {
            throw new IllegalArgumentException("streams: " + streams + " (expected: 1-" + MAX_STREAMS + ")");
        }
        if (outputFrames < ANY) {
            throw new IllegalArgumentException("outputFrames: " + outputFrames + " (expected: >= 0, or ANY)");
        }
        if (ramp.isNegative()) {
            throw new IllegalArgumentException("ramp: " + ramp + " (expected: not negative)");
        }
    }

    /** Chat completions from {@code target}. All streams begin at once. */
    public static LoadPlan of(InetSocketAddress target, String spec, int streams) {
        return new LoadPlan(target, spec, streams, ANY, Duration.ZERO);
    }

    /** This plan with an expected number of output frames per stream. */
    public LoadPlan expecting(int outputFrames) {
        return new LoadPlan(target, spec, streams, outputFrames, ramp);
    }

    /** This plan with a ramp. */
    public LoadPlan over(Duration ramp) {
        return new LoadPlan(target, spec, streams, outputFrames, ramp);
    }
}
