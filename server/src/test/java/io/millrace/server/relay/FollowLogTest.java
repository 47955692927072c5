package io.millrace.server.relay;

import static io.millrace.server.relay.ResumeBed.KEY;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.millrace.server.config.RelayConfig.AccessLog;
import io.millrace.server.config.RelayConfig.Resume;
import io.millrace.server.config.Route.Disconnect;
import io.millrace.server.test.AccessLines;
import io.millrace.server.test.RelayHarness;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What the access log says of readers, and of the stream that they read. */
@Tag("sockets")
@Tag("h2")
class FollowLogTest {
    private static final String SECRET = "sk-one";
    private static final String PROMPT = "PROMPTTEXT";
    private static final String BODY =
            "{\"model\":\"m\",\"stream\":true,\"messages\":[{\"role\":\"user\",\"content\":\"" + PROMPT + "\"}]}";

    private final List<String> everything = new ArrayList<>();

    @Test
    void aReaderHasALineOfItsOwn() throws IOException {
        try (var lines = new AccessLines();
                var bed = bed()) {
            String id;
            String body;
            try (var first = ask(bed, "tokens=40,gap_ms=20")) {
                id = first.header("x-millrace-stream");
                String digits = id.substring(id.indexOf('-') + 1).substring(0, 8);
                first.read(400);
                first.client.reset();
                try (var reader = bed.follow(id + "?offset=100")) {
                    reader.read(300);
                    reader.client.reset();
                    JsonNode line = lines.next();
                    assertRead(line, "GET", "/millrace/streams/*", 200, "client_gone", digits);
                    assertThat(line.get("from").asInt()).isEqualTo(100);
                    assertThat(line.get("to").asInt()).isGreaterThanOrEqualTo(400);
                }
                try (var reader = bed.follow(id + "?offset=200")) {
                    assertThat(reader.readAll()).isTrue();
                    body = reader.text();
                    int end = 200 + reader.body().length;
                    List<JsonNode> both = sorted(lines);
                    assertRead(both.get(0), "GET", "/millrace/streams/*", 200, "resumed", digits);
                    assertThat(both.get(0).get("from").asInt()).isEqualTo(200);
                    assertThat(both.get(0).get("to").asInt()).isEqualTo(end);
                    assertOfTheFirst(both.get(1), digits, end);
                }
            }
            assertRead(read(lines, bed, "GET", id + "?offset=" + (200 + body.length())), 204, "resumed", null);
            assertRead(read(lines, bed, "HEAD", id), 200, "resumed", null);
            assertRead(read(lines, bed, "GET", id + "?offset=99999999"), 416, "refused", "offset_ahead");
            JsonNode unknown = read(lines, bed, "GET", "0-00ff");
            assertRead(unknown, 404, "refused", "stream_not_found");
            assertThat(unknown.has("stream")).isFalse();
            String answer = body.replaceAll("(?s).*?\"content\":\"([^\"]+)\".*", "$1");
            assertThat(everything)
                    .noneMatch(line -> line.contains(SECRET)
                            || line.contains(PROMPT)
                            || line.contains(id)
                            || line.contains(answer.strip() + "\""));
            assertThat(new String(bed.harness.relay.metrics().text(), StandardCharsets.UTF_8))
                    .contains("millrace_replay_resumes_total{result=\"read\"} 3.0")
                    .doesNotContain(SECRET, PROMPT, id);
        }
    }

    /** A request that an earlier one of the same name answers. */
    @Test
    void aJoinedRequestHasALineWithoutTokens() throws IOException {
        try (var lines = new AccessLines();
                var bed = bed()) {
            String once = "Idempotency-Key: 0123456789abcdef";
            int end;
            try (var first = ask(bed, "tokens=3", once)) {
                assertThat(first.readAll()).isTrue();
                end = first.body().length;
            }
            assertThat(kept(lines.next()).get("output_tokens").asInt()).isEqualTo(3);
            try (var joined = ask(bed, "tokens=3", once)) {
                assertThat(joined.readAll()).isTrue();
                JsonNode line = kept(lines.next());
                assertThat(line.get("path").asText()).isEqualTo(Api.CHAT.path);
                assertThat(line.get("outcome").asText()).isEqualTo("resumed");
                assertThat(line.get("id").asText()).isEqualTo(joined.header("x-millrace-request-id"));
                assertThat(line.get("to").asInt()).isEqualTo(end);
                assertThat(line.has("output_tokens") || line.has("upstream")).isFalse();
            }
        }
    }

    private JsonNode kept(JsonNode line) {
        everything.add(line.toString());
        return line;
    }

    /** The line of the reader, and that of the request that began the stream. They may come in any order. */
    private List<JsonNode> sorted(AccessLines lines) throws IOException {
        var both = new ArrayList<>(List.of(kept(lines.nextOf(2)), kept(lines.next())));
        both.sort((one, other) -> Boolean.compare(one.has("upstream"), other.has("upstream")));
        return both;
    }

    private static void assertOfTheFirst(JsonNode line, String digits, int end) {
        assertThat(line.get("outcome").asText()).isEqualTo("completed");
        assertThat(line.get("stream").asText()).isEqualTo(digits);
        assertThat(line.get("readers").asInt()).isEqualTo(2);
        assertThat(line.get("response_bytes").asInt()).isEqualTo(end);
        assertThat(line.get("output_tokens").asInt()).isEqualTo(40);
        assertThat(line.get("client_left_ms").asDouble())
                .isPositive()
                .isLessThan(line.get("duration_ms").asDouble());
        assertThat(line.get("unread_ms").asDouble())
                .isLessThan(line.get("duration_ms").asDouble());
    }

    private JsonNode read(AccessLines lines, ResumeBed bed, String method, String what) throws IOException {
        try (var part = bed.send(method, what)) {
            assertThat(part.status()).isPositive();
        }
        return kept(lines.next());
    }

    private void assertRead(JsonNode line, int status, String outcome, String error) {
        assertThat(line.get("status").asInt()).isEqualTo(status);
        assertThat(line.get("outcome").asText()).isEqualTo(outcome);
        assertThat(line.has("error") ? line.get("error").asText() : null).isEqualTo(error);
        assertThat(line.get("path").asText()).isEqualTo("/millrace/streams/*");
    }

    private void assertRead(JsonNode line, String method, String path, int status, String outcome, String stream) {
        kept(line);
        assertThat(line.get("method").asText()).isEqualTo(method);
        assertThat(line.get("path").asText()).isEqualTo(path);
        assertThat(line.get("status").asInt()).isEqualTo(status);
        assertThat(line.get("outcome").asText()).isEqualTo(outcome);
        assertThat(line.get("stream").asText()).isEqualTo(stream);
        for (String none : Arrays.asList("model", "upstream", "output_tokens", "dialect", "usage")) {
            assertThat(line.has(none)).as(none).isFalse();
        }
    }

    private static ResumeBed.Part ask(ResumeBed bed, String spec, String... headers) throws IOException {
        var client = bed.harness.client();
        String[] all = Arrays.copyOf(headers, headers.length + 1);
        all[headers.length] = KEY;
        client.send("POST", RelayHarness.withSpec(Api.CHAT.path, spec + ",usage=1"), BODY, all);
        return new ResumeBed.Part(client);
    }

    private static ResumeBed bed() {
        return new ResumeBed(
                Disconnect.DETACH,
                Resume.DEFAULT,
                config -> config.with(c -> c.accessLog = AccessLog.DEFAULT.with(a -> a.format = AccessLog.Format.JSON))
                        .with(c -> c.routes = config.routes().stream()
                                .map(route -> route.with(r -> r.includeUsage = true))
                                .toList()));
    }
}
