package io.millrace.codec.translate;

import io.millrace.codec.dialect.Dialect;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** The format of one known dialect's clients. */
final class DialectClient implements ClientFormat {
    private final Dialect dialect;
    private final Reader reader;
    private final Function<ModelRequest, DeltaWriter> streams;
    private final Function<ModelRequest, AnswerWriter> answers;
    private final Function<RequestField, String> names;

    @FunctionalInterface
    private interface Reader {
        ModelRequest read(byte[] body, String path);
    }

    private DialectClient(
            Dialect dialect,
            Reader reader,
            Function<ModelRequest, DeltaWriter> streams,
            Function<ModelRequest, AnswerWriter> answers,
            Function<RequestField, String> names) {
        this.dialect = dialect;
        this.reader = reader;
        this.streams = streams;
        this.answers = answers;
        this.names = names;
    }

    static DialectClient of(Dialect dialect) {
        return switch (dialect) {
            case CHAT ->
                new DialectClient(
                        dialect,
                        DialectClient::readChat,
                        ChatDeltaWriter::new,
                        ChatAnswerWriter::new,
                        DialectClient::chatName);
            case MESSAGES ->
                new DialectClient(
                        dialect,
                        (body, path) -> new MessagesRequestReader(JsonFields.ofBody(body)).read(),
                        MessagesDeltaWriter::new,
                        MessagesAnswerWriter::new,
                        DialectClient::messagesName);
            case RESPONSES ->
                new DialectClient(
                        dialect,
                        (body, path) -> new ResponsesRequestReader(JsonFields.ofBody(body)).read(),
                        request -> new ResponsesWriter(request, true),
                        request -> new ResponsesWriter(request, false),
                        DialectClient::responsesName);
            case GEMINI ->
                new DialectClient(
                        dialect,
                        (body, path) ->
                                new GeminiRequestReader(JsonFields.ofProtoBody(body), GeminiPath.parse(path)).read(),
                        GeminiDeltaWriter::new,
                        GeminiAnswerWriter::new,
                        DialectClient::geminiName);
            case UNKNOWN ->
                throw new IllegalArgumentException("dialect: " + dialect + " (expected: one that is translated)");
        };
    }

    @Override
    public ModelRequest request(byte[] body, String path) {
        return reader.read(body, path);
    }

    @Override
    public DeltaWriter stream(ModelRequest request) {
        return streams.apply(request);
    }

    @Override
    public AnswerWriter answer(ModelRequest request) {
        return answers.apply(request);
    }

    /** OpenAI's shapes have a field for the code. In the other shapes it is a part of the message. */
    @Override
    public byte[] error(ModelError error, @Nullable String param, @Nullable String requestId) {
        boolean openAi = dialect == Dialect.CHAT || dialect == Dialect.RESPONSES;
        String message = openAi ? error.message() : error.codedMessage();
        return dialect.errorBody(error.status(), error.code(), message, param, requestId);
    }

    @Override
    public String fieldName(RequestField field) {
        return names.apply(field);
    }

    private static ModelRequest readChat(byte[] body, String path) {
        int query = path.indexOf('?');
        if (!(query < 0 ? path : path.substring(0, query)).endsWith("/chat/completions")) {
            throw new TranslationException("prompt", "legacy completions cannot be translated: use chat completions");
        }
        return new ChatRequestReader(JsonFields.ofBody(body)).read();
    }

    private static String chatName(RequestField field) {
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

    private static String messagesName(RequestField field) {
        return switch (field) {
            case PARALLEL_TOOLS -> "tool_choice.disable_parallel_tool_use";
            case MAX_TOKENS -> "max_tokens";
            case STOPS -> "stop_sequences";
            case FORMAT -> "output_config.format";
            case THINKING -> "thinking";
            default -> chatName(field);
        };
    }

    private static String responsesName(RequestField field) {
        return switch (field) {
            case TURNS -> "input";
            case MAX_TOKENS -> "max_output_tokens";
            case FORMAT -> "text.format";
            case THINKING -> "reasoning";
            default -> chatName(field);
        };
    }

    private static String geminiName(RequestField field) {
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
