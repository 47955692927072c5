package io.millrace.codec.dialect;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.Unpooled;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class AnswerFactsTest {
    private static final String CHAT =
            "{\"id\":\"c\",\"model\":\"m-1\",\"choices\":[{\"message\":{\"content\":\"\\\"usage\\\":{\\\"prompt_tokens\\\":1}\"},\"finish_reason\":\"stop\"}],"
                    + "\"usage\": {\"prompt_tokens\":12,\"completion_tokens\":34,\"total_tokens\":46,"
                    + "\"prompt_tokens_details\":{\"cached_tokens\":5}},\"system_fingerprint\":\"f\"}";
    private static final String RESPONSES =
            "{\"id\":\"resp_1\",\"status\":\"incomplete\",\"incomplete_details\":{\"reason\":"
                    + "\"max_output_tokens\"},\"model\":\"m-1\",\"output\":[{\"status\":\"completed\"}],\"usage\":"
                    + "{\"input_tokens\":12,\"input_tokens_details\":{\"cached_tokens\":5},\"output_tokens\":34},\"user\":null}";
    private static final String MESSAGES =
            "{\"type\":\"message\",\"model\":\"m-1\",\"content\":[{\"type\":\"tool_use\",\"input\":"
                    + "{\"usage\":{\"input_tokens\":7,\"output_tokens\":7}}}],\"stop_reason\":\"end_turn\",\"usage\":"
                    + "{\"input_tokens\":12,\"cache_read_input_tokens\":5,\"output_tokens\":34}}";
    private static final String GEMINI =
            "{\"candidates\":[{\"finishReason\":\"STOP\"}],\"usageMetadata\":{\"promptTokenCount\":12,"
                    + "\"candidatesTokenCount\":34,\"cachedContentTokenCount\":5},\"modelVersion\":\"m-1\"}";

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
    @CsvSource({
        "CHAT, stop",
        "RESPONSES, incomplete:max_output_tokens",
        "MESSAGES, end_turn",
        "GEMINI, STOP",
    })
    void readsTheFactsWhereverTheBodyIsCut(Dialect dialect, String finish) {
        String body = body(dialect);
        for (int cut = 0; cut <= body.length(); cut++) {
            var facts = new AnswerFacts(dialect);
            add(facts, body.substring(0, cut));
            add(facts, body.substring(cut));
            assertThat(facts.usage()).as("cut at %d", cut).isEqualTo(new Usage(12, 34, 5, -1));
            assertThat(facts.finishReason()).as("cut at %d", cut).isEqualTo(finish);
            assertThat(facts.model()).as("cut at %d", cut).isEqualTo("m-1");
        }
    }

    @Test
    void readsTheFactsAroundALongText() {
        var facts = new AnswerFacts(Dialect.CHAT);
        int text = CHAT.indexOf("\\\"usage");
        add(facts, CHAT.substring(0, text));
        for (int i = 0; i < 100; i++) {
            add(facts, "x".repeat(1000));
        }
        add(facts, CHAT.substring(text));
        assertThat(facts.usage().outputTokens()).isEqualTo(34);
        assertThat(facts.finishReason()).isEqualTo("stop");
        assertThat(facts.model()).isEqualTo("m-1");
    }

    @ParameterizedTest
    @CsvSource({
        "CHAT, ''",
        "CHAT, '{\"usage\":null}'",
        "CHAT, '{\"usage\":{\"prompt_tok'",
        "MESSAGES, not JSON",
        "UNKNOWN, '{\"usage\":{\"prompt_tokens\":12}}'",
    })
    void hasNoFactsWhereThereAreNone(Dialect dialect, String body) {
        var facts = new AnswerFacts(dialect);
        add(facts, body);
        assertThat(facts.usage()).isEqualTo(Usage.NONE);
        assertThat(facts.finishReason()).isNull();
        assertThat(facts.model()).isNull();
    }

    private static void add(AnswerFacts facts, String part) {
        facts.add(Unpooled.wrappedBuffer(part.getBytes(StandardCharsets.UTF_8)));
    }
}
