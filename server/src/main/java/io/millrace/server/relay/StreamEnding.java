package io.millrace.server.relay;

import io.millrace.codec.dialect.RelayError;
import io.millrace.codec.dialect.StreamEnd;
import io.millrace.codec.dialect.StreamInspector;
import io.millrace.server.route.Failure;
import io.millrace.server.telemetry.Outcome;
import io.millrace.server.upstream.CallListener.Breakage;

/** Decides the end of a stream for its client from its state. */
final class StreamEnding {
    private StreamEnding() {}

    /** Facts that have priority over the end of the upstream's own frames, in the order of their priority. */
    enum Obstacle {
        /** The client has a part of a frame whose rest will not come. */
        INSIDE_FRAME,
        /** A frame was too long to be translated. */
        TOO_LONG,
        /** The answer cannot be converted for the client, and the client has an error instead. */
        UNTRANSLATABLE,
        /** The client has stopped the stream. */
        STOPPED,
        NONE
    }

    /**
     * The end of a stream after its last data.
     *
     * @param inspector has seen all frames of the upstream
     * @param translated whether the client's frames are translated; an error of the upstream is then a frame of the
     *     relay
     */
    static Ending asSeen(Obstacle obstacle, StreamInspector inspector, boolean translated) {
        return switch (obstacle) {
            case INSIDE_FRAME ->
                Ending.withError(RelayError.UPSTREAM_TRUNCATED, "The upstream's stream ended inside a frame");
            case TOO_LONG ->
                Ending.withError(
                        RelayError.UPSTREAM_ERROR, "The upstream sent a frame that is too long to be translated");
            case UNTRANSLATABLE -> Ending.asRelayed(Outcome.UPSTREAM_ERROR);
            case STOPPED ->
                inspector.end() == StreamEnd.OPEN
                        ? Ending.asRelayed(Outcome.STOPPED)
                        : asSeen(Obstacle.NONE, inspector, translated);
            case NONE -> asFramesSay(inspector, translated);
        };
    }

    private static Ending asFramesSay(StreamInspector inspector, boolean translated) {
        return switch (inspector.end()) {
            case FINISHED, TERMINAL, DONE -> Ending.asRelayed(Outcome.COMPLETED);
            case ERROR -> translated ? failed(inspector) : Ending.asRelayed(Outcome.UPSTREAM_ERROR);
            case HIDDEN_ERROR ->
                inspector.endedUnanswered()
                        ? Ending.withError(
                                RelayError.UPSTREAM_TRUNCATED, "The upstream's stream ended without an answer")
                        : failed(inspector);
            case OPEN ->
                Ending.withError(RelayError.UPSTREAM_TRUNCATED, "The upstream's stream ended before its terminal");
        };
    }

    private static Ending failed(StreamInspector inspector) {
        String detail = inspector.errorMessage();
        String message = detail == null ? "The upstream failed" : "The upstream failed: " + detail;
        return Ending.withError(RelayError.UPSTREAM_ERROR, message);
    }

    /**
     * The end of a stream whose connection broke before its last frame. A finish reason without a clean end may lack
     * the usage, so that is a truncation.
     */
    static Ending broken(Breakage breakage) {
        return Ending.withError(errorOf(breakage), "The upstream's stream broke off (" + breakage.detail() + ")");
    }

    static RelayError errorOf(Breakage breakage) {
        return breakage.kind() == Breakage.Kind.TRUNCATED ? RelayError.UPSTREAM_TRUNCATED : RelayError.UPSTREAM_RESET;
    }

    /** The failure of an attempt whose connection broke before the client had any part of it. */
    static Failure beforeOutput(Breakage breakage) {
        boolean protocol = breakage.kind() == Breakage.Kind.PROTOCOL;
        String code = protocol ? "upstream_protocol" : errorOf(breakage).code();
        String reason = code.substring(code.indexOf('_') + 1);
        return Failure.of(reason, 502, code, "The upstream failed before its first output: " + breakage.detail());
    }
}
