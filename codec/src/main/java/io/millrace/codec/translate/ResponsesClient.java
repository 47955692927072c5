package io.millrace.codec.translate;

import io.millrace.codec.dialect.Dialect;
import org.jspecify.annotations.Nullable;

/** Clients of Responses. */
final class ResponsesClient implements ClientFormat {
    static final ResponsesClient INSTANCE = new ResponsesClient();

    private ResponsesClient() {}

    @Override
    public ModelRequest request(byte[] body, String path) {
        return new ResponsesRequestReader(JsonFields.ofBody(body)).read();
    }

    @Override
    public DeltaWriter stream(ModelRequest request) {
        return new ResponsesWriter(request, true);
    }

    @Override
    public AnswerWriter answer(ModelRequest request) {
        return new ResponsesWriter(request, false);
    }

    @Override
    public byte[] error(ModelError error, @Nullable String param, @Nullable String requestId) {
        return Dialect.RESPONSES.errorBody(error.status(), error.code(), error.message(), param, requestId);
    }

    @Override
    public String fieldName(RequestField field) {
        return switch (field) {
            case MODEL -> "model";
            case TURNS -> "input";
            case TOOLS -> "tools";
            case TOOL_CHOICE -> "tool_choice";
            case PARALLEL_TOOLS -> "parallel_tool_calls";
            case MAX_TOKENS -> "max_output_tokens";
            case TOP_K -> "top_k";
            case PRESENCE_PENALTY -> "presence_penalty";
            case FREQUENCY_PENALTY -> "frequency_penalty";
            case STOPS -> "stop";
            case FORMAT -> "text.format";
            case THINKING -> "reasoning";
        };
    }
}
