package io.millrace.bench.report;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class OriginTest {
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "--header;Authorization: Bearer sk-1 | --header 'Authorization: ***'",
                "--header=x-api-key: sk-1 | '--header=x-api-key: ***'",
                "--header;sk-1 | --header ***",
                "--header;x-mock: ttft_ms=5 | --header 'x-mock: ttft_ms=5'",
                "--url;https://u:sk-1@h/v1?key=sk-1&alt=sk-1 | --url 'https://***@h/v1?key=***&alt=***'",
                "--body;{\"user_key\":\"sk-1\",\"max_tokens\":5} | --body '{\"user_key\":\"***\",\"max_tokens\":5}'",
                "--prompt;it's | --prompt 'it'\\''s'",
                "--fail-if;ttft.p99>8ms;--rate;5 | --fail-if 'ttft.p99>8ms' --rate 5"
            })
    void masksKeysInTheCommand(String arguments, String command) {
        var origin = Origin.of(List.of(("bench;" + arguments).split(";")), "");

        assertThat(origin.command()).isEqualTo("millrace bench " + command).doesNotContain("sk-1");
    }

    @Test
    void namesTheMachine() {
        assertThat(Origin.of(List.of(), "").environment())
                .containsKeys("os", "cpu", "processors", "jdk", "heap_mib")
                .doesNotContainValue("");
    }
}
