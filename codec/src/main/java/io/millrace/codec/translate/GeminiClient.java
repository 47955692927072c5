package io.millrace.codec.translate;

import io.millrace.codec.dialect.Dialect;
import org.jspecify.annotations.Nullable;

/** Clients of Gemini. */
final class GeminiClient implements ClientFormat {
    static final GeminiClient INSTANCE = new GeminiClient();

    private GeminiClient() {}

    @Override
    public ModelRequest request(byte[] body, String path) {
        return new GeminiRequestReader(JsonFields.ofProtoBody(body), GeminiPath.parse(path)).read();
    }

    @Override
    public DeltaWriter stream(ModelRequest request) {
        return new GeminiDeltaWriter(request);
    }

    @Override
    public AnswerWriter answer(ModelRequest request) {
        return new GeminiAnswerWriter(request);
    }

    @Override
    public byte[] error(ModelError error, @Nullable String param, @Nullable String requestId) {
        return Dialect.GEMINI.errorBody(error.status(), error.code(), error.codedMessage(), param, requestId);
    }

    @Override
    public String fieldName(RequestField field) {
        return switch (field) {
            case MODEL -> "model";
            case TURNS -> "contents";
            case TOOLS -> "tools";
            case TOOL_CHOICE, PARALLEL_TOOLS -> "toolConfig.functionCallingConfig";
            case MAX_TOKENS -> "generationConfig.maxOutputTokens";
            case TOP_K -> "generationConfig.topK";
            case PRESENCE_PENALTY -> "generationConfig.presencePenalty";
            case FREQUENCY_PENALTY -> "generationConfig.frequencyPenalty";
            case STOPS -> "generationConfig.stopSequences";
            case FORMAT -> "generationConfig.responseSchema";
            case THINKING -> "generationConfig.thinkingConfig";
        };
    }
}
