package io.millrace.server.relay;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.millrace.codec.dialect.Dialect;

/** The dialects from the view of their clients: a path, a recorded stream, and the shape of an error. */
enum Api {
    CHAT(Dialect.CHAT, "/v1/chat/completions", "chat-openai-text-usage.sse"),
    RESPONSES(Dialect.RESPONSES, "/v1/responses", "responses-openai-text.sse"),
    MESSAGES(Dialect.MESSAGES, "/v1/messages", "anthropic-text-ping.sse"),
    GEMINI(Dialect.GEMINI, "/v1beta/models/m:streamGenerateContent?alt=sse", "gemini-text.sse");

    private static final ObjectMapper JSON = new ObjectMapper();

    final Dialect dialect;
    final String path;
    final String recording;

    /** What an error says; a code that the dialect has no field for stands before the message. */
    record Failure(String code, String message) {}

    Api(Dialect dialect, String path, String recording) {
        this.dialect = dialect;
        this.path = path;
        this.recording = recording;
    }

    /** Reads an error frame of the relay's, which must have exactly this dialect's shape. */
    Failure failureOf(String frame) {
        String start = switch (this) {
            case CHAT, GEMINI -> "data: ";
            case RESPONSES, MESSAGES -> "event: error\ndata: ";
        };
        String end = this == GEMINI ? "\r\n\r\n" : "\n\n";
        assertThat(frame).startsWith(start).endsWith(end);
        JsonNode json = json(frame.substring(start.length(), frame.length() - end.length()));
        JsonNode error = json.get("error");
        return switch (this) {
            case CHAT -> {
                assertThat(error.get("type").asText()).isEqualTo("server_error");
                yield new Failure(
                        error.get("code").asText(), error.get("message").asText());
            }
            case RESPONSES -> {
                assertThat(json.get("type").asText()).isEqualTo("error");
                assertThat(json.get("sequence_number").isIntegralNumber()).isTrue();
                assertThat(error.get("message")).isEqualTo(json.get("message"));
                yield new Failure(json.get("code").asText(), json.get("message").asText());
            }
            case MESSAGES -> {
                assertThat(json.get("type").asText()).isEqualTo("error");
                assertThat(error.get("type").asText()).isEqualTo("api_error");
                yield coded(error.get("message").asText());
            }
            case GEMINI -> {
                assertThat(error.get("code").asInt()).isIn(401, 503, 504);
                yield coded(error.get("message").asText());
            }
        };
    }

    /** Reads a JSON error body, which must have this dialect's shape. Only some shapes have a code. */
    Failure refusalOf(String body) {
        JsonNode json = json(body);
        JsonNode error = json.get("error");
        assertThat(error.get("message").asText()).isNotEmpty();
        switch (this) {
            case CHAT, RESPONSES -> assertThat(error.has("param")).isTrue();
            case MESSAGES -> assertThat(json.get("type").asText()).isEqualTo("error");
            case GEMINI -> assertThat(error.get("status").isTextual()).isTrue();
        }
        boolean hasCode = this == CHAT || this == RESPONSES;
        return new Failure(
                hasCode ? error.get("code").asText() : null,
                error.get("message").asText());
    }

    private static Failure coded(String message) {
        int colon = message.indexOf(": ");
        assertThat(colon).as(message).isPositive();
        return new Failure(message.substring(0, colon), message.substring(colon + 2));
    }

    private static JsonNode json(String text) {
        try {
            return JSON.readTree(text);
        } catch (JsonProcessingException e) {
            throw new AssertionError("not JSON: " + text, e);
        }
    }
}
