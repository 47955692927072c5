package io.millrace.server.telemetry;

import io.millrace.codec.dialect.Dialect;
import io.millrace.codec.dialect.Usage;

/**
 * What is to be said about an exchange that is over, for the access log and the counts.
 *
 * @param path the raw path without its query, where keys can be
 * @param translatedTo the upstream's dialect where it is not the client's, else null
 * @param dropped the names of what was left out of a translated request, or null
 * @param model the model asked for, else the one that answered, or null
 * @param upstream the upstream's name in the configuration, or null if none was chosen
 * @param status the status that the client got
 * @param error the code of an error of the relay's own, or null
 * @param finishReason the stream's own, or null
 * @param terminalMissing whether the stream was ended for the silence behind its finish reasons
 * @param usageExact whether {@code usage} is what the provider says of the whole answer; else it is what was known of a
 *     part of it
 * @param attempts begun at upstreams
 * @param retries of these, at the same upstream as the one before
 * @param fallbacks of these, at the next upstream
 * @param hedged whether one of these was made beside another
 * @param failures why attempts failed, such as {@code main:503,main:reset}, or null
 * @param stream whether the response was an event stream
 */
public record Summary(
        String requestId,
        String method,
        String path,
        Dialect dialect,
        Dialect translatedTo,
        String dropped,
        String model,
        String upstream,
        int status,
        Outcome outcome,
        String error,
        String finishReason,
        boolean terminalMissing,
        int attempts,
        int retries,
        int fallbacks,
        boolean hedged,
        String failures,
        boolean stream,
        long frames,
        long outputFrames,
        long requestBytes,
        long responseBytes,
        Usage usage,
        boolean usageExact,
        Timeline timeline) {
    /** Of a request that was refused before it became an exchange; {@code method} and {@code path} may be null. */
    public static Summary refused(String method, String path, int status, String error) {
        var timeline = new Timeline();
        timeline.endNs = timeline.startNs;
        return new Summary(
                null,
                method,
                path,
                Dialect.UNKNOWN,
                null,
                null,
                null,
                null,
                status,
                Outcome.REFUSED,
                error,
                null,
                false,
                0,
                0,
                0,
                false,
                null,
                false,
                0,
                0,
                0,
                0,
                Usage.NONE,
                false,
                timeline);
    }
}
