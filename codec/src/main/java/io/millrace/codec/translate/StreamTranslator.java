package io.millrace.codec.translate;

import io.millrace.codec.dialect.RelayError;
import io.netty.buffer.ByteBuf;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Translates the frames of an upstream's stream into frames of the client's dialect. A frame is translated when it is
 * read, with two exceptions. The stop waits for the upstream's end, because usage may follow it. If the client's
 * dialect has one block after the other, a block that begins between the pieces of a call waits for the end of the
 * call. One per stream, on one thread at a time.
 *
 * <p>Buffers remain with the caller. Each call appends zero or more whole frames to {@code out}.
 */
public final class StreamTranslator {
    private final DeltaReader reader;
    private final DeltaSink sink;
    /** Null for a client that gets one body. */
    private final @Nullable DeltaWriter writer;

    private final AnswerGrammar answer;
    /** Makes the one body, or the body of the given failure. Null for a stream, and after the body was written. */
    private @Nullable Function<@Nullable ModelError, byte[]> body;

    /** Connects a new reader of the upstream's stream and a new writer of the client's. */
    public StreamTranslator(DeltaReader reader, DeltaWriter writer) {
        this(reader, writer, writer, null);
    }

    /**
     * Connects a reader of the upstream's stream and the collector of an answer whose {@code body} is written at the
     * end.
     */
    StreamTranslator(DeltaReader reader, AnswerWriter collector, Function<@Nullable ModelError, byte[]> body) {
        this(reader, collector, null, body);
    }

    private StreamTranslator(
            DeltaReader reader,
            DeltaSink sink,
            @Nullable DeltaWriter writer,
            @Nullable Function<@Nullable ModelError, byte[]> body) {
        this.reader = reader;
        this.sink = sink;
        this.writer = writer;
        this.body = body;
        answer = new AnswerGrammar(sink);
    }

    /** Translates the whole frame {@code frame[start, end)}. No input makes this throw. */
    public void frame(ByteBuf frame, int start, int end, ByteBuf out) {
        begin(out);
        if (!answer.isOver()) {
            reader.frame(frame, start, end, answer);
        }
        writeBody(out);
    }

    /**
     * The upstream's body ended cleanly. Writes the end of the client's stream, if it is missing. If the upstream
     * reported no stop, nothing is written and {@link #isOver} stays false, because the stream was cut.
     */
    public void finish(ByteBuf out) {
        begin(out);
        if (!answer.isOver()) {
            reader.finish(answer);
        }
        writeBody(out);
    }

    /**
     * Ends the client's stream at this point, with {@link StopReason#STOPPED}. Called when the client asked for that.
     */
    public void stop(ByteBuf out) {
        begin(out);
        if (!answer.isOver()) {
            answer.stop(StopReason.STOPPED, null);
            answer.end();
        }
        writeBody(out);
    }

    /** Ends the client's stream with an error of the relay. */
    public void fail(RelayError error, String message, ByteBuf out) {
        begin(out);
        answer.error(new ModelError(503, error.code(), message));
        writeBody(out);
    }

    private void begin(ByteBuf out) {
        if (writer != null) {
            writer.to(out);
        }
    }

    private void writeBody(ByteBuf out) {
        if (body != null && answer.isOver()) {
            out.writeBytes(body.apply(answer.failure()));
            body = null;
        }
    }

    /** Whether the client's stream has its end, or its error. Nothing is written after it. */
    public boolean isOver() {
        return answer.isOver();
    }

    /**
     * Whether the client's stream ended in an error: an error of the upstream, an answer of the upstream that cannot be
     * read, or an error of the relay by {@link #fail}. Implies {@link #isOver}.
     */
    public boolean failed() {
        return answer.failure() != null;
    }

    /**
     * The HTTP status of the error with which the client's stream ended; 200 if it did not {@linkplain #failed() fail}.
     */
    public int status() {
        ModelError failure = answer.failure();
        return failure == null ? 200 : failure.status();
    }

    /**
     * An upper estimate of the bytes that this holds: blocks that wait, data that was read and not yet written, and
     * data that the client's last event repeats. The call is cheap.
     */
    public long heldBytes() {
        return Character.BYTES * answer.heldChars() + reader.heldBytes() + sink.heldBytes();
    }

    /** The token counts reported so far. */
    public TokenCounts usage() {
        return answer.usage();
    }
}
