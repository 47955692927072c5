package io.millrace.server.live;

import java.net.InetAddress;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * A request in progress at one moment. All moments are {@link System#nanoTime()}.
 *
 * @param id the request's id, as in the access log
 * @param address of the client; null for a client of a unix socket
 * @param caller the name of the client; null if no keys are required
 * @param path of the request, without its query
 * @param model that was asked for, or else answers; null if none is known
 * @param upstream that is asked; null if none was chosen yet
 * @param origin the URL of the upstream that is asked; null if none was chosen yet
 * @param attempts the number of attempts so far
 * @param startNs when the head of the request was read
 * @param ttftNs from the end of the request to the first output that the kernel took for the client; -1 if there was
 *     none yet
 * @param quietSinceNs when the last output came, or else since when one is awaited; 0 while the request is read
 * @param frames the frames that the client got
 * @param bytes the body bytes that the client got
 * @param held the bytes that wait for the client, or for the rest of a frame
 */
public record LiveStream(
        String id,
        @Nullable InetAddress address,
        @Nullable String caller,
        String path,
        @Nullable String model,
        @Nullable String upstream,
        @Nullable String origin,
        int attempts,
        State state,
        long startNs,
        long ttftNs,
        long quietSinceNs,
        long frames,
        long bytes,
        long held) {
    /** So long a pause between two outputs is a stall. */
    static final long STALL_NS = TimeUnit.SECONDS.toNanos(1);
    /** So long a wait for the first output is a stall. */
    static final long LATE_NS = TimeUnit.SECONDS.toNanos(10);

    /** What a request waits for. */
    public enum State {
        /** The rest of the request. */
        READING,
        /** A connection to an upstream. */
        CONNECTING,
        /** The time of the next attempt. */
        RETRYING,
        /** The first output. */
        WAITING,
        /** The next output. */
        STREAMING,
        /** The client, which takes its data slowly. The upstream is not read. */
        PAUSED,
        /** The end, after the last output. */
        ENDING;

        private final String label = name().toLowerCase(Locale.ROOT);

        String label() {
            return label;
        }
    }

    /** Nanoseconds without output until {@code nowNs}; 0 if none is awaited. */
    long silenceNs(long nowNs) {
        return quietSinceNs == 0 ? 0 : Math.max(0, nowNs - quietSinceNs);
    }

    /** Whether the upstream has been silent for too long. */
    boolean isStalled(long nowNs) {
        return switch (state) {
            case STREAMING -> silenceNs(nowNs) >= STALL_NS;
            case CONNECTING, RETRYING, WAITING -> silenceNs(nowNs) >= LATE_NS;
            case READING, PAUSED, ENDING -> false;
        };
    }
}
