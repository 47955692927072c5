package io.millrace.bench.doctor;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.millrace.codec.dialect.Dialect;

/** Checks whether the dialect's SDKs can read an error. */
final class ErrorShape {
    private static final ObjectMapper JSON = new ObjectMapper();

    private ErrorShape() {}

    static boolean fits(Dialect dialect, String body) {
        JsonNode json;
        try {
            json = JSON.readTree(body);
        } catch (JsonProcessingException e) {
            return false;
        }
        JsonNode first = json.isArray() ? json.path(0) : json;
        JsonNode error = first.path("error");
        return switch (dialect) {
            case MESSAGES ->
                first.path("type").asText().equals("error")
                        && error.path("type").isTextual();
            case GEMINI ->
                error.path("code").isNumber() && error.path("message").isTextual();
            case CHAT, RESPONSES, UNKNOWN -> error.path("message").isTextual();
        };
    }
}
