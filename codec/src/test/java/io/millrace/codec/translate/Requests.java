package io.millrace.codec.translate;

import io.millrace.codec.dialect.Dialect;
import java.nio.charset.StandardCharsets;

/** Small requests of each dialect. */
final class Requests {
    private Requests() {}

    /** Where clients of a dialect send requests. */
    static String path(Dialect client) {
        return switch (client) {
            case CHAT -> "/v1/chat/completions";
            case MESSAGES -> "/v1/messages";
            case RESPONSES -> "/v1/responses";
            case GEMINI -> "/v1beta/models/m:streamGenerateContent?alt=sse";
            case UNKNOWN -> throw new IllegalArgumentException("no path");
        };
    }

    /** Translates a streaming request that asks for usage. */
    static TranslatedRequest streaming(Translation translation, Dialect client) {
        String body = switch (client) {
            case CHAT -> """
                        {"model": "m", "messages": [{"role": "user", "content": "Hi"}],
                         "stream": true, "stream_options": {"include_usage": true}}""";
            case MESSAGES -> """
                        {"model": "m", "max_tokens": 100, "messages": [{"role": "user", "content": "Hi"}],
                         "stream": true}""";
            case RESPONSES -> "{\"model\": \"m\", \"input\": \"Hi\", \"stream\": true}";
            case GEMINI -> "{\"contents\": [{\"role\": \"user\", \"parts\": [{\"text\": \"Hi\"}]}]}";
            case UNKNOWN -> throw new IllegalArgumentException("no request");
        };
        return translation.request(body.getBytes(StandardCharsets.UTF_8), path(client), null);
    }
}
