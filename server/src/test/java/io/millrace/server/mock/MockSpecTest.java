package io.millrace.server.mock;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.SplittableRandom;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

final class MockSpecTest {
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "tokens=x | tokens: x (expected: a number from 0 to 2147483647)",
                "tokens=-1 | tokens: -1 (expected: a number from 0 to 2147483647)",
                "tool=yes | tool: yes (expected: 0 or 1)",
                "gap=weird:3 | gap: weird:3 (expected: milliseconds, or exp:MEAN, uniform:FROM-TO, normal:MEAN:DEVIATION, lognormal:MEDIAN:SIGMA, bimodal:ONE:OTHER:PERCENT)",
                "status=99 | status: 99 (expected: a status code from 200 to 599)",
                "chunk=big | chunk: big (expected: frame, segment, whole or none)",
                "fail_rate=101 | fail_rate: 101 (expected: a number from 0 to 100)",
                "version=2 | version: 2 (expected: 1.0 or 1.1)",
                "tokens | mock spec: tokens (expected: key=value, or one of claude-haiku, claude-sonnet, deepseek-reasoner, gemini-flash, gpt-4o, gpt-4o-mini, llama-70b, llama-8b, tool-loop)",
                "preset=x | preset: x (expected: one of claude-haiku, claude-sonnet, deepseek-reasoner, gemini-flash, gpt-4o, gpt-4o-mini, llama-70b, llama-8b, tool-loop)"
            })
    void namesKeyValueAndExpectation(String text, String message) {
        assertThatThrownBy(() -> MockSpec.parse(text))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage(message);
    }

    @Test
    void laterTextWins() {
        var spec = MockSpec.parse("tokens=5, gap_ms=3").with("tokens=7,gap=exp:9");
        assertThat(spec.count(SpecKey.TOKENS, 0)).isEqualTo(7);
        assertThat(spec.pace()).isEqualTo(new Pace(Pace.Shape.EXPONENTIAL, 9, 0, 0));
    }

    @Test
    void presetStandsForItsKeysInItsPlace() {
        var spec = MockSpec.parse("gap_ms=1,seed=4,gpt-4o,ttft_ms=5");
        assertThat(spec.pace()).isEqualTo(Pace.parse("exp:13"));
        assertThat(spec.ttft()).isEqualTo(Pace.parse("5"));
        assertThat(spec.count(SpecKey.PREFILL_TPS, 0)).isEqualTo(10_000);
        assertThat(spec.count(SpecKey.SEED, 0)).isEqualTo(4);
        assertThat(MockSpec.parse("preset=gpt-4o").toString())
                .isEqualTo(MockSpec.parse("gpt-4o").toString());
    }

    @ParameterizedTest
    @CsvSource({"20", "exp:20", "uniform:10-30", "normal:20:5", "bimodal:10:60:20"})
    void drawsPausesAroundTheMean(String text) {
        var random = new SplittableRandom(1);
        var pace = Pace.parse(text);
        double mean = LongStream.generate(() -> pace.nextNs(random))
                .limit(10_000)
                .peek(ns -> assertThat(ns).isNotNegative())
                .average()
                .orElseThrow();
        assertThat(mean).isBetween(19e6, 21e6);
    }

    @ParameterizedTest
    @EnumSource(SpecKey.class)
    void everyKeyIsDocumented(SpecKey key) throws Exception {
        assertThat(Files.readString(Path.of("../docs/mock.md"))).contains("| `" + key.label() + "` |");
    }
}
