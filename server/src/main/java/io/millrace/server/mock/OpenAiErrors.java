package io.millrace.server.mock;

/** The error objects that OpenAI's dialects share. */
final class OpenAiErrors {
    private OpenAiErrors() {}

    static String overloaded(String message) {
        return body(503, message);
    }

    static String body(int status, String message) {
        return switch (status) {
            case 401, 403 -> error("invalid_request_error", "invalid_api_key", message);
            case 404 -> error("invalid_request_error", "not_found", message);
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
