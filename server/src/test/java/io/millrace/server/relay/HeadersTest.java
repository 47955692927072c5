package io.millrace.server.relay;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.server.mock.MockRequest;
import io.millrace.server.test.RawClient;
import io.millrace.server.test.RelayHarness;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("sockets")
@Tag("h2")
class HeadersTest {
    private static final String CHAT = "/v1/chat/completions";

    private static RelayHarness harness;

    @BeforeAll
    static void start() {
        harness = RelayHarness.start();
    }

    @AfterAll
    static void stop() {
        harness.close();
    }

    @Test
    @Tag("h1") // fields of HTTP/1.1, as they are written there
    void passesEndToEndFieldsAsTheyCameInTheirOrder() throws IOException {
        List<String> fields = List.of(
                "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
                "TraceState: a=1",
                "tracestate: b=2",
                "Anthropic-Version: 2023-06-01",
                "anthropic-beta: x,y",
                "X-Stainless-Lang: js",
                "x-stainless-retry-count: 0",
                "User-Agent: odd/1.0 (a; b)  c",
                "X-Under_Score: kept",
                "Cookie: a=b",
                "Authorization: Bearer client",
                "X-Empty:",
                "X-Latin: caf\u00e9",
                "X-Request-Id: mine",
                "Accept: */*",
                "accept: text/plain",
                "X-Last: 1");
        MockRequest got = relayed(CHAT, "stream", fields);
        var passed = new ArrayList<String>();
        for (Map.Entry<String, String> field : got.headers()) {
            passed.add(field.getKey() + ":" + (field.getValue().isEmpty() ? "" : " ") + field.getValue());
        }
        assertThat(passed).containsSubsequence(fields);
        passed.removeAll(fields);
        assertThat(passed)
                .containsExactlyInAnyOrder(
                        "host: 127.0.0.1:" + harness.mock.port(), "content-length: 15", "accept-encoding: identity");
    }

    @Test
    @Tag("h1") // fields of HTTP/1.1, as they are written there
    void dropsTheFieldsOfTheHopAndThoseThatConnectionNames() throws IOException {
        MockRequest got = relayed(
                "/echo",
                "body",
                List.of(
                        "Connection: keep-alive, X-Named ,x-other",
                        "Connection: X-Second",
                        "X-Named: 1",
                        "X-OTHER: 1",
                        "x-second: 1",
                        "Keep-Alive: timeout=5",
                        "Proxy-Connection: keep-alive",
                        "Proxy-Authorization: Basic x",
                        "TE: trailers",
                        "Trailer: X-T",
                        "X-Kept: 1"));
        assertThat(got.headers().names()).containsExactlyInAnyOrder("X-Kept", "host", "content-length");
    }

    @Test
    void dropsTheFieldsOfTheNetworkPath() throws IOException {
        MockRequest got = relayed(
                "/echo",
                "body",
                List.of(
                        "Forwarded: for=1.2.3.4",
                        "X-Forwarded-For: 1.2.3.4",
                        "X-Forwarded-Host: evil",
                        "X-Forwarded-Proto: https",
                        "X-Forwarded-Prefix: /a",
                        "X-Forwarded-Client-Cert: a",
                        "X-Real-IP: 1.2.3.4",
                        "Via: 1.1 a"));
        assertThat(got.headers().names()).containsExactlyInAnyOrder("host", "content-length");
    }

    @Test
    void leavesTheCodingOfPlainPathsToTheClient() throws IOException {
        MockRequest got = relayed("/echo", "body", List.of("Accept-Encoding: gzip, br"));
        assertThat(got.headers().getAll("accept-encoding")).containsExactly("gzip, br");
    }

    @Test
    void asksForNoCodingWhereAStreamMayCome() throws IOException {
        assertThat(relayed(CHAT, "{}", List.of("Accept-Encoding: gzip, br"))
                        .headers()
                        .getAll("accept-encoding"))
                .containsExactly("identity");
        assertThat(relayed("/echo", "{}", List.of("Accept-Encoding: gzip", "Accept: text/event-stream"))
                        .headers()
                        .getAll("accept-encoding"))
                .containsExactly("identity");
    }

    @Test
    void relaysACodedPlainBodyAsItIs() throws IOException {
        try (var client = harness.client()) {
            client.send("POST", RelayHarness.withSpec(CHAT, "gzip=1,tokens=3"), "{\"model\":\"m\"}");
            RawClient.Response response = client.readAll();
            assertThat(response.header("content-encoding")).isEqualTo("gzip");
            assertThat(response.end()).isEqualTo(RawClient.End.COMPLETE);
            var inflated = new GZIPInputStream(new java.io.ByteArrayInputStream(response.body()));
            assertThat(new String(inflated.readAllBytes(), java.nio.charset.StandardCharsets.UTF_8))
                    .contains("\"chat.completion\"");
        }
    }

    @Test
    @Tag("h1") // fields of HTTP/1.1, as they are written there
    void sendsTheHeadOfAStreamAsPromised() throws IOException {
        String spec = "tokens=2,gzip=1,headers=Cache-Control:max-age=60|X-Accel-Buffering:yes|Keep-Alive:timeout=5"
                + "|openai-processing-ms:12|x-ratelimit-remaining-requests:59|Set-Cookie:a=b|Set-Cookie:c=d"
                + "|X-Millrace-Request-Id:forged|Trailer:X-T";
        RawClient.Response response = harness.stream("/v1/messages", spec);
        String id = response.header("x-millrace-request-id");
        assertThat(id).startsWith("mr-");
        assertThat(response.header("request-id")).startsWith("req_");
        assertThat(response.head().lines().filter(line -> !line.startsWith("request-id:")))
                .containsExactlyInAnyOrder(
                        "HTTP/1.1 200 OK",
                        "Content-Type: text/event-stream; charset=utf-8",
                        "openai-processing-ms: 12",
                        "x-ratelimit-remaining-requests: 59",
                        "Set-Cookie: a=b",
                        "Set-Cookie: c=d",
                        "cache-control: no-cache, no-transform",
                        "x-millrace-stream: " + response.header("x-millrace-stream"),
                        "x-millrace-upstream: default",
                        "x-millrace-attempts: 1",
                        "x-accel-buffering: no",
                        "x-content-type-options: nosniff",
                        "x-request-id: " + id,
                        "x-millrace-request-id: " + id,
                        "transfer-encoding: chunked",
                        "connection: keep-alive");
        assertThat(response.text()).startsWith("event: message_start\n");
    }

    @Test
    void neverPassesALengthOnWithAStream() throws IOException {
        RawClient.Response response = harness.stream(CHAT, "tokens=2,length=1");
        assertThat(response.header("content-length")).isNull();
        assertThat(response.end()).isEqualTo(RawClient.End.COMPLETE);
    }

    @Test
    void keepsTheUpstreamsTypeAndRequestId() throws IOException {
        RawClient.Response response = harness.stream(
                CHAT, "tokens=2,content_type=Text/Event-Stream;charset=UTF-8;a=b,headers=X-Request-ID:req_1");
        assertThat(response.header("content-type")).isEqualTo("Text/Event-Stream;charset=UTF-8;a=b");
        assertThat(response.header("x-request-id")).isEqualTo("req_1");
        assertThat(response.header("x-millrace-request-id")).startsWith("mr-");
    }

    @Test
    void givesEveryRequestAnIdOfItsOwn() throws IOException {
        String first = harness.stream(CHAT, "tokens=1").header("x-millrace-request-id");
        assertThat(harness.stream(CHAT, "tokens=1").header("x-millrace-request-id"))
                .startsWith("mr-")
                .isNotEqualTo(first);
    }

    @Test
    @Tag("h1") // HTTP/1.0
    void sendsAStreamToHttp10DelimitedByClose() throws IOException {
        try (var client = harness.client()) {
            client.sendHttp10("POST", RelayHarness.withSpec(CHAT, "tokens=3"), "{\"model\":\"m\",\"stream\":true}");
            RawClient.Response response = client.readAll();
            assertThat(response.header("transfer-encoding")).isNull();
            assertThat(response.header("content-length")).isNull();
            assertThat(response.header("connection")).isEqualTo("close");
            assertThat(response.header("x-accel-buffering")).isEqualTo("no");
            assertThat(response.end()).isEqualTo(RawClient.End.CLOSED);
            assertThat(response.text()).startsWith("data: ").endsWith("data: [DONE]\n\n");
        }
    }

    @Test
    @Tag("h1") // fields of HTTP/1.1, as they are written there
    void closesAfterAStreamIfTheClientAsksForIt() throws IOException {
        try (var client = harness.client()) {
            client.send(
                    "POST",
                    RelayHarness.withSpec(CHAT, "tokens=1"),
                    "{\"model\":\"m\",\"stream\":true}",
                    "Connection: close");
            RawClient.Response response = client.readAll();
            assertThat(response.header("connection")).isEqualTo("close");
            assertThat(response.end()).isEqualTo(RawClient.End.COMPLETE);
            assertThat(client.read()).isEqualTo(-1);
        }
    }

    @Test
    void passesThePlainResponsesFieldsButTheHops() throws IOException {
        try (var client = harness.client()) {
            client.send(
                    "POST",
                    RelayHarness.withSpec(
                            CHAT,
                            "status=429,retry_after=70,headers=request-id:req_2|x-ratelimit-limit-tokens:5"
                                    + "|Cache-Control:no-store|Keep-Alive:timeout=5|Proxy-Connection:x"),
                    "{\"model\":\"m\"}");
            RawClient.Response response = client.readAll();
            assertThat(response.status()).isEqualTo(429);
            assertThat(response.header("retry-after")).isEqualTo("70");
            assertThat(response.header("request-id")).isEqualTo("req_2");
            assertThat(response.header("x-ratelimit-limit-tokens")).isEqualTo("5");
            assertThat(response.header("cache-control")).isEqualTo("no-store");
            assertThat(response.header("keep-alive")).isNull();
            assertThat(response.header("proxy-connection")).isNull();
            assertThat(response.header("x-millrace-request-id")).startsWith("mr-");
            assertThat(response.text()).contains("\"error\"");
        }
    }

    private static MockRequest relayed(String path, String body, List<String> fields) throws IOException {
        try (var client = harness.client()) {
            String sent = body.equals("stream") ? "{\"stream\":true}" : body;
            client.send("POST", path, sent, fields.toArray(String[]::new));
            client.readAll();
        }
        var requests = harness.mock.requests();
        return requests.get(requests.size() - 1);
    }
}
