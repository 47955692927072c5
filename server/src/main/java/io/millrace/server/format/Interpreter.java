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
 * Translates one attempt between a client and an upstream of another dialect. It has the request in the upstream's dialect, and
 * translates the answer, which is a stream or a body, for the client. No input from the upstream makes it throw. Confined to
 * the exchange's event loop.
 */
public final class Interpreter {
    private final Translation translation;
    private @Nullable TranslatedRequest request;
    private final Silence silence;
    private final @Nullable String dropped;
    private @Nullable StreamTranslator stream;
    private boolean collects;

    /** Writes what a client's stream must not be kept waiting for any longer. */
    @FunctionalInterface
    public interface Silence {
        /** Called now and then between two frames; appends to {@code out} or not. */
        void onSilence(long nowNs, ByteBuf out);
    }

    /** Of a translation and the request that it made. */
    public Interpreter(Translation translation, @Nullable TranslatedRequest request) {
        this(translation, request, (nowNs, out) -> {});
    }

    /** Of a translation that may hold output back. */
    public Interpreter(Translation translation, @Nullable TranslatedRequest request, Silence silence) {
        this.translation = translation;
        this.request = request;
        this.silence = silence;
        dropped = request == null || request.dropped().isEmpty()
                ? null
                : request.dropped().stream().map(DroppedField::name).collect(Collectors.joining(", "));
    }

    /** Of an answer in a dialect for a client of the same, who asked for a stream and gets none, or the other way round. */
    public static Interpreter ofKind(Dialect dialect) {
        return new Interpreter(Translation.of(dialect, dialect), null);
    }

    /** Has the stream made one body, which is appended at its end; its client asked for no stream. */
    public void collect(String requestId) {
        stream = translation.collector(requestId);
        collects = true;
    }

    /** Whether nothing is appended before the end. */
    public boolean collects() {
        return collects;
    }

    /** Bytes of the heap that the answer takes so far; see {@link StreamTranslator#heldBytes}. */
    public long held() {
        return stream == null ? 0 : stream.heldBytes();
    }

    /** The status of the client's error if the stream {@linkplain #failed() failed}, else 200. */
    public int status() {
        return stream == null ? 200 : stream.status();
    }

    /** The upstream has the request: a stream may last for minutes, and its request be large. */
    public void forgetRequest() {
        request = null;
    }

    /** The names of the fields that were left out of the client's request, safe for a header; null if none was. */
    public @Nullable String dropped() {
        return dropped;
    }

    /** The request as the upstream gets it, until it is forgotten. */
    public @Nullable TranslatedRequest request() {
        return request;
    }

    /** Appends to {@code out} what the whole frame {@code frame[start, end)} is for the client; all buffers remain the caller's. */
    public void frame(ByteBuf frame, int start, int end, ByteBuf out) {
        stream().frame(frame, start, end, out);
    }

    /** Appends what has been held back for too long. */
    public void onSilence(long nowNs, ByteBuf out) {
        if (stream != null && !stream.isOver()) {
            silence.onSilence(nowNs, out);
        }
    }

    /** Appends the end, now that the upstream's stream is complete; an error if it never said why it stops. */
    public void finish(ByteBuf out) {
        StreamTranslator ending = stream();
        ending.finish(out);
        if (!ending.isOver()) {
            fail(RelayError.UPSTREAM_TRUNCATED, "The upstream's stream ended before its terminal", out);
        }
    }

    /** Appends the end of a stream whose client wants no more of it. */
    public void stop(ByteBuf out) {
        stream().stop(out);
    }

    /** Appends an error of the relay's own, which ends the client's stream, unless that has its end or an error already. */
    public void fail(RelayError error, String message, ByteBuf out) {
        stream().fail(error, message, out);
    }

    /** Whether the client's stream has its end, or its error. */
    public boolean isOver() {
        return stream != null && stream.isOver();
    }

    /** Whether the client's stream ended in an error, be it the upstream's or the relay's. */
    public boolean failed() {
        return stream != null && stream.failed();
    }

    /** The client's answer, which is an error if {@code body} is none of the upstream's. */
    public TranslatedAnswer answer(byte[] body, String requestId) {
        return translation.answer(body, requestId);
    }

    /** The client's stream of a whole answer, or JSON with another status if {@code body} is no answer of the upstream's. */
    public TranslatedAnswer streamed(byte[] body, String requestId) {
        return translation.streamed(body, requestId);
    }

    /** The body of the client's error for an upstream's with this status. */
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
