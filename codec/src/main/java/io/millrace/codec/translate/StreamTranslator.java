package io.millrace.codec.translate;

import io.millrace.codec.dialect.RelayError;
import io.netty.buffer.ByteBuf;

/**
 * Translates the frames of an upstream's stream into frames of the client's dialect. A frame is translated when it is read,
 * with two exceptions. The stop waits for the upstream's end, because usage may follow it. If the client's dialect has one
 * block after the other, a block that begins between the pieces of a call waits for the end of the call. One per stream, on one
 * thread at a time.
 *
 * <p>Buffers remain with the caller. Each call appends no, one or several whole frames to {@code out}.
 */
public final class StreamTranslator {
    private final DeltaReader reader;
    private final DeltaWriter writer;
    private final AnswerGrammar answer;

    /** Joins a reader of the upstream's stream and a writer of the client's, both new. */
    public StreamTranslator(DeltaReader reader, DeltaWriter writer) {
        this.reader = reader;
        this.writer = writer;
        this.answer = new AnswerGrammar(writer);
    }

    /** Translates the whole frame {@code frame[start, end)}. No input makes this throw. */
    public void frame(ByteBuf frame, int start, int end, ByteBuf out) {
        writer.to(out);
        if (!answer.isOver()) {
            reader.frame(frame, start, end, answer);
        }
    }

    /**
     * The upstream's body ended cleanly: writes the end of the client's stream, if it is missing. If the upstream reported no
     * stop, nothing is written and {@link #isOver} stays false: the stream was cut.
     */
    public void finish(ByteBuf out) {
        writer.to(out);
        if (!answer.isOver()) {
            reader.finish(answer);
        }
    }

    /** Ends the client's stream where it is, with {@link StopReason#STOPPED}. Called when the client asked for that. */
    public void stop(ByteBuf out) {
        writer.to(out);
        if (!answer.isOver()) {
            answer.stop(StopReason.STOPPED, null);
            answer.end();
        }
    }

    /** Ends the client's stream with an error of the relay's own. */
    public void fail(RelayError error, String message, ByteBuf out) {
        writer.to(out);
        answer.error(new ModelError(503, error.code(), message));
    }

    /** Whether the client's stream has its end, or its error: nothing more will be written. */
    public boolean isOver() {
        return answer.isOver();
    }

    /**
     * Whether the client's stream ended in an error: the upstream's, one of its answer that cannot be read, or the relay's
     * own by {@link #fail}. Implies {@link #isOver}.
     */
    public boolean failed() {
        return answer.failure() != null;
    }

    /** The HTTP status of the error with which the client's stream ended; 200 if it did not {@linkplain #failed() fail}. */
    public int status() {
        ModelError failure = answer.failure();
        return failure == null ? 200 : failure.status();
    }

    /**
     * An upper estimate of the bytes that this holds: blocks that wait, data that was read and not yet written, and data that
     * the client's last event repeats. The call is cheap.
     */
    public long heldBytes() {
        return Character.BYTES * answer.heldChars() + reader.heldBytes() + writer.heldBytes();
    }

    /** The token counts reported so far. */
    public TokenCounts usage() {
        return answer.usage();
    }
}
