package io.millrace.it.clients;

import java.util.List;

/** {@code anthropic-java}. */
class AnthropicJavaTest extends ClientContract {
    @Override
    Sdk sdk() {
        return new AnthropicJavaSdk();
    }

    @Override
    List<String> apis() {
        return List.of("messages", "messages.helper");
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
