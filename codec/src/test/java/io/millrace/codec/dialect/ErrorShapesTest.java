package io.millrace.codec.dialect;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class ErrorShapesTest {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String HOSTILE = "\"}\n\ndata: [DONE]\r\r\u2028 \u00e9\uD83D\uDE00\uD800 \\ \u0000 </script>";

    @Test
    void chatFrameIsOneDataLine() throws IOException {
        String frame = frame(Dialect.CHAT, RelayError.UPSTREAM_RESET, "cut", -1);
        assertThat(frame).startsWith("data: {").endsWith("}\n\n").doesNotContain("event:");
        JsonNode error = json(frame).get("error");
        assertThat(error.get("message").textValue()).isEqualTo("cut");
        assertThat(error.get("type").textValue()).isEqualTo("server_error");
        assertThat(error.get("param").isNull()).isTrue();
        assertThat(error.get("code").textValue()).isEqualTo("upstream_reset");
    }

    @Test
    void responsesFrameIsFlatAndNestedAndCountsOn() throws IOException {
        String frame = frame(Dialect.RESPONSES, RelayError.UPSTREAM_TRUNCATED, "cut", 41);
        assertThat(frame).startsWith("event: error\ndata: {").endsWith("}\n\n");
        JsonNode json = json(frame);
        assertThat(json.get("type").textValue()).isEqualTo("error");
        assertThat(json.get("sequence_number").intValue()).isEqualTo(42);
        assertThat(json.get("param").isNull()).isTrue();
        for (JsonNode error : new JsonNode[] {json, json.get("error")}) {
            assertThat(error.get("code").textValue()).isEqualTo("upstream_truncated");
            assertThat(error.get("message").textValue()).isEqualTo("cut");
        }
        assertThat(json(frame(Dialect.RESPONSES, RelayError.UPSTREAM_IDLE, "m", -1))
                        .get("sequence_number")
                        .intValue())
                .isZero();
    }

    @Test
    void messagesFrameHasItsEventLineAndRequestId() throws IOException {
        String frame = frame(Dialect.MESSAGES, RelayError.UPSTREAM_NO_OUTPUT, "cut", -1);
        assertThat(frame).startsWith("event: error\ndata: {").endsWith("}\n\n");
        JsonNode json = json(frame);
        assertThat(json.get("type").textValue()).isEqualTo("error");
        assertThat(json.at("/error/type").textValue()).isEqualTo("api_error");
        assertThat(json.at("/error/message").textValue()).isEqualTo("upstream_no_output: cut");
        assertThat(json.get("request_id").textValue()).isEqualTo("req_1");
    }

    @ParameterizedTest
    @EnumSource
    void geminiFrameHasANumericCodeAndEndsInCrlf(RelayError relayError) throws IOException {
        String frame = frame(Dialect.GEMINI, relayError, "cut", -1);
        assertThat(frame).startsWith("data: {").endsWith("}\r\n\r\n");
        JsonNode error = json(frame).get("error");
        assertThat(error.get("code").intValue()).isBetween(400, 599);
        assertThat(error.get("status").textValue()).isIn("UNAVAILABLE", "DEADLINE_EXCEEDED", "UNAUTHENTICATED");
        assertThat(error.get("message").textValue()).isEqualTo(relayError.code() + ": cut");
    }

    @Test
    void unknownDialectHasNoFrame() {
        assertThat(Dialect.UNKNOWN.errorFrame(ByteBufAllocator.DEFAULT, RelayError.UPSTREAM_RESET, "m", -1, "r"))
                .isNull();
    }

    @ParameterizedTest
    @EnumSource(names = "UNKNOWN", mode = EnumSource.Mode.EXCLUDE)
    void framesSurviveHostileTextAndAreErrorsToTheirOwnInspector(Dialect dialect) throws IOException {
        String frame = frame(dialect, RelayError.RELAY_DRAINING, HOSTILE, 5);
        assertThat(frame).matches("(?:event: error\n)?data: [\\x20-\\x7e]+(?:\n\n|\r\n\r\n)");
        StreamInspector inspector = dialect.newInspector();
        assertThat(Frames.inspect(inspector, frame)).isEqualTo(FrameKind.ERROR);
        assertThat(inspector.end()).isEqualTo(StreamEnd.ERROR);
        assertThat(inspector.errorMessage()).endsWith(HOSTILE);
        assertThat(json(frame).isObject()).isTrue();
    }

    @ParameterizedTest
    @CsvSource({
        "CHAT, 400, /error/type, invalid_request_error",
        "CHAT, 401, /error/type, authentication_error",
        "RESPONSES, 429, /error/type, rate_limit_error",
        "UNKNOWN, 502, /error/type, server_error",
        "CHAT, 404, /error/code, the_code",
        "CHAT, 404, /error/param, the_param",
        "CHAT, 404, /error/message, the message",
        "MESSAGES, 400, /error/type, invalid_request_error",
        "MESSAGES, 401, /error/type, authentication_error",
        "MESSAGES, 403, /error/type, permission_error",
        "MESSAGES, 404, /error/type, not_found_error",
        "MESSAGES, 413, /error/type, request_too_large",
        "MESSAGES, 422, /error/type, invalid_request_error",
        "MESSAGES, 429, /error/type, rate_limit_error",
        "MESSAGES, 502, /error/type, api_error",
        "MESSAGES, 504, /error/type, timeout_error",
        "MESSAGES, 529, /error/type, overloaded_error",
        "MESSAGES, 400, /type, error",
        "MESSAGES, 400, /error/message, the_param: the message",
        "MESSAGES, 400, /request_id, req_1",
        "GEMINI, 400, /error/status, INVALID_ARGUMENT",
        "GEMINI, 401, /error/status, UNAUTHENTICATED",
        "GEMINI, 403, /error/status, PERMISSION_DENIED",
        "GEMINI, 404, /error/status, NOT_FOUND",
        "GEMINI, 429, /error/status, RESOURCE_EXHAUSTED",
        "GEMINI, 500, /error/status, INTERNAL",
        "GEMINI, 503, /error/status, UNAVAILABLE",
        "GEMINI, 504, /error/status, DEADLINE_EXCEEDED",
        "GEMINI, 404, /error/code, 404",
        "GEMINI, 404, /error/message, the_param: the message"
    })
    void bodiesHaveTheDialectsShape(Dialect dialect, int status, String pointer, String value) throws IOException {
        byte[] body = dialect.errorBody(status, "the_code", "the message", "the_param", "req_1");
        assertThat(JSON.readTree(body).at(pointer).asText()).isEqualTo(value);
    }

    @ParameterizedTest
    @EnumSource
    void bodiesSurviveHostileTextAndMissingFields(Dialect dialect) throws IOException {
        byte[] body = dialect.errorBody(400, null, HOSTILE, null, null);
        JsonNode json = JSON.readTree(body);
        assertThat(json.at("/error/message").textValue()).isEqualTo(HOSTILE);
        assertThat(json.has("request_id")).isFalse();
        assertThat(body).doesNotContain(10, 13).doesNotContain(0xe9);
    }

    private static String frame(Dialect dialect, RelayError error, String message, long lastSequenceNumber) {
        ByteBuf frame = dialect.errorFrame(ByteBufAllocator.DEFAULT, error, message, lastSequenceNumber, "req_1");
        try {
            return frame.toString(StandardCharsets.UTF_8);
        } finally {
            frame.release();
        }
    }

    private static JsonNode json(String frame) throws IOException {
        String data = frame.lines()
                .filter(line -> line.startsWith("data: "))
                .findFirst()
                .orElseThrow();
        return JSON.readTree(data.substring("data: ".length()));
    }
}
