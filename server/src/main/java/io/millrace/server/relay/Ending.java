package io.millrace.server.relay;

import io.millrace.codec.dialect.RelayError;
import io.millrace.server.telemetry.Outcome;
import org.jspecify.annotations.Nullable;

/**
 * How a stream is to end towards the client.
 *
 * @param outcome what it is counted as
 * @param error the error frame of ours to end with, or null for none
 * @param message what went wrong, for that frame; empty without one
 * @param terminalMissing whether the answer had come to its end, but nothing said that there is no more
 */
record Ending(Outcome outcome, @Nullable RelayError error, String message, boolean terminalMissing) {
    /** With what the upstream sent and nothing more. */
    static Ending asRelayed(Outcome outcome) {
        return new Ending(outcome, null, "", false);
    }

    /** With what the upstream sent: every choice has its finish reason, but the upstream neither ends nor says more. */
    static Ending withoutTerminal() {
        return new Ending(Outcome.COMPLETED, null, "", true);
    }

    /** With an error frame, because the upstream's stream cannot be completed. */
    static Ending withError(RelayError error, String message) {
        return new Ending(outcomeOf(error), error, message, false);
    }

    /** What a stream that fails so is counted as. */
    static Outcome outcomeOf(RelayError error) {
        return switch (error) {
            case UPSTREAM_TRUNCATED -> Outcome.UPSTREAM_TRUNCATED;
            case UPSTREAM_RESET -> Outcome.UPSTREAM_RESET;
            case UPSTREAM_IDLE -> Outcome.UPSTREAM_IDLE;
            case UPSTREAM_NO_OUTPUT -> Outcome.UPSTREAM_NO_OUTPUT;
            case UPSTREAM_ERROR -> Outcome.UPSTREAM_ERROR;
            case RELAY_DRAINING -> Outcome.DRAINED;
        };
    }
}
