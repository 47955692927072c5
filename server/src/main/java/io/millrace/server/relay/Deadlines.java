package io.millrace.server.relay;

import io.millrace.codec.dialect.RelayError;
import io.millrace.server.config.Timeouts;
import io.millrace.server.telemetry.Timeline;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** Which limit on an upstream's silence has passed. */
final class Deadlines {
    private Deadlines() {}

    /** What the response has come to. */
    enum Phase {
        /** Neither output nor a plain response yet. */
        AWAITING_ANSWER,
        /** A body that is no event stream is on its way. */
        PLAIN_BODY,
        /** The event stream has brought output. */
        STREAMING,
        /** Every choice of the answer has its finish reason: only what may follow one is still waited for. */
        FINISHED
    }

    /** The ending that a limit demands now, or null if none has passed. */
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

    /** Whether an upstream that has given all finish reasons will hardly say more. */
    private static boolean isSilent(Timeline timeline, Timeouts timeouts, long nowNs) {
        return isOver(timeline.lastByteNs, timeouts.terminalGrace(), nowNs)
                || isOver(timeline.lastByteNs, timeouts.idle(), nowNs)
                || isOver(lastOutput(timeline), timeouts.progress(), nowNs);
    }

    /** While the client held the upstream back, no output could come. */
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
