package io.millrace.it.clients;

import java.util.List;

/** {@code openai} on Node. */
final class OpenAiNodeTest extends ClientContract {
    @Override
    Sdk sdk() {
        return new NodeSdk("openai.mjs");
    }

    @Override
    List<String> apis() {
        return List.of("chat", "chat.helper", "responses", "responses.helper");
    }

    @Override
    String classOfStatus(int status) {
        return switch (status) {
            case 400 -> "BadRequestError";
            case 401 -> "AuthenticationError";
            case 403 -> "PermissionDeniedError";
            case 404 -> "NotFoundError";
            case 429 -> "RateLimitError";
            default -> "InternalServerError";
        };
    }

    @Override
    String classOfBrokenStream() {
        return "APIError";
    }
}
