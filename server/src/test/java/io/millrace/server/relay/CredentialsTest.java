package io.millrace.server.relay;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.AppenderBase;
import io.millrace.server.config.Credential;
import io.millrace.server.config.Credential.Secret;
import io.millrace.server.config.RelayConfig;
import io.millrace.server.config.RelayConfig.AccessLog;
import io.millrace.server.config.RelayConfig.ClientAccess;
import io.millrace.server.config.Timeouts;
import io.millrace.server.config.Upstream;
import io.millrace.server.mock.MockConfig;
import io.millrace.server.mock.MockRequest;
import io.millrace.server.test.RawClient;
import io.millrace.server.test.RelayHarness;
import io.millrace.server.test.ScriptedUpstream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.function.UnaryOperator;
import java.util.zip.DeflaterOutputStream;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.slf4j.LoggerFactory;

@Tag("sockets")
@Tag("h2")
class CredentialsTest {
    private static final String KEY = "sk-relay-0123456789abcdef";
    private static final String CHAT = "/v1/chat/completions";

    @Test
    void passesTheClientsOwnCredentialsThrough() throws IOException {
        try (var harness = RelayHarness.start()) {
            MockRequest got = relayed(
                    harness,
                    "/echo?key=mine",
                    "Authorization: Bearer mine",
                    "x-api-key: a",
                    "x-goog-api-key: b",
                    "api-key: c");
            assertThat(got.uri()).isEqualTo("/echo?key=mine");
            assertThat(got.headers().get("authorization")).isEqualTo("Bearer mine");
            assertThat(got.headers().get("x-api-key")).isEqualTo("a");
            assertThat(got.headers().get("x-goog-api-key")).isEqualTo("b");
            assertThat(got.headers().get("api-key")).isEqualTo("c");
        }
    }

    @ParameterizedTest
    @CsvSource({
        "authorization, 'Bearer '",
        "x-api-key, ''",
        "x-goog-api-key, ''",
        "api-key, ''",
        "X-Custom-Key, 'Token '",
    })
    void replacesEveryCredentialOfTheClientByOneOfItsOwn(String header, String prefix) throws IOException {
        try (var harness = RelayHarness.start(injecting(header, prefix))) {
            MockRequest got = relayed(
                    harness,
                    "/echo",
                    "Authorization: Bearer client",
                    "authorization: Bearer client",
                    "X-Api-Key: client",
                    "Api-Key: client",
                    "X-Goog-Api-Key: client",
                    "X-Custom-Key: client",
                    "Cookie: session=client",
                    "Proxy-Authorization: Basic client",
                    "x_api_key: client",
                    "X_Custom: client",
                    "anthropic-version: 2023-06-01");
            assertThat(got.headers().getAll(header)).containsExactly(prefix + KEY);
            got.headers().remove(header).remove("x-custom-key");
            assertThat(got.headers().toString()).doesNotContain("client").doesNotContain(KEY);
            assertThat(got.headers().get("anthropic-version")).isEqualTo("2023-06-01");
        }
    }

    @ParameterizedTest
    @CsvSource({
        "/v1beta/models/m:generateContent?key=client, /v1beta/models/m:generateContent",
        "/v1beta/models/m:generateContent?key=client&alt=sse, /v1beta/models/m:generateContent?alt=sse",
        "/v1beta/models/m:generateContent?alt=sse&key=client&x=1&key=client, /v1beta/models/m:generateContent?alt=sse&x=1",
        "/v1beta/models/m:generateContent?k%65y=client&monkey=1&KEY=2, /v1beta/models/m:generateContent?monkey=1&KEY=2",
        "/v1beta/models/m:generateContent?alt=sse, /v1beta/models/m:generateContent?alt=sse",
    })
    void dropsTheClientsKeyFromAQueryForGemini(String asked, String sent) throws IOException {
        try (var harness = RelayHarness.start(injecting("x-goog-api-key", ""))) {
            assertThat(relayed(harness, asked).uri()).isEqualTo(sent);
        }
    }

    @Test
    void dropsCookiesAndTheAccountFromResponses() throws IOException {
        String fields = "Set-Cookie:a=b|OpenAI-Organization:org-1|openai-project:p-1|anthropic-organization-id:o"
                + "|x-request-id:req_1|x-ratelimit-remaining-tokens:5";
        try (var harness = RelayHarness.start(injecting("authorization", "Bearer "))) {
            for (String stream : List.of("true", "false")) {
                RawClient.Response response = asked(harness, CHAT, "tokens=1,headers=" + fields, stream);
                assertThat(response.status()).isEqualTo(200);
                assertThat(response.header("set-cookie")).isNull();
                assertThat(response.header("openai-organization")).isNull();
                assertThat(response.header("openai-project")).isNull();
                assertThat(response.header("anthropic-organization-id")).isNull();
                assertThat(response.header("x-request-id")).isEqualTo("req_1");
                assertThat(response.header("x-ratelimit-remaining-tokens")).isEqualTo("5");
            }
        }
    }

    @Test
    void showsTheKeyNowhere() throws IOException {
        try (var seen = new SeenLogs();
                var harness = RelayHarness.start(config -> injecting("authorization", "Bearer ")
                        .apply(config)
                        .with(c -> c.accessLog = AccessLog.DEFAULT))) {
            for (String spec : List.of(
                    "tokens=1",
                    "status=401",
                    "status=500",
                    "reset_after=0",
                    "reset_after=1",
                    "garbage_head=1",
                    "error_first=1")) {
                for (String path : List.of(CHAT, "/v1/messages", "/v1beta/models/m:streamGenerateContent")) {
                    RawClient.Response response = asked(harness, path, spec, "true");
                    assertThat(response.head() + response.text()).doesNotContain(KEY);
                }
            }
            assertThat(new String(harness.relay.metrics().text(), StandardCharsets.UTF_8))
                    .doesNotContain(KEY);
            assertThat(seen.lines).isNotEmpty().noneMatch(line -> line.contains(KEY));
            assertThat(injecting("authorization", "Bearer ")
                            .apply(RelayConfig.relayTo(harness.mock.uri()))
                            .toString())
                    .doesNotContain(KEY);
        }
    }

    @Test
    void masksTheKeyInAnErrorThatRepeatsIt() throws IOException {
        String body = "{\"error\":{\"message\":\"Incorrect API key: " + KEY + ". " + KEY + "\"}}";
        String head =
                "HTTP/1.1 401 Unauthorized\r\nContent-Type: application/json\r\nX-Your-Key: Bearer " + KEY + "\r\n";
        for (String framing : List.of(
                "Content-Length: " + body.length() + "\r\n\r\n" + body,
                "Transfer-Encoding: chunked\r\n\r\n" + chunks(body) + "0\r\n\r\n",
                "\r\n" + body)) {
            RawClient.Response response = errorOf(head + framing);
            assertThat(response.status()).isEqualTo(401);
            assertThat(response.text()).isEqualTo(body.replace(KEY, "*".repeat(KEY.length())));
            assertThat(response.head()).doesNotContain(KEY);
        }
    }

    @Test
    void takesTheCodingOffAnErrorThatCouldRepeatTheKey() throws IOException {
        String error = "{\"error\":{\"message\":\"Incorrect API key: " + KEY + "\"}}";
        var coded = new ByteArrayOutputStream();
        try (var gzip = new GZIPOutputStream(coded)) {
            gzip.write(error.getBytes(StandardCharsets.UTF_8));
        }
        String head = "HTTP/1.1 403 Forbidden\r\nRetry-After: 7\r\nContent-Length: " + coded.size() + "\r\n";
        String body = coded.toString(StandardCharsets.ISO_8859_1);
        RawClient.Response response = errorOf(head + "Content-Encoding: gzip\r\n\r\n" + body);
        assertThat(response.status()).isEqualTo(403);
        assertThat(response.header("content-encoding")).isNull();
        assertThat(response.header("retry-after")).isEqualTo("7");
        assertThat(response.text()).isEqualTo(error.replace(KEY, "*".repeat(KEY.length())));
        RawClient.Response unknown = errorOf(head + "Content-Encoding: br\r\n\r\n" + body);
        assertThat(unknown.status()).isEqualTo(403);
        assertThat(unknown.text()).startsWith("{\"error\":{\"message\":");
    }

    @ParameterizedTest
    @ValueSource(strings = {"gzip", "deflate"})
    void takesTheCodingOffJsonThatCouldRepeatTheKey(String coding) throws IOException {
        String json = "{\"data\":[{\"key\":\"" + KEY + "\"}]}";
        String masked = json.replace(KEY, "*".repeat(KEY.length()));
        try (var upstream = ScriptedUpstream.answering(coded("application/json", coding, json));
                var harness = injecting(upstream)) {
            for (RawClient.Response response : List.of(
                    raw(harness, "/v1/models", "Host: localhost"),
                    asked(harness, CHAT, "tokens=1", "true"),
                    asked(harness, CHAT, "tokens=1", "false"))) {
                assertThat(response.status()).isEqualTo(200);
                assertThat(response.header("content-encoding")).isNull();
                assertThat(response.text()).isEqualTo(masked);
                assertThat(response.end()).isEqualTo(RawClient.End.COMPLETE);
            }
        }
    }

    @Test
    void passesNoJsonOnWhoseCodingItCannotTakeOff() throws IOException {
        String head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Encoding: br\r\n";
        RawClient.Response response = errorOf(head + "Content-Length: 4\r\n\r\nbrbr");
        assertThat(response.status()).isEqualTo(502);
        assertThat(response.text()).contains("cannot be searched for keys");
    }

    @Test
    void leavesTheCodingOfWhatIsNotSearched() throws IOException {
        String answer = coded("text/plain", "gzip", "hello");
        RawClient.Response response = errorOf(answer);
        assertThat(response.status()).isEqualTo(200);
        assertThat(response.header("content-encoding")).isEqualTo("gzip");
        assertThat(new String(response.body(), StandardCharsets.ISO_8859_1)).isEqualTo(answer.split("\r\n\r\n", 2)[1]);
        String unchanged =
                "HTTP/1.1 304 Not Modified\r\nContent-Type: application/json\r\nContent-Encoding: br\r\n\r\n";
        try (var upstream = ScriptedUpstream.answering(unchanged);
                var harness = injecting(upstream);
                var client = harness.client()) {
            client.sendRaw("GET /v1/models HTTP/1.1\r\nHost: localhost\r\n\r\n");
            assertThat(client.readHead()).startsWith("HTTP/1.1 304").containsIgnoringCase("content-encoding: br");
        }
    }

    /** The frame is longer than what is held, so it passes in pieces, and each border cuts a key. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "data: {\"error\":{\"message\":\"KEYS\"}}\n\n",
                "event: error\ndata: {\"message\":\"KEYS\"}\n\n",
                "data: {\"error\":{\"message\":\"KEYS\"}}"
            })
    void masksTheKeyInALongErrorFrame(String frame) throws IOException {
        String output = "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"a\"}}]}\n\n";
        String sent = output + frame.replace("KEYS", KEY.repeat(8_000));
        String head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: " + sent.length();
        try (var upstream = ScriptedUpstream.answeringAndClosing(head + "\r\n\r\n" + sent);
                var harness = injecting(upstream)) {
            RawClient.Response response = asked(harness, CHAT, "tokens=1", "true");
            assertThat(response.text()).startsWith(sent.replace(KEY, "*".repeat(KEY.length())));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"400 Bad Request", "429 Too Many Requests", "500 Internal Server Error"})
    void givesALongErrorWhole(String status) throws IOException {
        String body = "{\"error\":{\"message\":\"" + "x".repeat(65_500) + KEY + "y".repeat(70_000) + KEY + "\"}}";
        String fields = "HTTP/1.1 " + status + "\r\nx-should-retry: false\r\nContent-Length: " + body.length();
        RawClient.Response response = errorOf(fields + "\r\n\r\n" + body);
        assertThat(response.status()).isEqualTo(Integer.parseInt(status.substring(0, 3)));
        assertThat(response.text()).isEqualTo(body.replace(KEY, "*".repeat(KEY.length())));
        assertThat(response.end()).isEqualTo(RawClient.End.COMPLETE);
    }

    @Test
    void waitsForTheRestOfAnErrorNoLongerThanForThatOfAnAnswer() throws IOException {
        try (var upstream = ScriptedUpstream.start(connection -> {
                    connection.readRequest();
                    connection.send("HTTP/1.1 400 Bad Request\r\nContent-Length: 99\r\n\r\n{\"error\":");
                    connection.read();
                });
                var harness = RelayHarness.start(
                        MockConfig.defaults(),
                        config -> RelayHarness.withTimeouts(
                                injecting("authorization", "Bearer ")
                                        .apply(RelayConfig.relayTo(upstream.uri())
                                                .with(c -> c.accessLog = AccessLog.OFF)),
                                Timeouts.DEFAULT.with(t -> t.idle = Duration.ofMillis(200))))) {
            RawClient.Response response = raw(harness, "/v1/models", "Host: localhost");
            assertThat(response.status()).isEqualTo(400);
            assertThat(response.text()).isEqualTo("{\"error\":");
            assertThat(response.end()).isIn(RawClient.End.RESET, RawClient.End.TRUNCATED);
        }
    }

    @Test
    void keepsTheLengthThatAHeadOfAnErrorTells() throws IOException {
        try (var upstream = ScriptedUpstream.answering("HTTP/1.1 404 Not Found\r\nContent-Length: 77\r\n\r\n");
                var harness = injecting(upstream);
                var client = harness.client()) {
            client.sendRaw("HEAD /v1/models/m HTTP/1.1\r\nHost: localhost\r\n\r\n");
            assertThat(client.readHead()).startsWith("HTTP/1.1 404").containsIgnoringCase("content-length: 77");
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "HTTP/1.1 401 bad key KEY\r\nContent-Length: 0\r\n\r\n",
                "HTTP/1.1 401 No\r\nX-KEY: 1\r\nContent-Length: 0\r\n\r\n",
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: KEY\r\n\r\n",
                "HTTP/1.1 200 OK\r\nContent-Length: KEY\r\n\r\n",
                "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Encoding: KEY\r\n\r\n",
                "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{\"error\":{\"message\":\"KEY\"}}",
                "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: {\"error\":{\"message\":\"KEY\"}}\n\n",
                "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\nOUTdata: {\"error\":{\"message\":\"KEY\"}}\n\n",
                "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\nOUTerror: {\"message\":\"KEY\"}\n\n",
                "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\nOUTevent: error\ndata: {\"message\":\"KEY\"}\n\n",
                "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\nOUT{\"error\":{\"message\":\"KEY\"}}"
            })
    void neverRepeatsTheKeyThatAnUpstreamTells(String answer) throws IOException {
        String output = "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"a\"}}]}\n\n";
        String sent = answer.replace("KEY", KEY).replace("OUT", output);
        try (var upstream = ScriptedUpstream.answeringAndClosing(sent);
                var harness = injecting(upstream);
                var client = harness.client()) {
            String body = "{\"model\":\"m\",\"stream\":true}";
            client.sendRaw("POST " + CHAT + " HTTP/1.1\r\nHost: localhost\r\nContent-Length: " + body.length()
                    + "\r\n\r\n" + body);
            RawClient.Response response = client.readAll();
            assertThat(response.head() + response.text()).doesNotContainIgnoringCase(KEY);
            assertThat(upstream.requests().get(0)).contains(KEY);
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "Host: localhost\r\nOrigin: https://evil.example",
                "Host: localhost\r\nOrigin: null",
                "Host: localhost\r\nOrigin: file://",
                "Host: localhost\r\nOrigin: http://localhost.evil.example",
                "Host: localhost\r\nOrigin: http://127.0.0.1.evil.example",
                "Host: localhost\r\nOrigin: http://localhost\r\nOrigin: https://evil.example",
                "Host: evil.example",
                "Host: evil.example\r\nOrigin: http://evil.example",
                "Host: localhost.evil.example",
                "Host: 128.0.0.1",
                "Host: 0.0.0.0",
                "Host: [::2]",
            })
    void refusesPagesOfOtherSites(String fields) throws IOException {
        try (var harness = RelayHarness.start(injecting("authorization", "Bearer "))) {
            for (String path : List.of(CHAT, "/v1/messages", "/v1beta/models/m:generateContent")) {
                RawClient.Response response = raw(harness, path, fields);
                assertThat(response.status()).isEqualTo(403);
                assertThat(response.text())
                        .contains(path.endsWith("messages") ? "{\"type\":\"error\"" : "{\"error\":{")
                        .contains(path.contains("beta") ? "PERMISSION_DENIED" : "relay adds its own keys");
                RawClient.Response waiting = raw(harness, path, fields + "\r\nExpect: 100-continue\r\nX-Then: nothing");
                assertThat(waiting.status()).isEqualTo(403);
            }
            assertThat(harness.mock.requests()).isEmpty();
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "Host: localhost",
                "Host: localhost:8080\r\nOrigin: http://localhost:3000",
                "Host: LOCALHOST\r\nOrigin: http://127.0.0.1:5173",
                "Host: 127.0.0.1:8080\r\nOrigin: http://[::1]:3000",
                "Host: [::1]:8080",
                "Host: relay.localhost",
                "Host: 127.1.2.3",
            })
    void servesLoopback(String fields) throws IOException {
        try (var harness = RelayHarness.start(injecting("authorization", "Bearer "))) {
            assertThat(raw(harness, "/echo", fields).status()).isEqualTo(200);
        }
    }

    @Test
    void servesOtherHostsWhenOpenButNoForeignPages() throws IOException {
        try (var harness = RelayHarness.start(config ->
                injecting("authorization", "Bearer ").apply(config).with(c -> c.clients = ClientAccess.ALLOW_OPEN))) {
            assertThat(raw(harness, "/echo", "Host: relay.example").status()).isEqualTo(200);
            assertThat(raw(harness, "/echo", "Host: relay.example\r\nOrigin: https://relay.example")
                            .status())
                    .isEqualTo(200);
            assertThat(raw(harness, "/echo", "Host: relay.example\r\nOrigin: https://evil.example")
                            .status())
                    .isEqualTo(403);
            assertThat(raw(harness, "/echo", "Host: relay.example\r\nOrigin: null")
                            .status())
                    .isEqualTo(403);
        }
    }

    @Test
    void servesAnyHostAndOriginWhereNoKeyIsInjected() throws IOException {
        try (var harness = RelayHarness.start()) {
            assertThat(raw(harness, "/echo", "Host: evil.example\r\nOrigin: https://evil.example")
                            .status())
                    .isEqualTo(200);
        }
    }

    private static UnaryOperator<RelayConfig> injecting(String header, String prefix) {
        var credential = new Credential(header, prefix, Secret.of(KEY, "env: TEST"));
        return config -> {
            Upstream upstream = config.upstreams().get("default").with(u -> u.credential = credential);
            return config.with(c -> c.upstreams = Map.of("default", upstream));
        };
    }

    private static RawClient.Response errorOf(String response) throws IOException {
        try (var upstream = ScriptedUpstream.answeringAndClosing(response);
                var harness = injecting(upstream)) {
            return raw(harness, "/v1/models", "Host: localhost");
        }
    }

    /** A relay that adds its key to what it asks of {@code upstream}. */
    private static RelayHarness injecting(ScriptedUpstream upstream) {
        return RelayHarness.start(
                MockConfig.defaults(),
                config -> RelayHarness.withRetry(
                        injecting("authorization", "Bearer ")
                                .apply(RelayConfig.relayTo(upstream.uri()).with(c -> c.accessLog = AccessLog.OFF)),
                        RelayHarness.QUICK));
    }

    /** A response whose body has {@code coding}. */
    private static String coded(String type, String coding, String body) throws IOException {
        var bytes = new ByteArrayOutputStream();
        try (OutputStream out = coding.equals("gzip") ? new GZIPOutputStream(bytes) : new DeflaterOutputStream(bytes)) {
            out.write(body.getBytes(StandardCharsets.UTF_8));
        }
        return "HTTP/1.1 200 OK\r\nContent-Type: " + type + "\r\nContent-Encoding: " + coding + "\r\nContent-Length: "
                + bytes.size() + "\r\n\r\n" + bytes.toString(StandardCharsets.ISO_8859_1);
    }

    private static String chunks(String body) {
        var chunks = new StringBuilder();
        for (int i = 0; i < body.length(); i++) {
            chunks.append("1\r\n").append(body.charAt(i)).append("\r\n");
        }
        return chunks.toString();
    }

    private static RawClient.Response asked(RelayHarness harness, String path, String spec, String stream)
            throws IOException {
        try (var client = harness.client()) {
            String body = "{\"model\":\"m\",\"stream\":" + stream + "}";
            client.sendRaw("POST " + RelayHarness.withSpec(path, spec)
                    + " HTTP/1.1\r\nHost: localhost\r\nContent-Length: " + body.length() + "\r\n\r\n" + body);
            return client.readAll();
        }
    }

    private static MockRequest relayed(RelayHarness harness, String path, String... fields) throws IOException {
        String all = fields.length == 0 ? "" : "\r\n" + String.join("\r\n", fields);
        RawClient.Response response = raw(harness, path, "Host: localhost" + all);
        assertThat(response.status()).isIn(200, 400);
        var requests = harness.mock.requests();
        return requests.get(requests.size() - 1);
    }

    private static RawClient.Response raw(RelayHarness harness, String path, String fields) throws IOException {
        try (var client = harness.client()) {
            String body = fields.endsWith("nothing") ? "" : "{}";
            client.sendRaw("POST " + path + " HTTP/1.1\r\n" + fields + "\r\nContent-Length: 2\r\n\r\n" + body);
            return client.readAll();
        }
    }

    /** Every line that anything logs, at every level. */
    private static final class SeenLogs extends AppenderBase<ILoggingEvent> implements AutoCloseable {
        private final Queue<String> lines = new ConcurrentLinkedQueue<>();
        private final Logger root = (Logger) LoggerFactory.getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME);
        private final Logger own = (Logger) LoggerFactory.getLogger("io.millrace");
        private final Logger access = (Logger) LoggerFactory.getLogger("millrace.access");
        private final Level level = own.getLevel();
        private final Level accessLevel = access.getLevel();

        SeenLogs() {
            setContext(root.getLoggerContext());
            start();
            own.setLevel(Level.TRACE);
            access.setLevel(Level.TRACE);
            root.addAppender(this);
            access.addAppender(this);
        }

        @Override
        protected void append(ILoggingEvent event) {
            lines.add(event.getFormattedMessage() + " " + event.getKeyValuePairs() + " " + event.getThrowableProxy());
        }

        @Override
        public void close() {
            root.detachAppender(this);
            access.detachAppender(this);
            own.setLevel(level);
            access.setLevel(accessLevel);
        }
    }
}
