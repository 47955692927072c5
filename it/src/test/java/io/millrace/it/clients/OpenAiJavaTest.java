package io.millrace.it.clients;

import java.util.List;

/** {@code openai-java}. */
class OpenAiJavaTest extends ClientContract {
    @Override
    Sdk sdk() {
        return new OpenAiJavaSdk();
    }

    @Override
    List<String> apis() {
        return List.of("chat", "chat.helper", "responses", "responses.helper");
    }

    @Override
    String classOfStatus(int status) {
        return switch (status) {
            case 400 -> "BadRequestException";
            case 401 -> "UnauthorizedException";
            case 403 -> "PermissionDeniedException";
            case 404 -> "NotFoundException";
            case 429 -> "RateLimitException";
            default -> "InternalServerException";
        };
    }

    @Override
    String classOfBrokenStream() {
        return "SseException";
    }
}
