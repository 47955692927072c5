package io.millrace.server.relay;

import io.millrace.codec.dialect.RelayError;
import io.millrace.server.telemetry.Outcome;
import org.jspecify.annotations.Nullable;

/**
 * The end of a stream for the client.
 *
 * @param outcome the outcome for logs and metrics
 * @param error the error frame of the relay at the end, or null for none
 * @param message the message of that frame; empty without one
 * @param terminalMissing whether the answer had come to its end, but without its terminal
 */
record Ending(Outcome outcome, @Nullable RelayError error, String message, boolean terminalMissing) {
    /** The end of the upstream's own frames. */
    static Ending asRelayed(Outcome outcome) {
        return new Ending(outcome, null, "", false);
    }

    /**
     * The end of the upstream's own frames without a terminal: every choice has its finish reason, but the upstream
     * neither ends nor sends more.
     */
    static Ending withoutTerminal() {
        return new Ending(Outcome.COMPLETED, null, "", true);
    }

    /** An end with an error frame, because the upstream's stream cannot be completed. */
    static Ending withError(RelayError error, String message) {
        return new Ending(outcomeOf(error), error, message, false);
    }

    /** The outcome of a stream with this error. */
    static Outcome outcomeOf(RelayError error) {
        return switch (error) {
            case UPSTREAM_TRUNCATED -> Outcome.UPSTREAM_TRUNCATED;
            case UPSTREAM_RESET -> Outcome.UPSTREAM_RESET;
            case UPSTREAM_IDLE -> Outcome.UPSTREAM_IDLE;
            case UPSTREAM_NO_OUTPUT -> Outcome.UPSTREAM_NO_OUTPUT;
            case UPSTREAM_ERROR -> Outcome.UPSTREAM_ERROR;
            case RELAY_DRAINING, RELAY_LOST -> Outcome.DRAINED;
            case RELAY_UNREAD -> Outcome.UNREAD;
            case RELAY_STOPPED -> Outcome.STOPPED;
            case KEY_REVOKED -> Outcome.REFUSED;
        };
    }
}
