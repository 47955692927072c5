package io.millrace.server.relay;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.Unpooled;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class MaxOutputTest {
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{\"max_tokens\":12} | 12",
                "{\"max_completion_tokens\" : 13 } | 13",
                "{\"max_output_tokens\":\t14} | 14",
                "{\"generationConfig\":{\"maxOutputTokens\":15}} | 15",
                "{\"max_tokens\":12,\"max_completion_tokens\":90} | 90",
                "{\"max_tokens\":99999999999999999999} | 10000000",
                "{\"max_tokens\":null} | -1",
                "{\"max_tokens\":\"12\"} | -1",
                "{\"max_tokensx\":12} | -1",
                "{\"max_tool_calls\":12} | -1",
                "{\"content\":\"\\\"max_tokens\\\":12\"} | -1",
                "{\"content\":\"max_tokens\"} | -1",
                "\"max | -1",
                "\"max_tokens\" | -1",
                "\"max_tokens\": | -1",
                "{} | -1",
            })
    void findsTheMostThatIsAskedFor(String body, long most) {
        assertThat(MaxOutput.of(Unpooled.copiedBuffer(body, StandardCharsets.UTF_8)))
                .isEqualTo(most);
    }
}
