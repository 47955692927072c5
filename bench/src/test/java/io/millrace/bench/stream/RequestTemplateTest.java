package io.millrace.bench.stream;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.millrace.codec.dialect.Dialect;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RequestTemplateTest {
    private static RequestTemplate.Builder template(Dialect dialect) {
        return RequestTemplate.of(Endpoint.of("http://h:1", dialect, "m"), "m");
    }

    private static String request(RequestTemplate.Builder template) {
        return new String(template.build().request(Prompt.of("Say \"ü\"")), StandardCharsets.UTF_8);
    }

    @Test
    void asksEachDialectInItsOwnWords() {
        assertThat(request(template(Dialect.CHAT).key("k").maxTokens(9)))
                .startsWith("POST /v1/chat/completions HTTP/1.1\r\nHost: h:1\r\n")
                .contains("\r\nAuthorization: Bearer k\r\n", "\r\nAccept-Encoding: identity\r\n")
                .endsWith("\r\n\r\n{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"Say \\\"ü\\\"\"}],"
                        + "\"max_tokens\":9,\"stream\":true,\"stream_options\":{\"include_usage\":true}}");
        assertThat(request(template(Dialect.RESPONSES).maxTokens(9)))
                .endsWith("{\"model\":\"m\",\"input\":\"Say \\\"ü\\\"\",\"max_output_tokens\":9,\"stream\":true}");
        assertThat(request(template(Dialect.MESSAGES).key("k")))
                .contains("\r\nx-api-key: k\r\n", "\r\nanthropic-version: 2023-06-01\r\n", "\"max_tokens\":1024");
        assertThat(request(template(Dialect.GEMINI).key("k").maxTokens(9)))
                .contains("\r\nx-goog-api-key: k\r\n")
                .endsWith("{\"contents\":[{\"role\":\"user\",\"parts\":[{\"text\":\"Say \\\"ü\\\"\"}]}],"
                        + "\"generationConfig\":{\"maxOutputTokens\":9}}");
    }

    @Test
    void lengthIsThatOfTheBodyInBytes() {
        String request = request(template(Dialect.CHAT));
        String body = request.substring(request.indexOf("\r\n\r\n") + 4);
        assertThat(request).contains("Content-Length: " + body.getBytes(StandardCharsets.UTF_8).length + "\r\n\r\n");
    }

    @Test
    void whatIsGivenTakesThePlaceOfOurs() {
        String request = request(template(Dialect.CHAT)
                .header("accept: */*")
                .header("x-mock: tokens=3")
                .body("{\"temperature\":0}")
                .body("{\"stream_options\":null}"));

        assertThat(request)
                .contains(
                        "\r\naccept: */*\r\n",
                        "\r\nx-mock: tokens=3\r\n",
                        "\"temperature\":0",
                        "\"stream_options\":null")
                .doesNotContain("event-stream");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"no colon", ": v", "a b: v", "a: v\r\nx: y", "Content-Length: 3", "transfer-encoding: chunked"})
    void refusesHeadersThatWouldBreakTheRequest(String header) {
        assertThatThrownBy(() -> template(Dialect.CHAT).header(header))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageStartingWith("header: ");
    }

    @Test
    void readsPromptsFromAFile(@TempDir Path directory) throws Exception {
        var file = directory.resolve("prompts.jsonl");
        Files.writeString(file, """
                "a text"

                {"prompt":"b","max_tokens":7}
                {"messages":[{"role":"user","content":"c"}]}
                plain words
                17
                """);
        var prompts = Prompts.ofFile(file);

        assertThat(prompts.distinct()).isEqualTo(5);
        assertThat(prompts.of(0)).isEqualTo(Prompt.of("a text"));
        assertThat(prompts.of(6).maxTokens()).isEqualTo(7);
        assertThat(prompts.of(2).messages().get(0).path("content").textValue()).isEqualTo("c");
        assertThat(prompts.of(3).text()).isEqualTo("plain words");
        assertThat(prompts.of(4).text()).isEqualTo("17");
        Files.writeString(file, "{\"question\":1}\n");
        assertThatThrownBy(() -> Prompts.ofFile(file)).hasMessageContaining("prompts.jsonl:1: no prompt");
    }

    @Test
    void makesUpPromptsOfTheLengthAsked() {
        var prompts = Prompts.synthetic(Lengths.parse("uniform:10-30"), 1);
        int words = 0;
        for (int i = 0; i < 200; i++) {
            int count = prompts.of(i).text().split(" ").length;
            assertThat(count).isBetween(10, 30);
            words += count;
        }
        assertThat(words / 200.0).isBetween(17.0, 23.0);
        assertThat(prompts.of(3))
                .isEqualTo(Prompts.synthetic(Lengths.parse("uniform:10-30"), 1).of(3));
        assertThat(prompts.of(3)).isNotEqualTo(prompts.of(4));
        assertThat(Lengths.parse("200").next(new SplittableRandom(1))).isEqualTo(200);
        assertThatThrownBy(() -> Lengths.parse("poisson:3")).isInstanceOf(IllegalArgumentException.class);
    }
}
