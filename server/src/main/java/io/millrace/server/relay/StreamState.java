package io.millrace.server.relay;

import io.millrace.codec.dialect.StreamEnd;
import io.millrace.codec.dialect.StreamInspector;
import io.millrace.codec.dialect.StreamStop;
import io.millrace.codec.dialect.Usage;
import io.millrace.server.telemetry.Summary;
import org.jspecify.annotations.Nullable;

/** What is true of one stream, by the frames that have come so far. */
final class StreamState {
    private final StreamInspector inspector;
    private final StreamOutput output;
    private final int choices;
    private long frames;
    private boolean insideFrame;
    private boolean tooLong;
    private @Nullable StreamStop stop;

    /**
     * Of a stream of which nothing has come.
     *
     * @param choices how many answers were asked for in it
     */
    StreamState(StreamInspector inspector, StreamOutput output, int choices) {
        this.inspector = inspector;
        this.output = output;
        this.choices = choices;
    }

    /** What the frames so far say about the stream. */
    StreamInspector inspector() {
        return inspector;
    }

    /** Counts a frame that the client gets. */
    void onFrame() {
        frames++;
    }

    /** A part of a long frame has come, of which the rest {@code follows} or not. */
    void onPiece(boolean follows) {
        insideFrame = follows;
    }

    /** A frame has come that is too long to be translated. */
    void onTooLong() {
        tooLong = true;
    }

    /** The client asks for an end. */
    void onStop(StreamStop asked) {
        stop = asked;
    }

    /** What the client has asked for, or null. */
    @Nullable
    StreamStop stop() {
        return stop;
    }

    /** Frames that the client got. */
    long frames() {
        return frames;
    }

    /** Whether a part of a frame has come, and not yet the rest. */
    boolean insideFrame() {
        return insideFrame;
    }

    /** Whether the stream's own frames say that the answer failed. */
    boolean failed() {
        return inspector.end() == StreamEnd.ERROR || inspector.end() == StreamEnd.HIDDEN_ERROR;
    }

    /** Whether what came cannot be made the client's, or says to it that the answer failed, whatever its own frames say. */
    boolean garbled() {
        return tooLong || output.failed();
    }

    /** Whether the answer is with the client, so that one who leaves now has not left early. */
    boolean saidAll() {
        StreamEnd end = inspector.end();
        boolean said = end == StreamEnd.FINISHED || end == StreamEnd.TERMINAL || end == StreamEnd.DONE;
        return said && !output.failed();
    }

    /** Whether the stream has its terminal or its error, but not the frame that is the last for certain. */
    boolean nearlyComplete() {
        return inspector.end().compareTo(StreamEnd.FINISHED) > 0;
    }

    /**
     * Whether every choice that was asked for has its finish reason. That is no end: usage may follow, a {@code [DONE]}, or,
     * from servers that give a reason with every chunk, the rest of the answer.
     */
    boolean finished() {
        return inspector.end() == StreamEnd.FINISHED && !insideFrame && inspector.choicesSeen() >= choices;
    }

    /** Whether the usage known is that of the whole answer: the answer has come to its end, and both counts were told. */
    boolean usageExact() {
        Usage usage = inspector.usage();
        return saidAll() && usage.inputTokens() >= 0 && usage.outputTokens() >= 0;
    }

    /** What counts more than the end that the frames show. */
    StreamEnding.Obstacle obstacle() {
        if (insideFrame) {
            return StreamEnding.Obstacle.INSIDE_FRAME;
        }
        if (tooLong) {
            return StreamEnding.Obstacle.TOO_LONG;
        }
        if (output.failed()) {
            return StreamEnding.Obstacle.UNTRANSLATABLE;
        }
        return stop == null ? StreamEnding.Obstacle.NONE : StreamEnding.Obstacle.STOPPED;
    }

    /** What is to be said about the stream when it is over. */
    Summary.Stream summary() {
        return new Summary.Stream(
                inspector.finishReason(), frames, inspector.outputFrames(), inspector.usage(), usageExact());
    }
}
