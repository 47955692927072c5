package io.millrace.server.chat;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.millrace.codec.dialect.Dialect;
import io.millrace.codec.sse.SseEvent;
import io.millrace.codec.text.TextUnit;
import io.millrace.server.config.RelayConfig;
import io.millrace.server.config.Route.Retry;
import io.millrace.server.test.Events;
import io.millrace.server.test.RawClient;
import io.millrace.server.test.RelayHarness;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The recorded streams of every provider, for a client of {@code /chat}. */
@Tag("sockets")
@Tag("h2")
class RecordedChatTest {
    private static final ObjectMapper JSON = new ObjectMapper();

    /** Three answers to a request for one. */
    private static final List<String> OTHER_REQUESTS = List.of("chat-openai-n3.sse");

    @ParameterizedTest
    @CsvSource({"chat-, CHAT", "responses-, RESPONSES", "anthropic-, MESSAGES", "gemini-, GEMINI"})
    void keepTheirTextAndTheirEnd(String prefix, Dialect dialect) throws IOException {
        UnaryOperator<RelayConfig> once = config -> config.with(c -> c.upstreams =
                        Map.of("default", config.upstreams().get("default").with(u -> u.dialects = List.of(dialect))))
                .with(c -> c.routes = config.routes().stream()
                        .map(route -> route.with(r -> r.retry = Retry.OFF))
                        .toList());
        try (var harness = RelayHarness.start(once)) {
            List<String> files = filesOf(prefix);
            List<TextUnit> units = List.of(TextUnit.values());
            for (int i = 0; i < files.size(); i++) {
                assertKept(harness, files.get(i), units.get(i % units.size()));
            }
        }
    }

    private static void assertKept(RelayHarness harness, String file, TextUnit unit) throws IOException {
        JsonNode expected = expected().get(file);
        RawClient.Response answer = ask(harness, file, unit);
        String what = file + " by " + unit + ": " + answer.head() + answer.text();
        List<SseEvent> events = Events.of(answer.text());
        boolean whole = expected.get("error").isNull();
        String last = events.isEmpty() ? null : events.get(events.size() - 1).type();
        if (whole) {
            assertThat(last).as(what).isEqualTo("stop");
        } else if (answer.status() == 200) {
            assertThat(last).as(what).isEqualTo("error");
        } else {
            assertThat(JSON.readTree(answer.body()).at("/error/message").asText())
                    .as(what)
                    .isNotEmpty();
        }
        String refusal = expected.get("refusal").asText();
        String digest = refusal.isEmpty() ? expected.get("text_sha256").asText() : sha256(refusal);
        assertThat(sha256(textOf(events))).as(what).isEqualTo(digest);
        assertThat(events.stream().filter(event -> event.type().equals("stop")))
                .as(what)
                .hasSize(whole ? 1 : 0);
    }

    private static RawClient.Response ask(RelayHarness harness, String file, TextUnit unit) throws IOException {
        try (var client = harness.client()) {
            String model = "mock:replay=" + file.substring(0, file.length() - ".sse".length());
            client.send(
                    "POST",
                    "/chat",
                    "prompt=a&format=json&chunk=" + unit + "&model=" + model,
                    "Content-Type: application/x-www-form-urlencoded");
            return client.readAll();
        }
    }

    private static String textOf(List<SseEvent> events) throws IOException {
        var text = new StringBuilder();
        for (SseEvent event : events) {
            if (event.type().equals("delta")) {
                text.append(JSON.readTree(event.data()).get("text").asText());
            }
        }
        return text.toString();
    }

    private static List<String> filesOf(String prefix) throws IOException {
        var files = new ArrayList<String>();
        expected().fieldNames().forEachRemaining(file -> {
            if (file.startsWith(prefix) && !OTHER_REQUESTS.contains(file)) {
                files.add(file);
            }
        });
        assertThat(files).hasSizeGreaterThan(5);
        return files;
    }

    private static JsonNode expected() throws IOException {
        return JSON.readTree(Files.readAllBytes(RelayHarness.STREAMS.resolve("expected.json")));
    }

    private static String sha256(String text) {
        try {
            byte[] digest = MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
            return HexFormat.of().formatHex(digest);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e); // every JDK has it
        }
    }
}
