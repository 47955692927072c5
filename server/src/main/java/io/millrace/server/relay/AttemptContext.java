package io.millrace.server.relay;

import io.millrace.server.config.Route;
import io.millrace.server.downstream.ClientStream;
import java.util.function.Supplier;

/**
 * The values that all attempts of one exchange share.
 *
 * @param loop the event loop of the exchange
 * @param streamId gives the id by which the client may stop its stream; null if that is switched off
 * @param needsWholeBody whether a decision depends on the body, so that it must be complete before anything is sent
 * @param frameHold the longest frame that is held until it is complete, in bytes
 */
record AttemptContext(
        RelayLoop loop,
        ClientStream downstream,
        AnswerTerms terms,
        Route route,
        Supplier<String> streamId,
        boolean needsWholeBody,
        int frameHold) {
    /** Whether an upstream may be read. If memory is short, it is not read for a client that has not taken its data. */
    boolean mayReadOn() {
        return downstream.isWritable() && !(loop.memory().isTight() && downstream.pendingBytes() > 0);
    }
}
