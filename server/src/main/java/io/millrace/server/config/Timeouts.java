package io.millrace.server.config;

import java.time.Duration;

/**
 * Time limits. A route may have its own {@code ttft}, {@code idle}, {@code progress}, {@code hold} and {@code
 * terminalGrace}. All others are the relay's, and a route's values of these have no effect. All are more than zero and
 * at most seven days; {@code hold}, {@code terminalGrace}, {@code drain}, {@code takeover} and {@code shutdownDelay}
 * may be zero.
 *
 * @param connect TCP and TLS handshake to the upstream, per address
 * @param handshake of TLS with a client, from the connection on
 * @param requestHead from the first byte of a request to the end of its head
 * @param requestBodyIdle between two reads of a request body
 * @param ttft from the request sent to the first output frame, or to the head of a non-stream answer
 * @param idle without any byte of the upstream, after its first output
 * @param progress without an output frame; comments and pings do not count
 * @param hold from a stream's head for which head and frames without output are kept back, so that another attempt can be
 *     made; zero keeps nothing back
 * @param writeStall without the client taking a byte that waits for it; over 25 s, a client that vanishes is noticed as late
 * @param keepAlive a client connection without a request
 * @param terminalGrace without any byte of an upstream that has given every finish reason of its answer, but neither its
 *     dialect's terminal nor the end of its body
 * @param drain what streams get to end when the process stops
 * @param takeover what streams get to end when another process has taken over
 * @param shutdownDelay for which a process that is to stop still serves, but says that it is not ready, so that whoever
 *     sends it clients learns of it first
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
