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
 * The format of one exchange's client: how the relay itself answers the client, and how a request is translated for an upstream
 * of another dialect. If {@link #isOwn}, no upstream has the format, so each request is read as a whole ({@link #read}) and
 * translated. Confined to the exchange's event loop.
 */
public interface ClientSide {
    /** The content type of translated answers and of errors. */
    String JSON = "application/json";

    /** The dialect; {@link Dialect#UNKNOWN} for a format of the relay's own. */
    Dialect dialect();

    /** Whether it is a format of the relay's own. */
    default boolean isOwn() {
        return false;
    }

    /**
     * Reads a whole request of an own format. It is called once, before the other methods.
     *
     * @param body remains with the caller, its indices are not moved; empty if there is none
     * @throws RequestRefusal if the request is wrong; it has the answer to the client
     */
    default void read(HttpRequest head, ByteBuf body) throws RequestRefusal {}

    /** The model that an own format's request names, or null. */
    default @Nullable String model() {
        return null;
    }

    /** Whether an own format's request asks for a stream. */
    default boolean stream() {
        return false;
    }

    /** Whether requests like this can be translated; where not, they are passed on as they are. */
    boolean translates(HttpMethod method, String path);

    /**
     * What the request becomes for one attempt. Called on any thread, and changes nothing here.
     *
     * @param uri the path and query that the client asked for, as they came
     * @param body the whole body as the client sent it; remains with the caller, its indices as they are
     * @throws io.millrace.codec.translate.TranslationException if the upstream's dialect cannot express it, or it is wrong
     */
    Interpreter interpreter(String uri, ByteBuf body, Asked asked);

    /** A JSON error body; see {@link Dialect#errorBody}. */
    byte[] errorBody(int status, String code, String message, @Nullable String field, String requestId);

    /**
     * What ends a stream of which no translation has a part, and says that it failed; null if nothing can. Ownership of the
     * result is transferred.
     *
     * @param lastSequenceNumber the one that the client has seen last, -1 if none
     */
    @Nullable
    ByteBuf errorFrame(
            ByteBufAllocator alloc, RelayError error, String message, long lastSequenceNumber, String requestId);

    /** Whether a stream of this format can carry an error. If not, a failure is a broken connection. */
    default boolean tellsErrors() {
        return true;
    }

    /** A whole stream without output that has been stopped; may be empty. Ownership of the result is transferred. */
    ByteBuf stopFrames(ByteBufAllocator alloc, StreamStop stop);

    /**
     * The form of heartbeats, {@link HeartbeatForm#NONE} if there are none.
     *
     * @param configured by the route, or null
     */
    HeartbeatForm heartbeat(@Nullable HeartbeatForm configured);

    /** The content type of a stream that is not passed through. */
    default String streamType() {
        return "text/event-stream; charset=utf-8";
    }

    /** The content type of a translated answer that is no stream. */
    default String answerType() {
        return JSON;
    }

    /**
     * What an attempt asks its upstream for.
     *
     * @param dialect the upstream's dialect
     * @param model the model of the route in place of the client's, or null
     * @param usualModel the model for translated requests, or null
     * @param strict whether a request with an unknown field is refused; otherwise the field is left out
     */
    record Asked(
            Dialect dialect,
            @Nullable String model,
            @Nullable String usualModel,
            boolean strict) {}
}
