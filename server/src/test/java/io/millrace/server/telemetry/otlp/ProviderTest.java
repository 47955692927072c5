package io.millrace.server.telemetry.otlp;

import static org.assertj.core.api.Assertions.assertThat;

import io.opentelemetry.api.common.Attributes;
import java.net.URI;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ProviderTest {
    @ParameterizedTest
    @CsvSource({
        "https://api.openai.com/v1, api.openai.com, 443",
        "http://model_server:8000, model_server, 8000",
        "http://model_server, model_server, 80",
        "http://[::1]:8000/v1, ::1, 8000",
        "http://unix:/run/model.sock:/v1, /run/model.sock,",
    })
    void namesWhereTheUpstreamListens(URI origin, String address, Long port) {
        var to = Attributes.builder();
        Provider.addServer(to, origin);
        Attributes server = to.build();
        assertThat(server.get(Names.SERVER_ADDRESS)).isEqualTo(address);
        assertThat(server.get(Names.SERVER_PORT)).isEqualTo(port);
    }

    @ParameterizedTest
    @CsvSource({
        "chat, /v1/chat/completions, chat",
        "chat, /openai/deployments/m/completions, text_completion",
        "chat, , chat",
        "messages, /v1/completions, chat",
        "gemini, /v1/chat/completions, generate_content",
        "unknown, /v1/embeddings,",
    })
    void namesWhatARequestAsksForOnlyWhereThatIsKnown(String dialect, String path, String operation) {
        assertThat(Provider.operation(dialect, path)).isEqualTo(operation);
    }
}
