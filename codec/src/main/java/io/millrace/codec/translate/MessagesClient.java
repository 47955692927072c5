package io.millrace.codec.translate;

import io.millrace.codec.dialect.Dialect;
import org.jspecify.annotations.Nullable;

/** Clients of Messages. */
final class MessagesClient implements ClientFormat {
    static final MessagesClient INSTANCE = new MessagesClient();

    private MessagesClient() {}

    @Override
    public ModelRequest request(byte[] body, String path) {
        return new MessagesRequestReader(JsonFields.ofBody(body)).read();
    }

    @Override
    public DeltaWriter stream(ModelRequest request) {
        return new MessagesDeltaWriter(request);
    }

    @Override
    public AnswerWriter answer(ModelRequest request) {
        return new MessagesAnswerWriter(request);
    }

    @Override
    public byte[] error(ModelError error, @Nullable String param, @Nullable String requestId) {
        return Dialect.MESSAGES.errorBody(error.status(), error.code(), error.codedMessage(), param, requestId);
    }

    @Override
    public String fieldName(RequestField field) {
        return switch (field) {
            case MODEL -> "model";
            case TURNS -> "messages";
            case TOOLS -> "tools";
            case TOOL_CHOICE -> "tool_choice";
            case PARALLEL_TOOLS -> "tool_choice.disable_parallel_tool_use";
            case MAX_TOKENS -> "max_tokens";
            case TOP_K -> "top_k";
            case PRESENCE_PENALTY -> "presence_penalty";
            case FREQUENCY_PENALTY -> "frequency_penalty";
            case STOPS -> "stop_sequences";
            case FORMAT -> "output_config.format";
            case THINKING -> "thinking";
        };
    }
}
