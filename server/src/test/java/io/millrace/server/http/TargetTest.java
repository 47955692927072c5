package io.millrace.server.http;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TargetTest {
    @ParameterizedTest
    @CsvSource({
        "/, /, ''",
        "/a?b?c, /a, ?b?c",
        "/a?, /a, ?",
        "//a/b, //a/b, ''",
        "http://h, /, ''",
        "http://h:1/a?b, /a, ?b",
        "https://[::1]:1/a//b, /a//b, ''",
        "http://h?b, /, ?b",
        "http://u@h/?b, /, ?b",
        "/http://h/a, /http://h/a, ''",
    })
    void takesPathAndQueryAsTheyCame(String uri, String path, String query) {
        assertThat(Target.of(uri)).isEqualTo(new Target(path, query));
    }

    @ParameterizedTest
    @CsvSource({
        "/v1beta/models/gemini-9:streamGenerateContent, gemini-9",
        "/v1/models/gemini-9:countTokens?x=a:bC, gemini-9",
        "/v1/publishers/google/models/g:generateContent, g",
        "/v1/models/ft:gpt:org:id, ",
        "/v1/models/llama3:8b, ",
        "/v1/models/llama3:latest, ",
        "/v1/models/a, ",
        "/v1/chat/completions, ",
        "/x:generateContent, ",
    })
    void findsTheModelInAGeminiPathOnly(String uri, String model) {
        assertThat(Target.of(uri).modelInPath()).isEqualTo(model);
    }

    @Test
    void replacesTheModelInAGeminiPath() {
        assertThat(Target.of("/v1/models/a:generateContent?q").withModel("b"))
                .isEqualTo(new Target("/v1/models/b:generateContent", "?q"));
    }

    @ParameterizedTest
    @CsvSource({
        "/a?k=1, /a",
        "/a?k, /a",
        "/a?k=1&b=%20&&c, /a?b=%20&&c",
        "/a?b&k=1, /a?b",
        "/a?%6B=1&b, /a?b",
        "/a?kk=1&K=2&=k, /a?kk=1&K=2&=k",
        "/a?%=1&%zz&k=1, /a?%=1&%zz",
        "/a?, /a?",
        "/a, /a",
    })
    void dropsParametersByNameAndKeepsTheRestAsItIs(String uri, String kept) {
        Target target = Target.of(uri).withoutParameters(Set.of("k"));
        assertThat(target.path() + target.query()).isEqualTo(kept);
    }

    @ParameterizedTest
    @CsvSource({
        // base, target, under, translated for a dialect whose bases have versions
        "'', /v1/responses, /v1/responses, /v1/responses",
        "/v1, /v1/responses, /v1/responses, /v1/responses",
        "/openai, /v1/responses, /openai/v1/responses, /openai/v1/responses",
        "/openai/v1, /v1/responses, /openai/v1/responses, /openai/v1/responses",
        "/api/paas/v4, /v1/responses?a=/v2, /api/paas/v4/responses?a=/v2, /api/paas/v4/responses?a=/v2",
        "/api/v3, /responses, /api/v3/responses, /api/v3/responses",
        "/v1beta, /v1beta/models/m:x, /v1beta/models/m:x, /v1beta/models/m:x",
        "/v1beta/openai, /v1/responses, /v1beta/openai/v1/responses, /v1beta/openai/responses",
        "/v1/a/gateway, /v1beta/models/m:x, /v1/a/gateway/v1beta/models/m:x, /v1/a/gateway/models/m:x",
        "/v1, /v1beta/models/m:x, /v1/v1beta/models/m:x, /v1/models/m:x",
        "/v1beta, /v1/models/m:x, /v1beta/models/m:x, /v1beta/models/m:x",
        "/v4, /v1x/responses, /v4/v1x/responses, /v4/v1x/responses",
        "/v4, /version/v1, /v4/version/v1, /v4/version/v1",
        "/api/vision, /v1/responses, /api/vision/v1/responses, /api/vision/v1/responses",
    })
    void standsUnderTheUpstreamsPathWithOneVersion(String base, String uri, String under, String translated) {
        Target target = Target.of(uri);

        assertThat(target.under(base)).isEqualTo(under);
        assertThat(target.translatedUnder(base, true)).isEqualTo(translated);
        assertThat(target.translatedUnder(base, false)).isEqualTo(under);
    }
}
