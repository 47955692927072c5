package io.millrace.bench.stream;

/**
 * How long this client waits.
 *
 * @param connectMs for a connection, TLS included
 * @param idleNs without a byte
 * @param totalNs for a stream in all, from its request
 * @param stallNs a gap between two outputs that counts as a stall
 */
public record StreamLimits(int connectMs, long idleNs, long totalNs, long stallNs) {
    /** 10 s for a connection; else none. */
    public static final StreamLimits NONE = new StreamLimits(10_000, Long.MAX_VALUE, Long.MAX_VALUE, Long.MAX_VALUE);
}
