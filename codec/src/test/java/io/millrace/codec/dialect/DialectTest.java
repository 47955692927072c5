package io.millrace.codec.dialect;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netty.buffer.ByteBuf;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class DialectTest {
    @ParameterizedTest
    @CsvSource({
        "/v1/chat/completions, CHAT",
        "/v1/completions, CHAT",
        "/chat/completions, CHAT",
        "/openai/deployments/gpt/chat/completions?api-version=2024-06-01, CHAT",
        "/openai/v1/chat/completions, CHAT",
        "/api/v1/chat/completions, CHAT",
        "/v1beta/openai/chat/completions, CHAT",
        "/v1/responses, RESPONSES",
        "/v1/responses?a=/messages, RESPONSES",
        "/v1/responses/resp_1?stream=true&starting_after=7, RESPONSES",
        "/v1/responses/resp_1/cancel, UNKNOWN",
        "/v1/responses/, UNKNOWN",
        "/v1/messages, MESSAGES",
        "/v1/threads/thread_1/messages, UNKNOWN",
        "/api/conversations/7/messages?order=asc, UNKNOWN",
        "/proxy/team/messages, MESSAGES",
        "/v1/messages?beta=true, MESSAGES",
        "/anthropic/v1/messages, MESSAGES",
        "/v1/messages/count_tokens, UNKNOWN",
        "/v1beta/models/gemini-2.5-pro:streamGenerateContent?alt=sse, GEMINI",
        "/v1beta/models/gemini-2.5-pro%3AstreamGenerateContent, GEMINI",
        "/v1beta/models/gemini-2.5-pro:generateContent, GEMINI",
        "/v1beta/models/gemini-2.5-pro:countTokens, UNKNOWN",
        "/v1/models, UNKNOWN",
        "/mcp, UNKNOWN",
        "/, UNKNOWN"
    })
    void tellsTheDialectByThePathsEnd(String path, Dialect dialect) {
        assertThat(Dialect.ofPath(path)).isEqualTo(dialect);
    }

    @ParameterizedTest
    @CsvSource({
        "/v1/chat/completions, CHAT",
        "/v1/responses, RESPONSES",
        "/v1/messages/count_tokens, MESSAGES",
        "/v1/messages/batches/b1?x=1, MESSAGES",
        "/v1beta/models, GEMINI",
        "/v1/models/gemini-2.5-pro:countTokens, GEMINI",
        "/v1beta1/projects/p/locations/l/x, GEMINI",
        "/v1beta/openai/models, CHAT",
        "/v1/models, CHAT",
        "/v1/models/gpt, CHAT",
        "/nonsense?/v1beta/, CHAT"
    })
    void tellsTheErrorShapeOfAnyPath(String path, Dialect dialect) {
        assertThat(Dialect.ofErrorShape(path)).isEqualTo(dialect);
    }

    @ParameterizedTest
    @CsvSource({
        "/v1/messages/count_tokens?beta=true, MESSAGES",
        "/v1/messages/batches/b1, MESSAGES",
        "/v1/messages, UNKNOWN",
        "/v1/responses/compact, RESPONSES",
        "/v1/responses/input_tokens, RESPONSES",
        "/v1/responses/resp_1, UNKNOWN",
        "/v1beta/models/m:countTokens, GEMINI",
        "/v1beta/models/m%3AcountTokens?x, GEMINI",
        "/v1/embeddings, UNKNOWN",
        "/v1/models, UNKNOWN"
    })
    void tellsWhoAloneServesAPathBesideAnswers(String path, Dialect dialect) {
        assertThat(Dialect.ofSidePath(path)).isEqualTo(dialect);
    }

    @ParameterizedTest
    @CsvSource({
        "chat, CHAT, /v1/chat/completions, Authorization: Bearer k",
        "Responses, RESPONSES, /v1/responses, Authorization: Bearer k",
        "MESSAGES, MESSAGES, /v1/messages, x-api-key: k",
        "gemini, GEMINI, /v1beta/models/a%2Fb%20c:streamGenerateContent?alt=sse, x-goog-api-key: k"
    })
    void knowsItsNameItsOperationAndItsKeyField(String name, Dialect dialect, String operation, String field) {
        assertThat(Dialect.named(name)).isEqualTo(dialect);
        assertThat(dialect.operation("a/b c")).isEqualTo(operation);
        assertThat(Dialect.ofPath(operation)).isEqualTo(dialect);
        assertThat(dialect.keyHeader() + ": " + dialect.keyValue("k")).isEqualTo(field);
    }

    @Test
    void refusesANameThatIsNoDialect() {
        assertThatThrownBy(() -> Dialect.named("unknown"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("unknown (expected: chat, responses, messages or gemini)");
    }

    @ParameterizedTest
    @CsvSource({"CHAT, COMMENT", "RESPONSES, COMMENT", "MESSAGES, PING_EVENT", "GEMINI, NONE", "UNKNOWN, COMMENT"})
    void knowsItsSafeHeartbeat(Dialect dialect, HeartbeatForm form) {
        assertThat(dialect.heartbeat()).isEqualTo(form);
    }

    @Test
    void heartbeatsAreConstantBytesThatSurviveRelease() {
        assertThat(text(HeartbeatForm.COMMENT)).isEqualTo(": ping\n\n");
        assertThat(text(HeartbeatForm.COMMENT_SINGLE_LF)).isEqualTo(": ping\n");
        assertThat(text(HeartbeatForm.PING_EVENT)).isEqualTo("event: ping\ndata: {\"type\": \"ping\"}\n\n");
        assertThat(text(HeartbeatForm.NONE)).isEmpty();
        for (HeartbeatForm form : HeartbeatForm.values()) {
            ByteBuf bytes = form.bytes();
            bytes.skipBytes(bytes.readableBytes());
            bytes.release();
            assertThat(form.bytes().isReadable()).isEqualTo(form != HeartbeatForm.NONE);
        }
    }

    private static String text(HeartbeatForm form) {
        return form.bytes().toString(StandardCharsets.US_ASCII);
    }
}
