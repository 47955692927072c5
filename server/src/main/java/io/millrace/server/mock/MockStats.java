package io.millrace.server.mock;

/**
 * The counts of a {@link MockServer} at one moment.
 *
 * @param openConnections client connections open now
 * @param connections client connections accepted
 * @param activeStreams responses in progress now, silent ones included
 * @param requests requests read to their end
 * @param streamsCompleted responses sent to their end
 * @param streamsAborted responses whose client closed the connection before their end
 * @param streamsCut responses that a fault ended early
 * @param frames frames written, comments included
 * @param bytes body bytes written, chunk framing included
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
