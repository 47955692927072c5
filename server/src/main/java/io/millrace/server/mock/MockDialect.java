package io.millrace.server.mock;

import org.jspecify.annotations.Nullable;

/** How one provider says an answer: frames for a stream, a body for the rest, and its errors in both forms. */
interface MockDialect {
    /** The stream that says {@code answer}, its terminal last. */
    Script stream(Answer answer);

    /** The same as one JSON body. */
    String body(Answer answer);

    /**
     * An error event as this provider sends it in a stream, blank line included.
     *
     * @param code what the provider calls the error; null for its word for overloaded
     * @param sequence the number of frames before it
     */
    String errorFrame(@Nullable String code, String message, int sequence);

    /** An error in a stream as some servers send it and no SDK of the dialect sees it. */
    String hiddenErrorFrame(String message);

    /**
     * The body of a response with an error status.
     *
     * @param code what the provider calls the error; null for its usual word for the status
     */
    String errorBody(int status, @Nullable String code, String message);

    /** The name of the response header that carries the provider's request id. */
    default String requestIdHeader() {
        return "x-request-id";
    }
}
