package io.millrace.server.relay;

import io.millrace.codec.dialect.StreamEnd;
import io.millrace.codec.dialect.StreamInspector;
import io.millrace.codec.dialect.StreamStop;
import io.millrace.codec.dialect.Usage;
import io.millrace.server.telemetry.Summary;
import org.jspecify.annotations.Nullable;

/** The state of one stream, from the frames so far. */
final class StreamState {
    private final StreamInspector inspector;
    private final StreamOutput output;
    private final int choices;
    private long frames;
    private boolean insideFrame;
    private boolean tooLong;
    private @Nullable StreamStop stop;

    /**
     * Creates the state of a stream without frames.
     *
     * @param choices the number of answers that were asked for
     */
    StreamState(StreamInspector inspector, StreamOutput output, int choices) {
        this.inspector = inspector;
        this.output = output;
        this.choices = choices;
    }

    /** The inspector of the upstream's frames. */
    StreamInspector inspector() {
        return inspector;
    }

    /** Counts a frame for the client. */
    void onFrame() {
        frames++;
    }

    /** Notes a piece of a long frame. {@code follows} says whether more of it follows. */
    void onPiece(boolean follows) {
        insideFrame = follows;
    }

    /** Notes a frame that is too long to be translated. */
    void onTooLong() {
        tooLong = true;
    }

    /** Notes that the client has stopped the stream. */
    void onStop(StreamStop asked) {
        stop = asked;
    }

    /** The client's stop, or null. */
    @Nullable
    StreamStop stop() {
        return stop;
    }

    /** The number of frames that the client got. */
    long frames() {
        return frames;
    }

    /** Whether a piece of a frame was written without the rest. */
    boolean insideFrame() {
        return insideFrame;
    }

    /** Whether the stream's own frames say that the answer failed. */
    boolean failed() {
        return inspector.end() == StreamEnd.ERROR || inspector.end() == StreamEnd.HIDDEN_ERROR;
    }

    /** Whether the answer cannot be converted for the client, or the converted answer is an error. */
    boolean garbled() {
        return tooLong || output.failed();
    }

    /** Whether the client has the whole answer. A client that closes now has not closed early. */
    boolean saidAll() {
        StreamEnd end = inspector.end();
        boolean said = end == StreamEnd.FINISHED || end == StreamEnd.TERMINAL || end == StreamEnd.DONE;
        return said && !output.failed();
    }

    /** Whether the stream has its terminal or its error, but perhaps not its last frame. */
    boolean nearlyComplete() {
        return inspector.end().compareTo(StreamEnd.FINISHED) > 0;
    }

    /**
     * Whether every requested choice has its finish reason. This is not the end: usage or {@code [DONE]} may follow.
     * Some servers send a reason with every chunk, so even the rest of the answer may follow.
     */
    boolean finished() {
        return inspector.end() == StreamEnd.FINISHED && !insideFrame && inspector.choicesSeen() >= choices;
    }

    /** Whether the known usage is that of the whole answer: the answer has ended, and both counts were reported. */
    boolean usageExact() {
        Usage usage = inspector.usage();
        return saidAll() && usage.inputTokens() >= 0 && usage.outputTokens() >= 0;
    }

    /** The fact that has priority over the end of the frames. */
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

    /** The summary of the stream. */
    Summary.Stream summary() {
        return new Summary.Stream(
                inspector.finishReason(),
                inspector.model(),
                frames,
                inspector.outputFrames(),
                inspector.usage(),
                usageExact());
    }
}
