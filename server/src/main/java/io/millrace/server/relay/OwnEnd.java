package io.millrace.server.relay;

import io.millrace.codec.dialect.RelayError;
import io.millrace.server.http.Refusal;
import org.jspecify.annotations.Nullable;

/** Why the relay itself ends an answer in progress. */
enum OwnEnd {
    /** The relay stops. */
    DRAIN(503, RelayError.RELAY_DRAINING, "The relay is shutting down", "1"),
    /** The key of the client was removed. */
    REVOKED(401, RelayError.KEY_REVOKED, "The key of this client was withdrawn", null),
    /** Who runs the relay has stopped it. */
    OPERATOR(503, RelayError.RELAY_STOPPED, "An operator of the relay stopped this request", null);

    private final int status;
    private final RelayError error;
    private final String message;
    private final @Nullable String retryAfter;

    OwnEnd(int status, RelayError error, String message, @Nullable String retryAfter) {
        this.status = status;
        this.error = error;
        this.message = message;
        this.retryAfter = retryAfter;
    }

    /** The error of a stream that has begun. */
    RelayError error() {
        return error;
    }

    /** The message of that error. */
    String message() {
        return message;
    }

    /** The answer to a client that has nothing yet. */
    Refusal refusal() {
        return new Refusal(status, error.code(), message + ".", null, retryAfter);
    }
}
