package io.millrace.server.relay;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/**
 * The top-level fields of a request body that a relay looks at. Of a field that is there twice the last counts, as it does
 * for the servers behind.
 *
 * @param model the value of {@code model}, or null
 * @param modelStart index of the opening quote of that value, from the start of the body
 * @param modelEnd index behind its closing quote
 * @param stream whether {@code stream} is true
 * @param choices how many answers are asked for in one stream ({@code n}), at least 1
 * @param usage what asks a Chat server for usage in this request, or null if nothing can
 * @param invalid what is wrong with the JSON, or null
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
     * How a request asks for usage, or how it is made to: the bytes {@code [start, end)} of its body give way to
     * {@code text}.
     *
     * @param asked whether it asks already, so that nothing need be done
     */
    record Usage(boolean asked, int start, int end, String text) {
        /** The body that asks; takes over {@code body}. */
        ByteBuf applyTo(ByteBuf body) {
            byte[] bytes = text.getBytes(StandardCharsets.US_ASCII);
            return RequestBody.replace(body, start, end, Unpooled.wrappedBuffer(bytes));
        }
    }

    /** Whether this is what the request says, rather than what is taken where nothing is known. */
    boolean isRead() {
        return invalid == null && (model != null || usage != null);
    }

    /** What makes the request ask for usage; null if it asks already, or cannot be made to. */
    @Nullable
    Usage missingUsage() {
        return usage != null && usage.start() >= 0 && !usage.asked() ? usage : null;
    }

    /** Of a dialect that names the model in the path. */
    static RequestFields ofPath(@Nullable String model, boolean stream) {
        return new RequestFields(model, -1, -1, stream, 1, null, null);
    }

    /** The model asked for, cut to a length that a log can bear: a client chooses the name. */
    @Nullable
    String loggedModel() {
        return model == null || model.length() <= MAX_LOGGED_MODEL ? model : model.substring(0, MAX_LOGGED_MODEL);
    }

    /** The body that asks for {@code other} in place of its model; takes over {@code body}. */
    ByteBuf withModel(ByteBuf body, String other) {
        try {
            ByteBuf quoted = Unpooled.wrappedBuffer(JSON.writeValueAsBytes(other));
            return RequestBody.replace(body, modelStart, modelEnd, quoted);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
    }
}
