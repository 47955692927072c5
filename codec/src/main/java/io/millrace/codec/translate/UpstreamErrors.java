package io.millrace.codec.translate;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.charset.StandardCharsets;
import java.util.Map;

/** Reads errors of all providers: their shapes overlap, and compatible servers mix them. */
final class UpstreamErrors {
    private static final int MAX_TEXT_CHARS = 500;
    private static final int STATUS_OF_SERVER_ERROR = 500;

    /** What an error without a status of its own would have had as one; its code or type, or Google's status. */
    private static final Map<String, Integer> STATUS = Map.ofEntries(
            Map.entry("invalid_request_error", 400),
            Map.entry("invalid_prompt", 400),
            Map.entry("context_length_exceeded", 400),
            Map.entry("INVALID_ARGUMENT", 400),
            Map.entry("FAILED_PRECONDITION", 400),
            Map.entry("authentication_error", 401),
            Map.entry("invalid_api_key", 401),
            Map.entry("UNAUTHENTICATED", 401),
            Map.entry("billing_error", 402),
            Map.entry("permission_error", 403),
            Map.entry("PERMISSION_DENIED", 403),
            Map.entry("not_found_error", 404),
            Map.entry("model_not_found", 404),
            Map.entry("NOT_FOUND", 404),
            Map.entry("conflict_error", 409),
            Map.entry("request_too_large", 413),
            Map.entry("rate_limit_error", 429),
            Map.entry("rate_limit_exceeded", 429),
            Map.entry("insufficient_quota", 429),
            Map.entry("RESOURCE_EXHAUSTED", 429),
            Map.entry("CANCELLED", 499),
            Map.entry("UNAVAILABLE", 503),
            Map.entry("server_is_overloaded", 503),
            Map.entry("timeout_error", 504),
            Map.entry("DEADLINE_EXCEEDED", 504),
            Map.entry("overloaded_error", 529));

    private UpstreamErrors() {}

    /** The error that a body with this status says. */
    static ModelError ofBody(int status, byte[] body) {
        int start = 0;
        while (start < body.length && (body[start] <= ' ' || body[start] == '[')) {
            start++;
        }
        int end = body.length;
        while (end > start && start > 0 && (body[end - 1] <= ' ' || body[end - 1] == ']')) {
            end--;
        }
        ObjectNode json = Json.parseObject(body, start, end - start);
        if (json != null) {
            ModelError error = of(json);
            return new ModelError(status, error.code(), error.message());
        }
        String text = new String(body, StandardCharsets.UTF_8).strip();
        String message = text.length() > MAX_TEXT_CHARS ? text.substring(0, MAX_TEXT_CHARS) : text;
        return new ModelError(status, null, message.isEmpty() ? "the upstream answered " + status : message);
    }

    /**
     * The error that an object says: {@code {"error": {..}}}, {@code {"error": ".."}} or the inner object alone. Its status is
     * the one told in it, else what its code or type stands for, else 500.
     */
    static ModelError of(ObjectNode json) {
        JsonNode inner = json.path("error");
        if (inner.isTextual()) {
            return new ModelError(STATUS_OF_SERVER_ERROR, null, inner.textValue());
        }
        JsonNode error = inner.isObject() ? inner : json;
        String code = word(error.path("code"));
        String type = word(error.path("type"));
        String google = word(error.path("status"));
        String message = word(error.path("message"));
        String name = code != null ? code : google != null ? google : type;
        return new ModelError(
                status(error, code, google, type), name, message == null ? "the upstream failed" : message);
    }

    private static int status(JsonNode error, String... names) {
        for (String key : new String[] {"status_code", "code", "status"}) {
            JsonNode value = error.path(key);
            if (value.isInt() && value.intValue() >= 400 && value.intValue() < 600) {
                return value.intValue();
            }
        }
        for (String name : names) {
            if (name != null && STATUS.containsKey(name)) {
                return STATUS.get(name);
            }
        }
        return STATUS_OF_SERVER_ERROR;
    }

    private static String word(JsonNode value) {
        return value.isTextual() && !value.textValue().isEmpty() ? value.textValue() : null;
    }
}
