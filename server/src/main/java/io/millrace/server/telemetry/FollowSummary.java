package io.millrace.server.telemetry;

import org.jspecify.annotations.Nullable;

/**
 * The facts about a request that was answered by the stream of another request, for the access log. It asked no upstream,
 * so it has no tokens.
 *
 * @param path the path without the ids that give access to a stream
 * @param status of the response; 0 if the client left before there was one
 * @param error the code of an error of the relay, or null
 * @param stream the id of the stream; null if the client may not read it
 * @param from the offset of the first byte that the client got
 * @param to the offset behind the last byte that the client was sent
 */
public record FollowSummary(
        Summary.Request request,
        @Nullable String path,
        int status,
        Outcome outcome,
        @Nullable String error,
        @Nullable String stream,
        long from,
        long to,
        Timeline timeline) {}
