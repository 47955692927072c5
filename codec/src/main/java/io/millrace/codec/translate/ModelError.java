package io.millrace.codec.translate;

import org.jspecify.annotations.Nullable;

/**
 * An error of an upstream, or of the relay on its behalf.
 *
 * @param status the HTTP status that it has, or would have had before a stream
 * @param code a word for programs, in the upstream's vocabulary, may be null
 * @param message what is wrong, for people
 */
public record ModelError(int status, @Nullable String code, String message) {
    /** The message with the code before it, for shapes that have no place for one. */
    public String codedMessage() {
        return code == null || message.startsWith(code) ? message : code + ": " + message;
    }
}
