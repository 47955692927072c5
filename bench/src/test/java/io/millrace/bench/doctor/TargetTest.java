package io.millrace.bench.doctor;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.codec.dialect.Dialect;
import java.net.URI;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TargetTest {
    @ParameterizedTest
    @CsvSource({
        "CHAT, http://h, /v1/chat/completions",
        "CHAT, http://h/v1/, /v1/chat/completions",
        "CHAT, http://h/v1/chat/completions, /v1/chat/completions",
        "CHAT, http://h/v1/chat/completions?api-version=2, /v1/chat/completions?api-version=2",
        "RESPONSES, http://h/v1/responses, /v1/responses",
        "MESSAGES, http://h, /v1/messages",
        "MESSAGES, http://h/v1/messages, /v1/messages",
        "GEMINI, http://h, /v1beta/models/mock%3Atokens%3D1:streamGenerateContent?alt=sse",
        "GEMINI, http://h/v1beta/models/g:streamGenerateContent, "
                + "/v1beta/models/mock%3Atokens%3D1:streamGenerateContent?alt=sse",
        "GEMINI, http://h/v1beta/models/g:generateContent, "
                + "/v1beta/models/mock%3Atokens%3D1:streamGenerateContent?alt=sse",
    })
    void takesTheBaseOfAnSdkAndTheOperationItself(Dialect dialect, URI base, String path) {
        var target = new Target(base, dialect, "mock", null);

        assertThat(target.path(target.model("tokens=1"))).isEqualTo(path);
    }
}
