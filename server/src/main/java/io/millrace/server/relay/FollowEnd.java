package io.millrace.server.relay;

import io.millrace.server.telemetry.FollowSummary;
import io.millrace.server.telemetry.Outcome;
import io.millrace.server.telemetry.Summary;
import io.millrace.server.telemetry.Timeline;
import org.jspecify.annotations.Nullable;

/**
 * How a request ended that the stream of another request answered.
 *
 * @param status of the response; 0 if the client left before there was one
 * @param error the code of an error of the relay, or null
 * @param stream the id of the stream; null if the client may not read it
 * @param from the offset of the first byte that the client got
 * @param to the offset behind the last byte that the client was sent
 */
record FollowEnd(
        int status,
        Outcome outcome,
        @Nullable String error,
        @Nullable String stream,
        long from,
        long to) {
    /** Logs it on the event loop of the client. */
    void log(RelayLoop loop, Summary.Request request, @Nullable String path, Timeline timeline) {
        timeline.endNs = System.nanoTime();
        loop.accessLogger().log(new FollowSummary(request, path, status, outcome, error, stream, from, to, timeline));
    }
}
