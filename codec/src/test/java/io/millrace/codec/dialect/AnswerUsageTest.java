package io.millrace.codec.dialect;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.Unpooled;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class AnswerUsageTest {
    private static final String CHAT =
            "{\"id\":\"c\",\"choices\":[{\"message\":{\"content\":\"\\\"usage\\\":{\\\"prompt_tokens\\\":1}\"}}],"
                    + "\"usage\": {\"prompt_tokens\":12,\"completion_tokens\":34,\"total_tokens\":46,"
                    + "\"prompt_tokens_details\":{\"cached_tokens\":5}},\"system_fingerprint\":\"f\"}";
    private static final String RESPONSES = "{\"id\":\"resp_1\",\"status\":\"completed\",\"output\":[],\"usage\":"
            + "{\"input_tokens\":12,\"input_tokens_details\":{\"cached_tokens\":5},\"output_tokens\":34},\"user\":null}";
    private static final String MESSAGES = "{\"type\":\"message\",\"content\":[{\"type\":\"tool_use\",\"input\":"
            + "{\"usage\":{\"input_tokens\":7,\"output_tokens\":7}}}],\"stop_reason\":\"end_turn\",\"usage\":"
            + "{\"input_tokens\":12,\"cache_read_input_tokens\":5,\"output_tokens\":34}}";
    private static final String GEMINI = "{\"candidates\":[],\"usageMetadata\":{\"promptTokenCount\":12,"
            + "\"candidatesTokenCount\":34,\"cachedContentTokenCount\":5},\"modelVersion\":\"g\"}";

    private static String body(Dialect dialect) {
        return switch (dialect) {
            case CHAT -> CHAT;
            case RESPONSES -> RESPONSES;
            case MESSAGES -> MESSAGES;
            case GEMINI -> GEMINI;
            case UNKNOWN -> "{}";
        };
    }

    @ParameterizedTest
    @CsvSource({"CHAT", "RESPONSES", "MESSAGES", "GEMINI"})
    void readsTheCountsWhereverTheBodyIsCut(Dialect dialect) {
        String body = body(dialect);
        for (int cut = 0; cut <= body.length(); cut++) {
            var usage = new AnswerUsage(dialect);
            add(usage, body.substring(0, cut));
            add(usage, body.substring(cut));
            assertThat(usage.usage()).as("cut at %d", cut).isEqualTo(new Usage(12, 34, 5, -1));
        }
    }

    @Test
    void readsTheCountsBehindALongText() {
        var usage = new AnswerUsage(Dialect.CHAT);
        for (int i = 0; i < 100; i++) {
            add(usage, "x".repeat(1000));
        }
        add(usage, CHAT);
        assertThat(usage.usage().outputTokens()).isEqualTo(34);
    }

    @ParameterizedTest
    @CsvSource({
        "CHAT, ''",
        "CHAT, '{\"usage\":null}'",
        "CHAT, '{\"usage\":{\"prompt_tok'",
        "MESSAGES, not JSON",
        "UNKNOWN, '{\"usage\":{\"prompt_tokens\":12}}'",
    })
    void hasNoCountsWhereThereAreNone(Dialect dialect, String body) {
        var usage = new AnswerUsage(dialect);
        add(usage, body);
        assertThat(usage.usage()).isEqualTo(Usage.NONE);
    }

    private static void add(AnswerUsage usage, String part) {
        usage.add(Unpooled.wrappedBuffer(part.getBytes(StandardCharsets.UTF_8)));
    }
}
