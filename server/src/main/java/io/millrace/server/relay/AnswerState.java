package io.millrace.server.relay;

import io.millrace.codec.dialect.RelayError;
import io.millrace.codec.dialect.StreamStop;
import io.millrace.server.telemetry.Outcome;
import io.millrace.server.telemetry.Summary;

/** The part of the answer that the client has. */
interface AnswerState {
    /** The client has neither head nor body. */
    enum Nothing implements AnswerState {
        INSTANCE;

        @Override
        public boolean isOpen() {
            return true;
        }
    }

    /** Whether the relay can still send a response of its own. */
    default boolean isOpen() {
        return false;
    }

    /** The body bytes written. */
    default long bodyBytes() {
        return 0;
    }

    /** The facts in an answer in one body, as far as they are known. */
    default Summary.Whole facts() {
        return Summary.Whole.NONE;
    }

    /** Ends the answer with an error inside it. Not to be called if a response with an error status is possible. */
    default void fail(RelayError error, String message, Outcome outcome) {
        throw new IllegalStateException("the client has nothing that could fail");
    }

    /** Ends the answer because the client has stopped it; false if it is not a stream. */
    default boolean stop(StreamStop stop) {
        return false;
    }
}
