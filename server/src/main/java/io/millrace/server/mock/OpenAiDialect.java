package io.millrace.server.mock;

import org.jspecify.annotations.Nullable;

/** The errors of OpenAI's dialects. */
interface OpenAiDialect extends MockDialect {
    @Override
    default String errorFrame(@Nullable String code, String message, int sequence) {
        return "data: " + errorBody(503, code, message) + "\n\n";
    }

    @Override
    default String hiddenErrorFrame(String message) {
        return "error: " + errorBody(503, null, message) + "\n\n";
    }

    @Override
    default String errorBody(int status, @Nullable String code, String message) {
        return code == null ? usual(status, message) : error(type(code), code, message);
    }

    private static String type(String code) {
        return switch (code) {
            case "insufficient_quota" -> "insufficient_quota";
            case "rate_limit_exceeded" -> "requests";
            case "server_error", "server_is_overloaded" -> "server_error";
            default -> "invalid_request_error";
        };
    }

    private static String usual(int status, String message) {
        return switch (status) {
            case 401, 403 -> error("invalid_request_error", "invalid_api_key", message);
            case 404 -> error("invalid_request_error", "not_found", message);
            case 408 -> error("timeout", "timeout", message);
            case 409, 425 -> error("server_error", "conflict", message);
            case 429 -> error("requests", "rate_limit_exceeded", message);
            case 503, 529 -> error("server_error", "server_is_overloaded", message);
            default ->
                status < 500
                        ? error("invalid_request_error", "invalid_request", message)
                        : error("server_error", "server_error", message);
        };
    }

    private static String error(String type, String code, String message) {
        return "{\"error\":{\"message\":\"%s\",\"type\":\"%s\",\"param\":null,\"code\":\"%s\"}}"
                .formatted(Answer.escape(message), type, code);
    }
}
