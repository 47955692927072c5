package io.millrace.server.relay;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/**
 * The top-level fields of a request body that the relay uses. If a field occurs twice, the last one counts, as it does
 * for the servers.
 *
 * @param model the value of {@code model}, or null
 * @param modelStart the index of the opening quote of that value, from the start of the body
 * @param modelEnd the index after its closing quote
 * @param stream whether {@code stream} is true
 * @param choices the number of answers in one stream ({@code n}), at least 1
 * @param usage the request for usage to a Chat server, or null if there can be none
 * @param invalid the fault of the JSON, or null
 */
record RequestFields(
        @Nullable String model,
        int modelStart,
        int modelEnd,
        boolean stream,
        int choices,
        @Nullable Usage usage,
        @Nullable String invalid) {
    private static final int MAX_LOGGED_MODEL = 128;
    private static final ObjectMapper JSON = new ObjectMapper();

    static final RequestFields NONE = new RequestFields(null, -1, -1, false, 1, null, null);

    /**
     * The request for usage, or the change that adds it: the bytes {@code [start, end)} of the body are replaced by
     * {@code text}.
     *
     * @param asked whether the request already asks for usage
     */
    record Usage(boolean asked, int start, int end, String text) {
        /** The body with the change. The ownership of {@code body} is transferred. */
        ByteBuf applyTo(ByteBuf body) {
            byte[] bytes = text.getBytes(StandardCharsets.US_ASCII);
            return RequestBody.replace(body, start, end, Unpooled.wrappedBuffer(bytes));
        }
    }

    /** Whether these fields were read from a request, and are not the defaults for an unknown one. */
    boolean isRead() {
        return invalid == null && (model != null || usage != null);
    }

    /** The change that asks for usage; null if the request already does, or there can be none. */
    @Nullable
    Usage missingUsage() {
        return usage != null && usage.start() >= 0 && !usage.asked() ? usage : null;
    }

    /** The fields of a dialect with the model in the path. */
    static RequestFields ofPath(@Nullable String model, boolean stream) {
        return new RequestFields(model, -1, -1, stream, 1, null, null);
    }

    /** The requested model, shortened for logs, because a client chooses the name. */
    @Nullable
    String loggedModel() {
        return model == null || model.length() <= MAX_LOGGED_MODEL ? model : model.substring(0, MAX_LOGGED_MODEL);
    }

    /** The body with the model {@code other}. The ownership of {@code body} is transferred. */
    ByteBuf withModel(ByteBuf body, String other) {
        try {
            ByteBuf quoted = Unpooled.wrappedBuffer(JSON.writeValueAsBytes(other));
            return RequestBody.replace(body, modelStart, modelEnd, quoted);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
    }
}
