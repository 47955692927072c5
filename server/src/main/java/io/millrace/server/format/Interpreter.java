package io.millrace.server.format;

import io.millrace.codec.dialect.Dialect;
import io.millrace.codec.dialect.RelayError;
import io.millrace.codec.translate.DroppedField;
import io.millrace.codec.translate.StreamTranslator;
import io.millrace.codec.translate.TranslatedAnswer;
import io.millrace.codec.translate.TranslatedRequest;
import io.millrace.codec.translate.Translation;
import io.netty.buffer.ByteBuf;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Translates one attempt between a client and an upstream of another dialect. It has the request in the upstream's
 * dialect, and translates the answer, which is a stream or a body, for the client. No input from the upstream makes it
 * throw. Confined to the exchange's event loop.
 */
public final class Interpreter {
    private final Translation translation;
    private @Nullable TranslatedRequest request;
    private final Silence silence;
    private final @Nullable String dropped;
    private @Nullable StreamTranslator stream;
    private boolean collects;

    /** Writes output that must not wait any longer. */
    @FunctionalInterface
    public interface Silence {
        /** Called now and then between two frames. May append to {@code out}. */
        void onSilence(long nowNs, ByteBuf out);
    }

    /** Interprets with a translation and the request that it made. */
    public Interpreter(Translation translation, @Nullable TranslatedRequest request) {
        this(translation, request, (nowNs, out) -> {});
    }

    /** Interprets with a translation that may hold output back. */
    public Interpreter(Translation translation, @Nullable TranslatedRequest request, Silence silence) {
        this.translation = translation;
        this.request = request;
        this.silence = silence;
        dropped = request == null || request.dropped().isEmpty()
                ? null
                : request.dropped().stream().map(DroppedField::name).collect(Collectors.joining(", "));
    }

    /**
     * Interprets an answer of the client's own dialect, if the client asked for a stream and gets a body, or the
     * reverse.
     */
    public static Interpreter ofKind(Dialect dialect) {
        return new Interpreter(Translation.of(dialect, dialect), null);
    }

    /** Makes one body of the stream, for a client that asked for no stream. The body is appended at the end. */
    public void collect(String requestId) {
        stream = translation.collector(requestId);
        collects = true;
    }

    /** Whether nothing is appended before the end. */
    public boolean collects() {
        return collects;
    }

    /** The bytes of the heap that the answer occupies so far; see {@link StreamTranslator#heldBytes}. */
    public long held() {
        return stream == null ? 0 : stream.heldBytes();
    }

    /** The status of the client's error if the stream {@linkplain #failed() failed}, otherwise 200. */
    public int status() {
        return stream == null ? 200 : stream.status();
    }

    /**
     * Releases the request, which the upstream now has. A stream may last for minutes, and its request may be large.
     */
    public void forgetRequest() {
        request = null;
    }

    /**
     * The names of the fields that were left out of the client's request, safe for a header; null if there are none.
     */
    public @Nullable String dropped() {
        return dropped;
    }

    /** The request for the upstream; null after {@link #forgetRequest}. */
    public @Nullable TranslatedRequest request() {
        return request;
    }

    /**
     * Appends the client's frames for the whole frame {@code frame[start, end)} to {@code out}. All buffers remain with
     * the caller.
     */
    public void frame(ByteBuf frame, int start, int end, ByteBuf out) {
        stream().frame(frame, start, end, out);
    }

    /** Appends output that was held back for too long. */
    public void onSilence(long nowNs, ByteBuf out) {
        if (stream != null && !stream.isOver()) {
            silence.onSilence(nowNs, out);
        }
    }

    /**
     * Appends the end, after the upstream's stream is complete. It is an error if the upstream gave no reason for its
     * end.
     */
    public void finish(ByteBuf out) {
        StreamTranslator ending = stream();
        ending.finish(out);
        if (!ending.isOver()) {
            fail(RelayError.UPSTREAM_TRUNCATED, "The upstream's stream ended before its terminal", out);
        }
    }

    /** Appends the end of a stream that the client has stopped. */
    public void stop(ByteBuf out) {
        stream().stop(out);
    }

    /**
     * Appends an error of the relay, which ends the client's stream. Does nothing if the stream already has its end or
     * an error.
     */
    public void fail(RelayError error, String message, ByteBuf out) {
        stream().fail(error, message, out);
    }

    /** Whether the client's stream has its end, or its error. */
    public boolean isOver() {
        return stream != null && stream.isOver();
    }

    /** Whether the client's stream ended in an error of the upstream or of the relay. */
    public boolean failed() {
        return stream != null && stream.failed();
    }

    /** The client's answer. It is an error if {@code body} is not an answer of the upstream's dialect. */
    public TranslatedAnswer answer(byte[] body, String requestId) {
        return translation.answer(body, requestId);
    }

    /**
     * The client's stream for a whole answer. It is JSON with another status if {@code body} is not an answer of the
     * upstream's dialect.
     */
    public TranslatedAnswer streamed(byte[] body, String requestId) {
        return translation.streamed(body, requestId);
    }

    /** The body of the client's error for an upstream's error with this status. */
    public byte[] error(int status, byte[] body, String requestId) {
        return translation.error(status, body, requestId);
    }

    private StreamTranslator stream() {
        if (stream == null) {
            stream = translation.stream();
        }
        return stream;
    }
}
