package io.millrace.server.mock;

/**
 * The counts of a {@link MockServer} at one moment.
 *
 * @param openConnections the open client connections
 * @param connections the accepted client connections
 * @param activeStreams the responses in progress, including silent ones
 * @param requests the requests that were read completely
 * @param streamsCompleted the responses that were sent completely
 * @param streamsAborted the responses whose client closed the connection before their end
 * @param streamsCut the responses that a fault ended early
 * @param frames the written frames, including comments
 * @param bytes the written body bytes, including chunk framing
 */
public record MockStats(
        long openConnections,
        long connections,
        long activeStreams,
        long requests,
        long streamsCompleted,
        long streamsAborted,
        long streamsCut,
        long frames,
        long bytes) {}
