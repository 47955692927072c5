package io.millrace.server.format;

import io.millrace.codec.dialect.Dialect;
import io.millrace.codec.dialect.HeartbeatForm;
import io.millrace.codec.dialect.RelayError;
import io.millrace.codec.dialect.StreamStop;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpRequest;
import org.jspecify.annotations.Nullable;

/**
 * The format of one exchange's client: how the relay itself answers the client, and how a request is translated for an
 * upstream of another dialect. If {@link #isOwn}, no upstream has the format, so each request is read as a whole
 * ({@link #read}) and translated. Confined to the exchange's event loop.
 */
public interface ClientSide {
    /** The content type of translated answers and of errors. */
    String JSON = "application/json";

    /** The dialect; {@link Dialect#UNKNOWN} for a format of the relay's own. */
    Dialect dialect();

    /** The name of the format in logs and metrics. */
    default String label() {
        return dialect().label();
    }

    /** Whether it is a format of the relay's own. */
    default boolean isOwn() {
        return false;
    }

    /**
     * Reads a whole request of an own format. It is called once, before the other methods.
     *
     * @param body remains with the caller, its indices are not moved; empty if there is none
     * @throws RequestRefusal if the request is wrong; it has the response to the client
     */
    default void read(HttpRequest head, ByteBuf body) throws RequestRefusal {}

    /** The model in a request of an own format, or null. */
    default @Nullable String model() {
        return null;
    }

    /** Whether a request of an own format asks for a stream. */
    default boolean stream() {
        return false;
    }

    /**
     * Says that the answer is kept for readers. Called before an answer is made.
     *
     * @param streamId the id with which the client may come back
     */
    default void keptAs(String streamId) {}

    /** Whether requests like this can be translated. Other requests are passed on unchanged. */
    boolean translates(HttpMethod method, String path);

    /**
     * Translates the request for one attempt. May be called on any thread, and changes nothing here.
     *
     * @param uri the path and query of the client's request
     * @param body the whole body of the client's request; remains with the caller, its indices are not moved
     * @throws io.millrace.codec.translate.TranslationException if the request is wrong, or the upstream's dialect
     *     cannot express it
     */
    Interpreter interpreter(String uri, ByteBuf body, Asked asked);

    /** A JSON error body; see {@link Dialect#errorBody}. */
    byte[] errorBody(int status, String code, String message, @Nullable String field, String requestId);

    /**
     * The end of a failed stream that was not translated; null if the format has no such frame. Ownership of the result
     * is transferred.
     *
     * @param lastSequenceNumber the last sequence number that the client has received, -1 if there is none
     */
    @Nullable
    ByteBuf errorFrame(
            ByteBufAllocator alloc, RelayError error, String message, long lastSequenceNumber, String requestId);

    /** Whether a stream of this format can have an error in it. If not, a failure closes the connection. */
    default boolean tellsErrors() {
        return true;
    }

    /** A whole stopped stream without output; may be empty. Ownership of the result is transferred. */
    ByteBuf stopFrames(ByteBufAllocator alloc, StreamStop stop);

    /**
     * The form of heartbeats; {@link HeartbeatForm#NONE} for no heartbeats.
     *
     * @param configured the form that the route configures, or null
     */
    HeartbeatForm heartbeat(@Nullable HeartbeatForm configured);

    /** The content type of a stream that is not passed through. */
    default String streamType() {
        return "text/event-stream; charset=utf-8";
    }

    /** The content type of a translated answer that is not a stream. */
    default String answerType() {
        return JSON;
    }

    /**
     * The target of one attempt.
     *
     * @param dialect the upstream's dialect
     * @param model the route's model, which replaces the client's, or null
     * @param usualModel the model for translated requests, or null
     * @param strict whether a request with an unknown field is refused; otherwise the field is left out
     */
    record Asked(
            Dialect dialect,
            @Nullable String model,
            @Nullable String usualModel,
            boolean strict) {}
}
