package io.millrace.server.config;

import java.time.Duration;

/**
 * Time limits. A route may have its own {@code ttft}, {@code idle}, {@code progress}, {@code hold} and
 * {@code terminalGrace}. All others belong to the relay, and have no effect in a route. All are more than zero and at
 * most seven days; {@code hold}, {@code terminalGrace}, {@code drain}, {@code takeover} and {@code shutdownDelay} may
 * be zero.
 *
 * @param connect for TCP and the TLS handshake with an upstream, for each address
 * @param handshake for the TLS handshake with a client, from the connection on
 * @param requestHead from the first byte of a request to the end of its head
 * @param requestBodyIdle between two reads of a request body
 * @param ttft from the request sent to the first output frame, or to the head of an answer that is not a stream
 * @param idle without any byte of the upstream, after its first output
 * @param progress without an output frame; comments and pings do not count
 * @param hold how long a stream's head and its frames without output are held, so that another attempt can be made;
 *     zero holds nothing
 * @param writeStall how long a client may take none of its waiting bytes; above 25 s, a vanished client is noticed as
 *     late
 * @param keepAlive for a client connection without a request
 * @param terminalGrace the silence of an upstream that has sent every finish reason of its answer, but neither its
 *     dialect's terminal nor the end of its body
 * @param drain the time that streams get to end when the process stops
 * @param takeover the time that streams get to end when another process has taken over
 * @param shutdownDelay how long a stopping process still serves and reports that it is not ready, so that load
 *     balancers notice it
 */
public record Timeouts(
        Duration connect,
        Duration handshake,
        Duration requestHead,
        Duration requestBodyIdle,
        Duration ttft,
        Duration idle,
        Duration progress,
        Duration hold,
        Duration writeStall,
        Duration keepAlive,
        Duration terminalGrace,
        Duration drain,
        Duration takeover,
        Duration shutdownDelay)
        implements Settings<Timeouts, Timeouts.Builder> {
    /** 5 s, 10 s, 10 s, 30 s, 600 s, 120 s, 600 s, 10 s, 25 s, 75 s, 10 s, 30 s, 1 h and none, in the order of the components. */
    public static final Timeouts DEFAULT = Builders.build(Timeouts.class, new Builder());

    public Timeouts {
        Checks.positive("connect", connect);
        Checks.positive("handshake", handshake);
        Checks.positive("requestHead", requestHead);
        Checks.positive("requestBodyIdle", requestBodyIdle);
        Checks.positive("ttft", ttft);
        Checks.positive("idle", idle);
        Checks.positive("progress", progress);
        Checks.notNegative("hold", hold);
        Checks.positive("writeStall", writeStall);
        Checks.positive("keepAlive", keepAlive);
        Checks.notNegative("terminalGrace", terminalGrace);
        Checks.notNegative("drain", drain);
        Checks.notNegative("takeover", takeover);
        Checks.notNegative("shutdownDelay", shutdownDelay);
    }

    /** The components by name; the values of a new one are the defaults. */
    public static final class Builder {
        public Duration connect = Duration.ofSeconds(5);
        public Duration handshake = Duration.ofSeconds(10);
        public Duration requestHead = Duration.ofSeconds(10);
        public Duration requestBodyIdle = Duration.ofSeconds(30);
        public Duration ttft = Duration.ofMinutes(10);
        public Duration idle = Duration.ofMinutes(2);
        public Duration progress = Duration.ofMinutes(10);
        public Duration hold = Duration.ofSeconds(10);
        public Duration writeStall = Duration.ofSeconds(25);
        public Duration keepAlive = Duration.ofSeconds(75);
        public Duration terminalGrace = Duration.ofSeconds(10);
        public Duration drain = Duration.ofSeconds(30);
        public Duration takeover = Duration.ofHours(1);
        public Duration shutdownDelay = Duration.ZERO;
    }
}
