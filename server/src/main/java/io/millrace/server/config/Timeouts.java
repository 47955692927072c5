package io.millrace.server.config;

import java.time.Duration;

/**
 * Time limits. A route may have its own {@code ttft}, {@code idle}, {@code progress}, {@code hold} and {@code
 * terminalGrace}; the others are the relay's, and a route's are not looked at. All are more than zero and at most seven
 * days; {@code hold}, {@code terminalGrace}, {@code drain} and {@code
 * shutdownDelay} may be zero.
 *
 * @param connect TCP and TLS handshake to the upstream, per address
 * @param requestHead from the first byte of a request to the end of its head
 * @param requestBodyIdle between two reads of a request body
 * @param ttft from the request sent to the first output frame, or to the head of a non-stream answer
 * @param idle without any byte of the upstream, after its first output
 * @param progress without an output frame; comments and pings do not count
 * @param hold from a stream's head for which head and frames without output are kept back, so that another attempt can be
 *     made; zero keeps nothing back
 * @param writeStall without the client taking a byte that waits for it
 * @param keepAlive a client connection without a request
 * @param terminalGrace without any byte of an upstream that has given every finish reason of its answer, but neither its
 *     dialect's terminal nor the end of its body
 * @param drain what streams get to end when the process stops
 * @param shutdownDelay for which a process that is to stop still serves, but says that it is not ready, so that whoever
 *     sends it clients learns of it first
 */
public record Timeouts(
        Duration connect,
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
        Duration shutdownDelay) {
    /** 5 s, 10 s, 30 s, 600 s, 120 s, 600 s, 10 s, 60 s, 75 s, 10 s, 30 s and none, in the order of the components. */
    public static final Timeouts DEFAULT = new Timeouts(
            Duration.ofSeconds(5),
            Duration.ofSeconds(10),
            Duration.ofSeconds(30),
            Duration.ofSeconds(600),
            Duration.ofSeconds(120),
            Duration.ofSeconds(600),
            Duration.ofSeconds(10),
            Duration.ofSeconds(60),
            Duration.ofSeconds(75),
            Duration.ofSeconds(10),
            Duration.ofSeconds(30),
            Duration.ZERO);

    public Timeouts {
        Checks.positive("connect", connect);
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
        Checks.notNegative("shutdownDelay", shutdownDelay);
    }

    /** This with another {@code connect}. */
    public Timeouts withConnect(Duration connect) {
        return new Timeouts(
                connect,
                requestHead,
                requestBodyIdle,
                ttft,
                idle,
                progress,
                hold,
                writeStall,
                keepAlive,
                terminalGrace,
                drain,
                shutdownDelay);
    }

    /** This with another {@code requestHead}. */
    public Timeouts withRequestHead(Duration requestHead) {
        return new Timeouts(
                connect,
                requestHead,
                requestBodyIdle,
                ttft,
                idle,
                progress,
                hold,
                writeStall,
                keepAlive,
                terminalGrace,
                drain,
                shutdownDelay);
    }

    /** This with another {@code requestBodyIdle}. */
    public Timeouts withRequestBodyIdle(Duration requestBodyIdle) {
        return new Timeouts(
                connect,
                requestHead,
                requestBodyIdle,
                ttft,
                idle,
                progress,
                hold,
                writeStall,
                keepAlive,
                terminalGrace,
                drain,
                shutdownDelay);
    }

    /** This with another {@code ttft}. */
    public Timeouts withTtft(Duration ttft) {
        return new Timeouts(
                connect,
                requestHead,
                requestBodyIdle,
                ttft,
                idle,
                progress,
                hold,
                writeStall,
                keepAlive,
                terminalGrace,
                drain,
                shutdownDelay);
    }

    /** This with another {@code idle}. */
    public Timeouts withIdle(Duration idle) {
        return new Timeouts(
                connect,
                requestHead,
                requestBodyIdle,
                ttft,
                idle,
                progress,
                hold,
                writeStall,
                keepAlive,
                terminalGrace,
                drain,
                shutdownDelay);
    }

    /** This with another {@code progress}. */
    public Timeouts withProgress(Duration progress) {
        return new Timeouts(
                connect,
                requestHead,
                requestBodyIdle,
                ttft,
                idle,
                progress,
                hold,
                writeStall,
                keepAlive,
                terminalGrace,
                drain,
                shutdownDelay);
    }

    /** This with another {@code hold}. */
    public Timeouts withHold(Duration hold) {
        return new Timeouts(
                connect,
                requestHead,
                requestBodyIdle,
                ttft,
                idle,
                progress,
                hold,
                writeStall,
                keepAlive,
                terminalGrace,
                drain,
                shutdownDelay);
    }

    /** This with another {@code writeStall}. */
    public Timeouts withWriteStall(Duration writeStall) {
        return new Timeouts(
                connect,
                requestHead,
                requestBodyIdle,
                ttft,
                idle,
                progress,
                hold,
                writeStall,
                keepAlive,
                terminalGrace,
                drain,
                shutdownDelay);
    }

    /** This with another {@code keepAlive}. */
    public Timeouts withKeepAlive(Duration keepAlive) {
        return new Timeouts(
                connect,
                requestHead,
                requestBodyIdle,
                ttft,
                idle,
                progress,
                hold,
                writeStall,
                keepAlive,
                terminalGrace,
                drain,
                shutdownDelay);
    }

    /** This with another {@code terminalGrace}. */
    public Timeouts withTerminalGrace(Duration terminalGrace) {
        return new Timeouts(
                connect,
                requestHead,
                requestBodyIdle,
                ttft,
                idle,
                progress,
                hold,
                writeStall,
                keepAlive,
                terminalGrace,
                drain,
                shutdownDelay);
    }

    /** This with another {@code drain}. */
    public Timeouts withDrain(Duration drain) {
        return new Timeouts(
                connect,
                requestHead,
                requestBodyIdle,
                ttft,
                idle,
                progress,
                hold,
                writeStall,
                keepAlive,
                terminalGrace,
                drain,
                shutdownDelay);
    }

    /** This with another {@code shutdownDelay}. */
    public Timeouts withShutdownDelay(Duration shutdownDelay) {
        return new Timeouts(
                connect,
                requestHead,
                requestBodyIdle,
                ttft,
                idle,
                progress,
                hold,
                writeStall,
                keepAlive,
                terminalGrace,
                drain,
                shutdownDelay);
    }
}
