package io.millrace.server.relay;

import io.millrace.codec.dialect.RelayError;
import io.millrace.server.config.Timeouts;
import io.millrace.server.telemetry.Timeline;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** Decides which limit on an upstream's silence has passed. */
final class Deadlines {
    private Deadlines() {}

    /** The phase of a response. */
    enum Phase {
        /** There is neither output nor a plain response yet. */
        AWAITING_ANSWER,
        /** A body that is not an event stream is arriving. */
        PLAIN_BODY,
        /** The event stream has had output. */
        STREAMING,
        /** Every choice of the answer has its finish reason. Only frames that may follow it are awaited. */
        FINISHED
    }

    /** The ending that a limit requires now, or null if no limit has passed. */
    static @Nullable Ending expired(Timeline timeline, Timeouts timeouts, Phase phase, long nowNs) {
        if (phase == Phase.AWAITING_ANSWER) {
            long sinceNs = Math.max(timeline.requestCompleteNs, timeline.attemptNs);
            return isOver(sinceNs, timeouts.ttft(), nowNs) ? noOutput(timeouts.ttft()) : null;
        }
        if (phase == Phase.FINISHED) {
            return isSilent(timeline, timeouts, nowNs) ? Ending.withoutTerminal() : null;
        }
        if (isOver(timeline.lastByteNs, timeouts.idle(), nowNs)) {
            return Ending.withError(RelayError.UPSTREAM_IDLE, "The upstream sent no byte for " + text(timeouts.idle()));
        }
        boolean stuck = phase == Phase.STREAMING && isOver(lastOutput(timeline), timeouts.progress(), nowNs);
        return stuck ? noOutput(timeouts.progress()) : null;
    }

    /**
     * Whether an upstream that has sent all finish reasons has been silent for so long that nothing more is expected.
     */
    private static boolean isSilent(Timeline timeline, Timeouts timeouts, long nowNs) {
        return isOver(timeline.lastByteNs, timeouts.terminalGrace(), nowNs)
                || isOver(timeline.lastByteNs, timeouts.idle(), nowNs)
                || isOver(lastOutput(timeline), timeouts.progress(), nowNs);
    }

    /** The time of the last output. While the client held the upstream back, there could be no output. */
    private static long lastOutput(Timeline timeline) {
        return Math.max(timeline.lastOutputNs, timeline.resumedNs);
    }

    private static boolean isOver(long sinceNs, Duration limit, long nowNs) {
        return nowNs - sinceNs > limit.toNanos();
    }

    private static Ending noOutput(Duration limit) {
        return Ending.withError(RelayError.UPSTREAM_NO_OUTPUT, "The upstream sent no output for " + text(limit));
    }

    private static String text(Duration duration) {
        return duration.toMillis() % 1_000 == 0 ? duration.toSeconds() + " s" : duration.toMillis() + " ms";
    }
}
