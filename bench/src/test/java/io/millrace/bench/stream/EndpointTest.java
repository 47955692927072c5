package io.millrace.bench.stream;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.millrace.codec.dialect.Dialect;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class EndpointTest {
    @ParameterizedTest
    @CsvSource({
        "http://h:1/v1, , /v1/chat/completions, CHAT",
        "http://h:1, , /v1/chat/completions, CHAT",
        "http://h:1/, CHAT, /v1/chat/completions, CHAT",
        "http://h:1/openai/v1/, CHAT, /openai/v1/chat/completions, CHAT",
        "http://h:1/v1/responses, , /v1/responses, RESPONSES",
        "http://h:1/v1, RESPONSES, /v1/responses, RESPONSES",
        "http://h:1, MESSAGES, /v1/messages, MESSAGES",
        "http://h:1/v1, MESSAGES, /v1/messages, MESSAGES",
        "http://h:1/proxy, MESSAGES, /proxy/v1/messages, MESSAGES",
        "http://h:1/v1/completions, , /v1/completions, CHAT",
        "http://h:1, GEMINI, /v1beta/models/a%2Fb:streamGenerateContent?alt=sse, GEMINI",
        "http://h:1/v1beta, GEMINI, /v1beta/models/a%2Fb:streamGenerateContent?alt=sse, GEMINI",
        "http://h:1/v1/chat/completions?api-version=2, , /v1/chat/completions?api-version=2, CHAT",
    })
    void findsThePathAsAnSdkWould(String base, Dialect dialect, String path, Dialect spoken) {
        var endpoint = Endpoint.of(base, dialect, "a/b");

        assertThat(endpoint.path()).isEqualTo(path);
        assertThat(endpoint.dialect()).isEqualTo(spoken);
    }

    @Test
    void knowsPortsAndLiterals() {
        var secure = Endpoint.of("https://api.example.com/v1?key=secret", null, "m");
        assertThat(secure.port()).isEqualTo(443);
        assertThat(secure.tls()).isTrue();
        assertThat(secure.authority()).isEqualTo("api.example.com");
        assertThat(secure.url()).isEqualTo("https://api.example.com/v1/chat/completions");
        var literal = Endpoint.of("http://[::1]:8080/v1", null, "m");
        assertThat(literal.host()).isEqualTo("::1");
        assertThat(literal.authority()).isEqualTo("[::1]:8080");
        var container = Endpoint.of("http://my_vllm:8000/v1", null, "m");
        assertThat(container.host()).isEqualTo("my_vllm");
        assertThat(container.authority()).isEqualTo("my_vllm:8000");
        assertThat(Endpoint.of("localhost:8080/v1", null, "m").authority()).isEqualTo("localhost:8080");
    }

    @ParameterizedTest
    @ValueSource(strings = {"ftp://h/v1", "http:///v1", "http://user:secret@h/v1", "http://h:port/v1", "::"})
    void refusesWhatIsNoBase(String base) {
        assertThatThrownBy(() -> Endpoint.of(base, null, "m"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("url: ");
    }
}
