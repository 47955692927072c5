package io.millrace.codec.translate;

import org.jspecify.annotations.Nullable;

/**
 * An error of an upstream, or of the relay in its place.
 *
 * @param status the HTTP status of the error; for an error in a stream, the status that it would have had
 * @param code a word for programs, from the upstream, may be null
 * @param message the reason, for people
 */
public record ModelError(int status, @Nullable String code, String message) {
    /** The message with the code before it, for shapes that have no field for the code. */
    public String codedMessage() {
        return code == null || message.startsWith(code) ? message : code + ": " + message;
    }
}
