package io.millrace.bench.stream;

/**
 * How long this client waits.
 *
 * @param connectMs the time for a connection, including TLS
 * @param idleNs the time without a byte
 * @param totalNs the time of a stream, from its request
 * @param stallNs the length from which a gap between two outputs counts as a stall
 */
public record StreamLimits(int connectMs, long idleNs, long totalNs, long stallNs) {
    /** A limit of 10 s for a connection, and no other limit. */
    public static final StreamLimits NONE = new StreamLimits(10_000, Long.MAX_VALUE, Long.MAX_VALUE, Long.MAX_VALUE);
}
