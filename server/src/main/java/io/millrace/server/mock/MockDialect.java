package io.millrace.server.mock;

import org.jspecify.annotations.Nullable;

/** One provider's form of an answer: frames for a stream, a body for other responses, and errors in both forms. */
interface MockDialect {
    /** The stream of an answer. Its terminal is last. */
    Script stream(Answer answer);

    /** The answer as one JSON body. */
    String body(Answer answer);

    /**
     * An error event of this provider in a stream, including the blank line.
     *
     * @param code the provider's code of the error; null for its code of overload
     * @param sequence the number of frames before this one
     */
    String errorFrame(@Nullable String code, String message, int sequence);

    /** An error in a stream, in the form of some servers. No SDK of the dialect recognises it. */
    String hiddenErrorFrame(String message);

    /**
     * The body of a response with an error status.
     *
     * @param code the provider's code of the error; null for its usual code of the status
     */
    String errorBody(int status, @Nullable String code, String message);

    /** The name of the response header field with the provider's request id. */
    default String requestIdHeader() {
        return "x-request-id";
    }
}
