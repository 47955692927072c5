package io.millrace.server.relay;

import io.millrace.server.config.Route;
import io.millrace.server.downstream.ClientStream;
import java.util.function.Supplier;

/**
 * What all attempts of one exchange have in common.
 *
 * @param loop the event loop that all of this is confined to
 * @param streamId by what the client may stop its stream; gives null where that is switched off
 * @param needsWholeBody whether a decision hangs on the body, so that nothing can be sent before it is here
 * @param frameHold the longest frame that is held until it is whole, in bytes
 */
record AttemptContext(
        RelayLoop loop,
        ClientStream downstream,
        AnswerTerms terms,
        Route route,
        Supplier<String> streamId,
        boolean needsWholeBody,
        int frameHold) {
    /** Whether an upstream may be read: where memory is short, not for a client that has something left to take. */
    boolean mayReadOn() {
        return downstream.isWritable() && !(loop.memory().isTight() && downstream.pendingBytes() > 0);
    }
}
