package io.millrace.codec.translate;

import io.millrace.codec.dialect.Dialect;
import org.jspecify.annotations.Nullable;

/** Clients of Chat Completions. */
final class ChatClient implements ClientFormat {
    static final ChatClient INSTANCE = new ChatClient();

    private ChatClient() {}

    @Override
    public ModelRequest request(byte[] body, String path) {
        int query = path.indexOf('?');
        if (!(query < 0 ? path : path.substring(0, query)).endsWith("/chat/completions")) {
            throw new TranslationException("prompt", "legacy completions cannot be translated: use chat completions");
        }
        return new ChatRequestReader(JsonFields.ofBody(body)).read();
    }

    @Override
    public DeltaWriter stream(ModelRequest request) {
        return new ChatDeltaWriter(request);
    }

    @Override
    public AnswerWriter answer(ModelRequest request) {
        return new ChatAnswerWriter(request);
    }

    @Override
    public byte[] error(ModelError error, @Nullable String param, @Nullable String requestId) {
        return Dialect.CHAT.errorBody(error.status(), error.code(), error.message(), param, requestId);
    }

    @Override
    public String fieldName(RequestField field) {
        return switch (field) {
            case MODEL -> "model";
            case TURNS -> "messages";
            case TOOLS -> "tools";
            case TOOL_CHOICE -> "tool_choice";
            case PARALLEL_TOOLS -> "parallel_tool_calls";
            case MAX_TOKENS -> "max_completion_tokens";
            case TOP_K -> "top_k";
            case PRESENCE_PENALTY -> "presence_penalty";
            case FREQUENCY_PENALTY -> "frequency_penalty";
            case STOPS -> "stop";
            case FORMAT -> "response_format";
            case THINKING -> "reasoning_effort";
        };
    }
}
