package io.millrace.server.mock;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.millrace.server.test.RawClient;
import io.millrace.server.test.RawClient.End;
import io.millrace.server.test.RawClient.Response;
import io.millrace.server.test.RelayHarness;
import io.millrace.server.transport.Transport;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslProvider;
import io.netty.pkitesting.CertificateBuilder;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.regex.Pattern;
import java.util.zip.CRC32C;
import java.util.zip.GZIPInputStream;
import java.util.zip.InflaterInputStream;
import javax.net.ssl.SSLContext;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

@Tag("sockets")
final class MockServerTest {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String CHAT = "/v1/chat/completions";
    private static final String MESSAGES = "/v1/messages";

    private static final Pattern STAMP = Pattern.compile("@(\\d+)@(\\d{19})@");

    private static MockServer mock;

    @BeforeAll
    static void start() {
        mock = MockServer.start(MockConfig.defaults());
    }

    @AfterAll
    static void stop() {
        mock.close();
    }

    private static Response stream(String path, String spec) throws IOException {
        try (var client = new RawClient(mock.port())) {
            client.post(path, "mock:" + spec, "");
            return client.readAll();
        }
    }

    private static Response call(String method, String path, String body, String... headers) throws IOException {
        try (var client = new RawClient(mock.port())) {
            client.send(method, path, body, headers);
            return client.readAll();
        }
    }

    private static List<JsonNode> events(Response response) throws IOException {
        var events = new ArrayList<JsonNode>();
        for (String line : response.text().lines().toList()) {
            if (line.startsWith("data:") && !line.endsWith("[DONE]")) {
                events.add(JSON.readTree(line.substring(5)));
            }
        }
        return events;
    }

    @ParameterizedTest
    @ValueSource(strings = {CHAT, MESSAGES, "/v1/responses"})
    void stampsTokensWithTheirNumberAndTheClock(String path) throws Exception {
        long before = System.nanoTime();
        var stamps = STAMP.matcher(stream(path, "tokens=12,stamp=1,gap_ms=1").text());
        long last = before;
        for (int i = 0; i < 12; i++) {
            assertThat(stamps.find()).isTrue();
            assertThat(stamps.group(1)).isEqualTo(Integer.toString(i));
            assertThat(Long.parseLong(stamps.group(2))).isBetween(last, System.nanoTime());
            last = Long.parseLong(stamps.group(2));
        }
    }

    @Test
    void drawsTheLengthOfAnAnswerAndHeedsTheClientsLimit() throws Exception {
        String drawn = stream(CHAT, "output=uniform:20-200,seed=5").text();
        assertThat(stream(CHAT, "output=uniform:20-200,seed=5").text().lines().count())
                .isEqualTo(drawn.lines().count())
                .isGreaterThan(20);
        String body = "{\"model\":\"mock:output=300,usage=1\",\"stream\":true,\"max_tokens\":7,\"messages\":[]}";
        assertThat(call("POST", CHAT, body).text()).contains("\"completion_tokens\":7", "\"length\"");
        assertThat(stream(CHAT, "llama-8b,ttft_ms=0,gap=0,output=9").text()).endsWith("data: [DONE]\n\n");
    }

    @Test
    void failsTheFirstRequestsOfEachGroupOnly() throws Exception {
        for (String group : List.of("a", "b")) {
            String spec = "tokens=2,status=503,retry_after=7,fail_first=2,group=first-" + group;
            var answers = List.of(stream(CHAT, spec), stream(CHAT, spec), stream(CHAT, spec));
            assertThat(answers).extracting(Response::status).containsExactly(503, 503, 200);
            assertThat(answers.get(0).header("retry-after")).isEqualTo("7");
            assertThat(answers.get(2).header("retry-after")).isNull();
            assertThat(answers.get(2).text()).endsWith("data: [DONE]\n\n");
        }
    }

    @Test
    void failsAtTheRateThatWasPutLast() throws Exception {
        try (var server = MockServer.start(MockConfig.defaults())) {
            assertThat(failures(server, 20)).isZero();
            put(server, "status=529,fail_rate=50");
            assertThat(failures(server, 100)).isBetween(20, 80);
            put(server, "status=529");
            assertThat(failures(server, 20)).isEqualTo(20);
            server.setSpec(MockSpec.PLAIN);
            assertThat(failures(server, 20)).isZero();
            assertThat(putStatus(server, "status=5")).isEqualTo(400);
        }
    }

    private static void put(MockServer server, String spec) throws IOException {
        assertThat(putStatus(server, spec)).isEqualTo(200);
    }

    private static int putStatus(MockServer server, String spec) throws IOException {
        try (var client = new RawClient(server.port())) {
            client.send("PUT", "/__mock/spec", spec);
            return client.readAll().status();
        }
    }

    private static int failures(MockServer server, int requests) throws IOException {
        int failed = 0;
        try (var client = new RawClient(server.port())) {
            for (int i = 0; i < requests; i++) {
                client.post(CHAT, "mock:tokens=1", "");
                failed += client.readAll().status() == 200 ? 0 : 1;
            }
        }
        return failed;
    }

    @Test
    void saysWhenToTryAgain() throws Exception {
        var response = stream(CHAT, "status=429,retry_after_s=60,should_retry=0,error_code=insufficient_quota");
        assertThat(response.header("x-should-retry")).isEqualTo("false");
        var then = DateTimeFormatter.RFC_1123_DATE_TIME.parse(response.header("retry-after"), Instant::from);
        assertThat(then).isBetween(Instant.now().plusSeconds(30), Instant.now().plusSeconds(61));
        assertThat(JSON.readTree(response.body()).at("/error/code").asText()).isEqualTo("insufficient_quota");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = ' ',
            value = {
                "/v1/chat/completions server_error /error/code",
                "/v1/responses rate_limit_exceeded /code",
                "/v1/messages rate_limit_error /error/type",
                "/v1beta/models/m:streamGenerateContent?alt=sse RESOURCE_EXHAUSTED /error/status"
            })
    void callsAnErrorInAStreamByItsName(String path, String code, String pointer) throws Exception {
        var spec = "error_after=0,error_code=" + code;
        try (var client = new RawClient(mock.port())) {
            client.send("POST", RelayHarness.withSpec(path, spec), "{\"stream\":true}");
            var events = events(client.readAll());
            assertThat(events.get(events.size() - 1).at(pointer).asText()).isEqualTo(code);
        }
    }

    @Test
    void endsAResponseInFailure() throws Exception {
        var events = events(stream("/v1/responses", "error_after=2,failed=1,error_code=server_error"));
        var last = events.get(events.size() - 1);
        assertThat(last.path("type").asText()).isEqualTo("response.failed");
        assertThat(last.path("sequence_number").asInt()).isEqualTo(events.size() - 1);
        assertThat(last.at("/response/status").asText()).isEqualTo("failed");
        assertThat(last.at("/response/error/code").asText()).isEqualTo("server_error");
    }

    @Test
    void sendsAStreamWithoutAFrame() throws Exception {
        var response = stream(CHAT, "empty=1");
        assertThat(response.status()).isEqualTo(200);
        assertThat(response.end()).isEqualTo(End.COMPLETE);
        assertThat(response.body()).isEmpty();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "/v1/chat/completions | \"delta\":{\"refusal\":\"You",
                "/v1/responses | event: response.refusal.delta",
                "/v1/messages | \"stop_reason\":\"refusal\"",
                "/v1beta/models/m:streamGenerateContent?alt=sse | {\"promptFeedback\":{\"blockReason\":\"SAFETY\"}"
            })
    void refusesInTheWordsOfTheDialect(String path, String words) throws Exception {
        try (var client = new RawClient(mock.port())) {
            client.send("POST", RelayHarness.withSpec(path, "refusal=1"), "{\"stream\":true}");
            assertThat(client.readAll().text()).contains(words);
        }
    }

    @Test
    void measuresStampedBodyToTheByte() throws Exception {
        assertThat(stream(CHAT, "tokens=12,stamp=1,length=1").text()).endsWith("data: [DONE]\n\n");
    }

    @Test
    void refusesPathThatCannotBeDecoded() throws Exception {
        assertThat(call("GET", "/v1/models%zz", "").status()).isEqualTo(400);
    }

    @ParameterizedTest
    @ValueSource(ints = {204, 304})
    void statusThatForbidsBodyHasNone(int status) throws Exception {
        var response = call("POST", CHAT, "{\"model\":\"mock:status=" + status + "\"}", "Connection: close");
        assertThat(response.status()).isEqualTo(status);
        assertThat(response.text()).isEmpty();
        assertThat(response.header("Content-Length")).isNull();
    }

    @ParameterizedTest
    @CsvSource({"/v1/chat/completions, false", "/v1/responses, true"})
    void refusesToMakeWholeTextOfAnySize(String path, boolean stream) throws Exception {
        var body = "{\"model\":\"mock:tokens=2000000000\",\"stream\":" + stream + "}";

        var response = call("POST", path, body);

        assertThat(response.status()).isEqualTo(400);
        assertThat(response.text()).contains("expected: at most 64 MiB");
    }

    @Test
    void keepsBodiesOfBoundedSizeInAll() throws Exception {
        try (var server = MockServer.start(MockConfig.defaults())) {
            for (int i = 0; i < 3; i++) {
                try (var client = new RawClient(server.port())) {
                    client.send("POST", "/echo", "x".repeat(7 << 20));
                    assertThat(client.readAll().status()).isEqualTo(200);
                }
            }
            assertThat(server.requests()).extracting(MockRequest::number).containsExactly(2L, 3L);
        }
    }

    @Test
    void refusesBodyOfMoreThanItsLimit() throws Exception {
        assertThat(call("POST", "/echo", "x".repeat((64 << 20) + 1)).status()).isEqualTo(413);
    }

    @Test
    void streamsChatToItsTerminal() throws Exception {
        var response = stream(CHAT, "tokens=5,reasoning=2,n=2,usage=1");
        assertThat(response.head()).startsWith("HTTP/1.1 200 OK\r\n").contains("Transfer-Encoding: chunked");
        assertThat(response.end()).isEqualTo(End.COMPLETE);
        assertThat(response.text()).endsWith("\n\ndata: [DONE]\n\n").contains("\"content\":\" Hello\"");
        assertThat(response.frames()).hasSize(2 + 4 + 10 + 2 + 1 + 1);
        var events = events(response);
        var usage = events.get(events.size() - 1);
        assertThat(usage.path("choices")).isEmpty();
        assertThat(usage.path("usage").path("completion_tokens").asInt()).isEqualTo(14);
        assertThat(events)
                .allSatisfy(event ->
                        assertThat(event.path("model").asText()).isEqualTo("mock:tokens=5,reasoning=2,n=2,usage=1"));
    }

    @Test
    void sendsChatUsageOnlyWhenAsked() throws Exception {
        assertThat(stream(CHAT, "tokens=1").text()).doesNotContain("usage");
        try (var client = new RawClient(mock.port())) {
            client.post(CHAT, "mock:tokens=1", "\"stream_options\":{\"include_usage\":true},");
            assertThat(client.readAll().text()).contains("\"usage\":null", "\"completion_tokens\":1,");
        }
    }

    @Test
    void streamsResponsesInOrderAndNumbered() throws Exception {
        var response = stream("/v1/responses", "tokens=2,reasoning=1");
        var events = events(response);
        assertThat(events)
                .extracting(event -> event.path("type").asText())
                .containsExactly(
                        "response.created",
                        "response.in_progress",
                        "response.output_item.added",
                        "response.reasoning_summary_part.added",
                        "response.reasoning_summary_text.delta",
                        "response.reasoning_summary_text.done",
                        "response.reasoning_summary_part.done",
                        "response.output_item.done",
                        "response.output_item.added",
                        "response.content_part.added",
                        "response.output_text.delta",
                        "response.output_text.delta",
                        "response.output_text.done",
                        "response.content_part.done",
                        "response.output_item.done",
                        "response.completed");
        for (int i = 0; i < events.size(); i++) {
            assertThat(events.get(i).path("sequence_number").asInt(-1)).isEqualTo(i);
        }
        var completed = events.get(events.size() - 1).path("response");
        assertThat(completed
                        .path("output")
                        .path(1)
                        .path("content")
                        .path(0)
                        .path("text")
                        .asText())
                .isEqualTo("You said");
        assertThat(completed.path("usage").path("output_tokens").asInt()).isEqualTo(3);
        assertThat(response.text()).startsWith("event: response.created\ndata: {");
    }

    @Test
    void streamsMessagesToTheirTerminal() throws Exception {
        var response = stream(MESSAGES, "tokens=2,reasoning=1,ping=1");
        assertThat(events(response))
                .extracting(event -> event.path("type").asText())
                .containsExactly(
                        "message_start",
                        "content_block_start",
                        "ping",
                        "content_block_delta",
                        "content_block_delta",
                        "content_block_stop",
                        "content_block_start",
                        "content_block_delta",
                        "content_block_delta",
                        "content_block_stop",
                        "message_delta",
                        "message_stop");
        assertThat(response.text()).contains("\"usage\":{\"output_tokens\":3}");
    }

    @Test
    void streamsGeminiWithCrlfAndNoMarker() throws Exception {
        var response = call(
                "POST",
                "/v1beta/models/mock:tokens=3,reasoning=1:streamGenerateContent?alt=sse",
                "{\"contents\":[{\"parts\":[{\"text\":\"Hi\"}]}]}");
        var events = events(response);
        assertThat(events).hasSize(5);
        assertThat(response.text()).endsWith("}\r\n\r\n").doesNotContain("event:");
        var last = events.get(4);
        assertThat(last.path("candidates").path(0).path("finishReason").asText())
                .isEqualTo("STOP");
        assertThat(last.path("usageMetadata").path("candidatesTokenCount").asInt())
                .isEqualTo(3);
        assertThat(last.path("usageMetadata").path("thoughtsTokenCount").asInt())
                .isEqualTo(1);
    }

    @Test
    void answersGeminiWithAnArrayUnlessAskedForEvents() throws Exception {
        var response = call("POST", "/v1beta/models/m:streamGenerateContent", "{\"contents\":[]}");
        assertThat(response.head()).contains("Content-Type: application/json");
        assertThat(JSON.readTree(response.body())
                        .at("/0/candidates/0/finishReason")
                        .asText())
                .isEqualTo("STOP");
    }

    @ParameterizedTest
    @CsvSource({
        "/v1/chat/completions, /choices/0/message/content",
        "/v1/completions, /choices/0/text",
        "/v1/responses, /output/0/content/0/text",
        "/v1/messages, /content/0/text",
        "/v1beta/models/m:generateContent, /candidates/0/content/parts/0/text"
    })
    void answersWithOneBodyWhenNotAskedToStream(String path, String pointer) throws Exception {
        var response = call(
                "POST",
                path,
                "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"red \\\"fish\\\"\"}],\"input\":\"red \\\"fish\\\"\",\"prompt\":\"red \\\"fish\\\"\",\"contents\":[{\"parts\":[{\"text\":\"red \\\"fish\\\"\"}]}]}");
        assertThat(response.head()).contains("Content-Type: application/json", "Content-Length: ");
        assertThat(JSON.readTree(response.body()).at(pointer).asText())
                .startsWith("You said: red \"fish\". A mill race");
    }

    @ParameterizedTest
    @CsvSource({
        "/v1/chat/completions, \"name\":\"get_weather\"",
        "/v1/responses, response.function_call_arguments.done",
        "/v1/messages, \"type\":\"input_json_delta\"",
        "/v1beta/models/mock:streamGenerateContent?alt=sse, \"functionCall\":{\"name\":\"get_weather\""
    })
    void callsTheToolUntilItHasAnswered(String path, String mark) throws Exception {
        try (var client = new RawClient(mock.port())) {
            client.send("POST", path, turn("\"role\":\"user\",\"content\":\"Hi\""), "x-mock: tool=1");
            assertThat(client.readAll().text()).contains(mark).doesNotContain("mill");
            client.send("POST", path, turn(toolResult(path)), "x-mock: tool=1");
            assertThat(client.readAll().text()).doesNotContain(mark).contains("\" tool\"");
        }
    }

    private static String turn(String turn) {
        return "{\"model\":\"m\",\"stream\":true,\"messages\":[{%s}],\"input\":[{%s}],\"contents\":[{%s}]}"
                .formatted(turn, turn, turn);
    }

    private static String toolResult(String path) {
        if (path.endsWith("/responses")) {
            return "\"type\":\"function_call_output\",\"output\":\"sunny\"";
        }
        if (path.endsWith("/messages")) {
            return "\"role\":\"user\",\"content\":[{\"type\":\"tool_result\",\"content\":\"sunny\"}]";
        }
        return path.startsWith("/v1beta")
                ? "\"parts\":[{\"functionResponse\":{\"name\":\"get_weather\"}}]"
                : "\"role\":\"tool\",\"content\":\"sunny\"";
    }

    @ParameterizedTest
    @CsvSource({
        "/v1/chat/completions, 'data: {\"error\":{'",
        "/v1/responses, 'event: error\ndata: {\"type\":\"error\",\"sequence_number\":'",
        "/v1/messages, 'event: error\ndata: {\"type\":\"error\",\"error\":{'"
    })
    void sendsTheErrorFrameFirstOrAfterOutput(String path, String start) throws Exception {
        assertThat(stream(path, "error_first=1").text()).startsWith(start);
        var later = stream(path, "error_after=2");
        var frames = later.frames();
        assertThat(new String(frames.get(frames.size() - 1), StandardCharsets.UTF_8))
                .startsWith(start);
        assertThat(later.text()).contains("You", " said").doesNotContain("mill race", "[DONE]", "message_stop");
        assertThat(later.end()).isEqualTo(End.COMPLETE);
    }

    @Test
    void numbersTheResponsesErrorAfterTheFramesBeforeIt() throws Exception {
        var events = events(stream("/v1/responses", "error_after=2"));
        assertThat(events.get(events.size() - 1).path("sequence_number").asInt())
                .isEqualTo(events.size() - 1);
    }

    @Test
    void hidesErrorsFromSdks() throws Exception {
        assertThat(stream(CHAT, "hidden_error_after=1").text()).contains("\n\nerror: {\"error\":");
        assertThat(stream(MESSAGES, "hidden_error_after=1").text())
                .contains("\n\ndata: {\"type\":\"error\"")
                .doesNotContain("event: error");
    }

    @Test
    void answersWithTheStatusAskedFor() throws Exception {
        var response = stream(MESSAGES, "status=529,retry_after=7,retry_after_ms=70,headers=x-a:1|x-b:2");
        assertThat(response.head())
                .startsWith("HTTP/1.1 529 ")
                .contains("Retry-After: 7\r\n", "retry-after-ms: 70\r\n", "x-a:1\r\n", "x-b:2\r\n", "request-id: ");
        assertThat(response.text()).contains("overloaded_error");
        assertThat(stream(CHAT, "status=429").text()).contains("rate_limit_exceeded");
    }

    @ParameterizedTest
    @CsvSource({
        "reset_after=3, RESET",
        "end_after=3, TRUNCATED",
        "garbage_chunk_after=3, BAD_CHUNK",
        "eof_after=3, COMPLETE"
    })
    void cutsAfterSoManyOutputFrames(String spec, End end) throws Exception {
        var response = stream(CHAT, spec);
        assertThat(response.end()).isEqualTo(end);
        assertThat(response.frames()).hasSize(1 + 3);
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 199, 500, 1000})
    void cutsAtTheByte(int at) throws Exception {
        var ended = stream(CHAT, "end_at_byte=" + at);
        assertThat(ended.body()).hasSize(at);
        assertThat(ended.end()).isEqualTo(End.TRUNCATED);
        var reset = stream(CHAT, "reset_at_byte=" + at);
        assertThat(reset.body()).hasSize(at);
        assertThat(reset.end()).isEqualTo(End.RESET);
    }

    @Test
    void omitsTheTerminal() throws Exception {
        var response = stream(CHAT, "done=0");
        assertThat(response.text()).contains("\"finish_reason\":\"stop\"").doesNotContain("[DONE]");
        assertThat(response.end()).isEqualTo(End.COMPLETE);
    }

    @Test
    void putsJunkIntoTheBodyAndGoesOn() throws Exception {
        assertThat(stream(CHAT, "garbage_after=2").text())
                .contains("<html>\n\n{\n\n")
                .endsWith("[DONE]\n\n");
    }

    @Test
    void answersWithSomethingThatIsNotHttp() throws Exception {
        try (var client = new RawClient(mock.port())) {
            client.post(CHAT, "mock:garbage_head=1", "");
            assertThat(client.readLine()).contains("<<<this is not HTTP>>>");
        }
    }

    @Test
    void closesWithoutAnAnswer() throws Exception {
        try (var client = new RawClient(mock.port())) {
            client.post(CHAT, "mock:close_on_accept=1", "");
            assertThat(client.read()).isEqualTo(-1);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"stall_head=1", "stall_after_head=1", "stall_after=2", "linger=1", "gap_ms=60000"})
    void noticesAtOnceThatTheClientLeft(String spec) throws Exception {
        try (var client = new RawClient(mock.port())) {
            client.post(CHAT, "mock:tokens=4," + spec, "");
            if (!spec.startsWith("stall_head")) {
                client.readHead();
            }
            await().until(() -> last(spec) != null);
            assertThat(last(spec).closedByPeerNs()).isZero();
        }
        await().until(() -> last(spec).closedByPeerNs() != 0);
        await().until(() -> mock.stats().activeStreams() == 0);
    }

    private static MockRequest last(String spec) {
        return mock.requests().stream()
                .filter(request -> new String(request.body(), StandardCharsets.UTF_8).contains(spec + '"'))
                .reduce((first, second) -> second)
                .orElse(null);
    }

    @Test
    void countsAbortedAndCompletedStreams() throws Exception {
        var before = mock.stats();
        stream(CHAT, "tokens=1");
        try (var client = new RawClient(mock.port())) {
            client.post(CHAT, "mock:stall_after=1", "");
            client.readHead();
        }
        await().until(() -> mock.stats().streamsAborted() == before.streamsAborted() + 1);
        assertThat(mock.stats().streamsCompleted()).isEqualTo(before.streamsCompleted() + 1);
        assertThat(mock.stats().requests()).isEqualTo(before.requests() + 2);
    }

    @Test
    void commentsWhileSilent() throws Exception {
        try (var client = new RawClient(mock.port())) {
            client.post(CHAT, "mock:stall_after_head=1,comment_every_ms=2", "");
            client.readHead();
            for (int i = 0; i < 3; i++) {
                assertThat(client.readLine()).isEqualTo("e");
                assertThat(client.readLine()).isEqualTo(": keep-alive");
                assertThat(client.readLine()).isEmpty();
                assertThat(client.readLine()).isEmpty();
            }
        }
    }

    @Test
    void keepsTheBodyOpenAfterTheTerminal() throws Exception {
        try (var client = new RawClient(mock.port())) {
            client.post(CHAT, "mock:tokens=1,linger=1,comment_every_ms=2", "");
            client.readHead();
            String line;
            do {
                line = client.readLine();
            } while (!line.equals("data: [DONE]"));
            assertThat(List.of(client.readLine(), client.readLine(), client.readLine(), client.readLine()))
                    .containsExactly("", "", "e", ": keep-alive");
        }
    }

    @Test
    void pausesBeforeTheFirstFrameAndBetweenTokens() throws Exception {
        long start = System.nanoTime();
        stream(CHAT, "tokens=5,ttft_ms=40,gap_ms=10");
        assertThat(System.nanoTime() - start).isGreaterThanOrEqualTo(80_000_000L);
    }

    @Test
    void pausesOnceLongerWhereAsked() throws Exception {
        long start = System.nanoTime();
        stream(CHAT, "tokens=5,pause_after=3,pause_ms=60");
        assertThat(System.nanoTime() - start).isGreaterThanOrEqualTo(60_000_000L);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                CHAT,
                "/v1/completions",
                "/v1/responses",
                MESSAGES,
                "/v1beta/models/m:streamGenerateContent?alt=sse"
            })
    void putsSeveralTokensIntoAFrame(String path) throws Exception {
        int one = withText(path, "tokens=7,stamp=1");
        int three = withText(path, "tokens=7,stamp=1,tokens_per_frame=3");
        assertThat(one - three).isEqualTo(7 - 3);
    }

    private static int withText(String path, String spec) throws IOException {
        try (var client = new RawClient(mock.port())) {
            client.send("POST", path, "{\"model\":\"m\",\"stream\":true,\"messages\":[]}", "x-mock: " + spec);
            return client.readAll().frames().size();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"", ",crlf=1,nospace=1", ",chunk=whole", ",length=1", ",comment_every_ms=1,gap_ms=3"})
    void sendsTheDigestOfItsFrames(String more) throws Exception {
        var response = stream(CHAT, "tokens=5,digest=1" + more);
        assertThat(response.head()).contains("X-Mock-Digest: crc32c");
        assertThat(response.end()).isEqualTo(End.COMPLETE);
        var sum = new CRC32C();
        String told = null;
        for (byte[] frame : response.frames()) {
            if (frame[0] != ':') {
                sum.update(frame);
            } else if (new String(frame, StandardCharsets.UTF_8).startsWith(": digest=")) {
                told = new String(frame, 9, 8, StandardCharsets.UTF_8);
                break;
            }
        }
        assertThat(told).isEqualTo(String.format("%08x", sum.getValue()));
        assertThat(response.text().stripTrailing()).endsWith("[DONE]");
    }

    @Test
    void delimitsTheBodyAsAsked() throws Exception {
        var frames = stream(CHAT, "tokens=9");
        assertThat(frames.chunks()).hasSize(frames.frames().size());
        int length = frames.body().length;
        var segments = stream(CHAT, "tokens=9,chunk=segment,segment=7");
        assertThat(segments.chunks().get(0)).isEqualTo(7);
        assertThat(segments.end()).isEqualTo(End.COMPLETE);
        var whole = stream(CHAT, "tokens=9,chunk=whole");
        assertThat(whole.chunks()).containsExactly(whole.body().length);
        assertThat(whole.end()).isEqualTo(End.COMPLETE);
        var none = stream(CHAT, "tokens=9,chunk=none");
        assertThat(none.head())
                .doesNotContain("Transfer-Encoding", "Content-Length")
                .contains("Connection: close");
        assertThat(none.end()).isEqualTo(End.CLOSED);
        var old = stream(CHAT, "tokens=9,version=1.0");
        assertThat(old.head()).startsWith("HTTP/1.0 200 OK\r\n");
        assertThat(old.end()).isEqualTo(End.CLOSED);
        var known = stream(CHAT, "tokens=9,length=1");
        assertThat(known.head()).contains("Content-Length: " + known.body().length);
        assertThat(known.end()).isEqualTo(End.COMPLETE);
        assertThat(known.text()).endsWith("[DONE]\n\n");
        assertThat(length).isGreaterThan(1000);
    }

    @Test
    void compressesFrameByFrame() throws Exception {
        var zipped = stream(CHAT, "gzip=1,tokens=3");
        assertThat(zipped.head()).contains("Content-Encoding: gzip");
        assertThat(new GZIPInputStream(new ByteArrayInputStream(zipped.body())).readAllBytes())
                .asString()
                .startsWith("data: {")
                .endsWith("[DONE]\n\n");
        var deflated = stream(CHAT, "deflate=1,length=1,tokens=3");
        assertThat(new InflaterInputStream(new ByteArrayInputStream(deflated.body())).readAllBytes())
                .asString()
                .endsWith("[DONE]\n\n");
    }

    @Test
    void writesLinesAsAsked() throws Exception {
        var response = stream(MESSAGES, "nospace=1,crlf=1,tokens=1");
        assertThat(response.text())
                .startsWith("event:message_start\r\ndata:{")
                .endsWith("\r\n\r\n")
                .doesNotContainPattern("[^\r]\n");
    }

    @Test
    void sendsOneBigFrame() throws Exception {
        assertThat(stream(CHAT, "big_frame=200000").frames())
                .anySatisfy(frame -> assertThat(frame.length).isBetween(200_000, 201_000));
        var completed = stream("/v1/responses", "big_frame=200000,tokens=2").frames();
        var last = new String(completed.get(completed.size() - 1), StandardCharsets.UTF_8);
        assertThat(last).startsWith("event: response.completed").hasSizeGreaterThan(200_000);
        assertThat(last.substring(last.length() - 1000)).contains("\"usage\":{\"input_tokens\"");
    }

    @Test
    void sendsEarlyHintsAndExtraBytes() throws Exception {
        try (var client = new RawClient(mock.port())) {
            client.post(CHAT, "mock:h100=1,tokens=1,extra_bytes=1,content_type=text/plain", "");
            assertThat(client.readHead()).startsWith("HTTP/1.1 103 Early Hints");
            var response = client.readAll();
            assertThat(response.head()).startsWith("HTTP/1.1 200").contains("Content-Type: text/plain");
            assertThat(response.end()).isEqualTo(End.COMPLETE);
            assertThat(client.readLine()).isEqualTo("unsolicited bytes");
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "anthropic-max-tokens-cut-tool-no-eof-blank",
                "chat-perplexity-crlf-no-done",
                "gemini-utf8-cjk",
                "responses-openai-function-call"
            })
    void replaysRecordingsToTheByteInOneByteSegments(String name) throws Exception {
        byte[] recorded;
        try (var in = getClass().getResourceAsStream("/fixtures/streams/" + name + ".sse")) {
            recorded = in.readAllBytes();
        }
        assertThat(stream(CHAT, "segment=1,replay=" + name).body()).isEqualTo(recorded);
        assertThat(stream(CHAT, "chunk=segment,segment=1,replay=" + name).body())
                .isEqualTo(recorded);
    }

    @Test
    void namesAnUnknownReplayOrKey() throws Exception {
        var replay = stream(CHAT, "replay=nothing");
        assertThat(replay.status()).isEqualTo(400);
        assertThat(replay.text()).contains("replay: nothing");
        var key = stream(MESSAGES, "tokenz=3");
        assertThat(key.status()).isEqualTo(400);
        assertThat(key.text()).contains("mock key: tokenz", "invalid_request_error");
        assertThat(call("POST", CHAT, "[1").status()).isEqualTo(400);
        assertThat(call("POST", CHAT, "{\"model\":\"m\"").text())
                .contains("body: is not valid JSON at line 1, column 13 (expected: a JSON object)")
                .doesNotContain("Source");
    }

    @Test
    void putsQueryOverHeaderOverModel() throws Exception {
        String body = "{\"model\":\"mock:status=501\"}";
        assertThat(call("POST", CHAT, body).status()).isEqualTo(501);
        assertThat(call("POST", CHAT, body, "x-mock: status=502").status()).isEqualTo(502);
        assertThat(call("POST", CHAT + "?mock=status%3D503", body, "x-mock: status=502")
                        .status())
                .isEqualTo(503);
    }

    @Test
    void listsModelsInBothShapes() throws Exception {
        assertThat(call("GET", "/v1/models", "").text()).contains("\"object\":\"list\"");
        assertThat(call("GET", "/v1/models", "", "anthropic-version: 2023-06-01")
                        .text())
                .contains("\"display_name\"");
    }

    @Test
    void embedsEachInput() throws Exception {
        var numbers = JSON.readTree(call("POST", "/v1/embeddings", "{\"model\":\"m\",\"input\":[\"a\",\"b\"]}")
                .body());
        assertThat(numbers.path("data")).hasSize(2);
        assertThat(numbers.at("/data/0/embedding")).hasSize(8);
        var text = JSON.readTree(call("POST", "/v1/embeddings", "{\"input\":\"a\",\"encoding_format\":\"base64\"}")
                .body());
        assertThat(text.at("/data/0/embedding").binaryValue()).hasSize(32);
    }

    @Test
    void echoesTheRequestOnOneConnection() throws Exception {
        try (var client = new RawClient(mock.port())) {
            client.send("DELETE", "/echo/a?b=c", "abc", "X-Test: one");
            var echo = client.readAll();
            assertThat(echo.text())
                    .contains("\"method\":\"DELETE\"", "\"uri\":\"/echo/a?b=c\"", "[\"X-Test\",\"one\"]")
                    .contains("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
            client.send("HEAD", "/echo", "");
            assertThat(client.readHead()).contains("Content-Length: ");
            client.send("GET", "/nothing", "");
            assertThat(client.readAll().status()).isEqualTo(404);
        }
        var requests = mock.requests();
        assertThat(requests.get(requests.size() - 1).connectionId())
                .isEqualTo(requests.get(requests.size() - 3).connectionId());
    }

    @Test
    void endsTheBodyByClosingForHttp10() throws Exception {
        try (var client = new RawClient(mock.port())) {
            client.sendHttp10("POST", CHAT, "{\"model\":\"mock:tokens=1\",\"stream\":true}");
            var response = client.readAll();
            assertThat(response.head()).doesNotContain("Transfer-Encoding").contains("Connection: close");
            assertThat(response.end()).isEqualTo(End.CLOSED);
            assertThat(response.text()).startsWith("data: {").endsWith("[DONE]\n\n");
        }
    }

    @Test
    void speaksTls() throws Exception {
        var certificate = new CertificateBuilder()
                .subject("CN=mock")
                .addSanIpAddress("127.0.0.1")
                .setIsCertificateAuthority(true)
                .buildSelfSigned();
        var ssl = SslContextBuilder.forServer(certificate.getKeyPair().getPrivate(), certificate.getCertificatePath())
                .sslProvider(SslProvider.JDK)
                .build();
        var trust = SSLContext.getInstance("TLS");
        trust.init(null, certificate.toTrustManagerFactory().getTrustManagers(), null);
        try (var secure = MockServer.start(MockConfig.defaults().withSsl(ssl))) {
            var client = HttpClient.newBuilder()
                    .sslContext(trust)
                    .version(HttpClient.Version.HTTP_1_1)
                    .build();
            var request = HttpRequest.newBuilder(secure.uri().resolve(CHAT + "?mock=tokens%3D2"))
                    .POST(HttpRequest.BodyPublishers.ofString("{\"stream\":true}"))
                    .build();
            assertThat(client.send(request, HttpResponse.BodyHandlers.ofString())
                            .body())
                    .endsWith("data: [DONE]\n\n");
        }
    }

    @Test
    void refusesAnAddressInUse() {
        var taken = MockConfig.defaults().withAddress("127.0.0.1", mock.port());
        assertThatThrownBy(() -> MockServer.start(taken))
                .isInstanceOf(IllegalStateException.class)
                .hasMessage("mock: cannot listen on 127.0.0.1:" + mock.port() + ": Address already in use");
    }

    @ParameterizedTest
    @MethodSource("io.millrace.server.test.RelayHarness#transports")
    void servesOnEachTransport(Transport transport) throws Exception {
        try (var other = MockServer.start(
                        MockConfig.defaults().withTransport(transport).withEventLoops(2));
                var client = new RawClient(other.port())) {
            client.post(CHAT, "mock:tokens=3,reset_after=2,gap_ms=1", "");
            var response = client.readAll();
            assertThat(response.frames()).hasSize(1 + 2);
            assertThat(response.end()).isEqualTo(End.RESET);
        }
    }

    @Test
    void stopsProducingForAClientThatDoesNotRead() throws Exception {
        try (var client = new RawClient(mock.port())) {
            client.post(CHAT, "mock:tokens=1000000,bytes=1000", "");
            client.readHead();
            var frames = new AtomicLong(-1);
            await().pollInterval(Duration.ofMillis(50))
                    .until(() -> frames.getAndSet(mock.stats().frames())
                            == mock.stats().frames());
            assertThat(frames.get()).isPositive();
            assertThat(mock.stats().activeStreams()).isPositive();
        }
        await().until(() -> mock.stats().activeStreams() == 0);
    }

    @Test
    void tellsItsCounts() throws Exception {
        assertThat(JSON.readTree(call("GET", "/__mock/stats", "").body())
                        .path("open_connections")
                        .asInt())
                .isPositive();
    }

    @Test
    void servesManyStreamsAtOnce() throws Exception {
        int streams = 2000;
        var clients = new ArrayList<RawClient>();
        try {
            for (int i = 0; i < streams; i++) {
                var client = new RawClient(mock.port());
                clients.add(client);
                client.post(CHAT, "mock:tokens=4,ttft_ms=300,gap=uniform:50-150", "");
            }
            for (var client : clients) {
                assertThat(client.readAll().frames()).hasSize(1 + 4 + 1 + 1);
            }
        } finally {
            for (var client : clients) {
                client.close();
            }
        }
        await().until(() -> mock.stats().activeStreams() == 0);
    }
}
