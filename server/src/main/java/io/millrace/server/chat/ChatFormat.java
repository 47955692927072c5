package io.millrace.server.chat;

import io.millrace.codec.dialect.Dialect;
import io.millrace.codec.translate.AnswerWriter;
import io.millrace.codec.translate.ClientFormat;
import io.millrace.codec.translate.DeltaWriter;
import io.millrace.codec.translate.ModelError;
import io.millrace.codec.translate.ModelRequest;
import io.millrace.codec.translate.RequestField;
import io.netty.buffer.ByteBuf;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** The format of {@code /chat} for one attempt to answer one request. */
final class ChatFormat implements ClientFormat {
    private final ChatQuestion question;
    private final @Nullable String kept;
    private final long attemptNs;
    private @Nullable ChatStream stream;

    /**
     * The format of an attempt that begins now.
     *
     * @param kept the id of a stream that the client may come back to; null if it may not
     */
    ChatFormat(ChatQuestion question, @Nullable String kept) {
        this.question = question;
        this.kept = kept;
        attemptNs = question.nowNs();
    }

    /** Returns the request that was read before. {@code body} and {@code path} are not used. */
    @Override
    public ModelRequest request(byte[] body, String path) {
        return question.request();
    }

    @Override
    public DeltaWriter stream(ModelRequest asked) {
        if (question.form() == ChatForm.ANSWER) {
            // Some upstreams stream although the request does not ask for it.
            return question.newAnswer();
        }
        stream = question.newStream(kept, attemptNs);
        return stream;
    }

    @Override
    public AnswerWriter answer(ModelRequest asked) {
        return question.newAnswer();
    }

    @Override
    public byte[] error(ModelError error, @Nullable String param, @Nullable String requestId) {
        return errorBody(error, param);
    }

    @Override
    public String fieldName(RequestField field) {
        return switch (field) {
            case MODEL -> "model";
            case MAX_TOKENS -> "max_tokens";
            case TURNS -> "messages";
            case TOOLS,
                    TOOL_CHOICE,
                    PARALLEL_TOOLS,
                    TOP_K,
                    PRESENCE_PENALTY,
                    FREQUENCY_PENALTY,
                    STOPS,
                    FORMAT,
                    THINKING -> field.name().toLowerCase(Locale.ROOT);
        };
    }

    /** Appends to {@code out} the text that the stream has held for too long. */
    void onSilence(long nowNs, ByteBuf out) {
        if (stream != null) {
            stream.to(out);
            stream.onTime(nowNs);
        }
    }

    /** The body of an error in OpenAI's shape, which all clients can show. */
    static byte[] errorBody(ModelError error, @Nullable String param) {
        return Dialect.CHAT.errorBody(error.status(), error.code(), error.message(), param, null);
    }
}
