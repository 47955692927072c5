package io.millrace.server.relay;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.millrace.codec.dialect.Dialect;
import io.millrace.server.RelayServer;
import io.millrace.server.config.Credential;
import io.millrace.server.config.Credential.Secret;
import io.millrace.server.config.Match;
import io.millrace.server.config.RelayConfig;
import io.millrace.server.config.RelayConfig.AccessLog;
import io.millrace.server.config.RelayConfig.ClientAccess;
import io.millrace.server.config.Route;
import io.millrace.server.config.Route.Retry;
import io.millrace.server.config.Upstream;
import io.millrace.server.mock.MockConfig;
import io.millrace.server.mock.MockRequest;
import io.millrace.server.mock.MockServer;
import io.millrace.server.mock.MockSpec;
import io.millrace.server.test.RawClient;
import io.millrace.server.test.RelayHarness;
import io.millrace.server.test.ScriptedUpstream;
import java.io.IOException;
import java.net.URI;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Requests that are translated: to which dialect, and what their upstreams get besides the body. */
@Tag("sockets")
@Tag("h2")
class TranslatedRequestsTest {
    private static final ObjectMapper JSON = new ObjectMapper();

    private MockServer a;
    private MockServer b;

    @BeforeEach
    void start() {
        a = MockServer.start(MockConfig.defaults());
        b = MockServer.start(MockConfig.defaults());
    }

    @AfterEach
    void stop() {
        a.close();
        b.close();
    }

    @ParameterizedTest
    @MethodSource("io.millrace.server.relay.TranslationBed#pairs")
    void carryTheClientsKeyAsTheUpstreamKnowsIt(Api client, Api upstream) throws IOException {
        try (var relay = relay(speaking(upstream.dialect), route -> route)) {
            String name = client == Api.MESSAGES
                    ? "x-api-key: "
                    : client == Api.GEMINI ? "x-goog-api-key: " : "authorization: Bearer ";
            ask(
                    relay,
                    client,
                    name + "sk-mine",
                    "anthropic-beta: x",
                    "x-stainless-lang: js",
                    "x-codex-turn-metadata: {\"workspaces\":{}}",
                    "X-Claude-Code-Session-Id: s",
                    "x-mine: 1");
            MockRequest got = last(a);
            assertThat(got.headers().get("authorization"))
                    .isEqualTo(upstream == Api.CHAT || upstream == Api.RESPONSES ? "Bearer sk-mine" : null);
            assertThat(got.headers().get("x-api-key")).isEqualTo(upstream == Api.MESSAGES ? "sk-mine" : null);
            assertThat(got.headers().get("x-goog-api-key")).isEqualTo(upstream == Api.GEMINI ? "sk-mine" : null);
            assertThat(got.headers().get("anthropic-version"))
                    .isEqualTo(upstream == Api.MESSAGES ? "2023-06-01" : null);
            assertThat(got.headers().contains("anthropic-beta")).isFalse();
            assertThat(got.headers().contains("x-stainless-lang")).isFalse();
            assertThat(got.headers().contains("x-codex-turn-metadata")).isFalse();
            assertThat(got.headers().contains("x-claude-code-session-id")).isFalse();
            assertThat(got.headers().get("x-mine")).isEqualTo("1");
            assertThat(got.headers().get("content-type")).isEqualTo("application/json");
            assertThat(got.uri()).isEqualTo(upstream.path);
        }
    }

    @ParameterizedTest
    @EnumSource(
            value = Api.class,
            names = {"MESSAGES", "GEMINI"})
    void carryNoKeyToAnotherDialectThanTheFirstTargets(Api second) throws IOException {
        a.setSpec(MockSpec.parse("status=503"));
        try (var relay = twoTargets(Dialect.CHAT, second.dialect)) {
            ask(relay, Api.CHAT, "authorization: Bearer sk-mine", "api-key: sk-mine");
            assertThat(last(a).headers().get("authorization")).isEqualTo("Bearer sk-mine");
            assertThat(last(b).uri()).isEqualTo(second.path);
            assertThat(last(b).headers().toString()).doesNotContain("sk-mine");
        }
    }

    @Test
    void carryTheKeyToALaterTargetOfTheSameDialect() throws IOException {
        a.setSpec(MockSpec.parse("status=503"));
        try (var relay = twoTargets(Dialect.MESSAGES, Dialect.MESSAGES)) {
            ask(relay, Api.CHAT, "authorization: Bearer sk-mine");
            assertThat(last(a).headers().get("x-api-key")).isEqualTo("sk-mine");
            assertThat(last(b).headers().get("x-api-key")).isEqualTo("sk-mine");
        }
    }

    @ParameterizedTest
    @EnumSource(
            value = Api.class,
            names = {"MESSAGES", "GEMINI", "RESPONSES"})
    void carryNoCredentialThatIsNoKey(Api upstream) throws IOException {
        try (var relay = relay(speaking(upstream.dialect), route -> route)) {
            ask(relay, Api.CHAT, "authorization: Basic dXNlcjpwYXNz");
            assertThat(last(a).headers().toString()).doesNotContain("dXNlcjpwYXNz");
            ask(relay, Api.CHAT, "authorization: Basic dXNlcjpwYXNz", "x-api-key: sk-mine");
            assertThat(last(a).headers().toString()).contains("sk-mine").doesNotContain("dXNlcjpwYXNz");
        }
    }

    @Test
    void carryTheRelaysKeyAlone() throws IOException {
        var key = new Credential("x-api-key", "", Secret.of("sk-ours", "env: KEY"));
        try (var relay = relay(speaking(Dialect.MESSAGES).with(u -> u.credential = key), route -> route)) {
            ask(relay, Api.CHAT, "authorization: Bearer sk-mine", "x-goog-api-key: sk-other");
            assertThat(last(a).headers().get("x-api-key")).isEqualTo("sk-ours");
            assertThat(last(a).headers().toString()).doesNotContain("sk-mine", "sk-other");
            a.setSpec(MockSpec.parse("status=401,error_code=sk-ours"));
            String refusal = ask(relay, Api.CHAT).text();
            assertThat(refusal).doesNotContain("sk-ours").contains("*******");
        }
    }

    @Test
    void passAsTheyAreToWhoSpeaksTheirDialect() throws IOException {
        try (var relay = relay(
                Upstream.of("a", a.uri())
                        .with(u -> u.dialects = List.of(Dialect.MESSAGES, Dialect.CHAT))
                        .with(u -> u.model = "usual"),
                route -> route)) {
            String body = TranslationBed.body(Api.CHAT, true);
            ask(relay, Api.CHAT);
            assertThat(last(a).body()).asString().isEqualTo(body);
            ask(relay, Api.MESSAGES);
            assertThat(last(a).body()).asString().isEqualTo(TranslationBed.body(Api.MESSAGES, true));
            try (var client = client(relay)) {
                client.send("GET", "/v1/models", "");
                assertThat(client.readAll().status()).isEqualTo(200);
                assertThat(last(a).uri()).isEqualTo("/v1/models");
                client.send("POST", "/v1/completions", "{\"model\":\"m\",\"prompt\":\"Hello\"}");
                assertThat(client.readAll().status()).isEqualTo(200);
            }
        }
    }

    @Test
    void askForTheModelThatIsNearestToThem() throws IOException {
        Upstream usual = speaking(Dialect.MESSAGES).with(u -> u.model = "usual");
        try (var relay = relay(usual, route -> route)) {
            ask(relay, Api.CHAT);
            assertThat(json(last(a)).path("model").asText()).isEqualTo("usual");
        }
        try (var relay = relay(usual, route -> RelayHarness.withRewriteModel(route, "routes"))) {
            ask(relay, Api.CHAT);
            assertThat(json(last(a)).path("model").asText()).isEqualTo("routes");
        }
        try (var relay = relay(usual.with(u -> u.model = null), route -> route)) {
            ask(relay, Api.CHAT);
            assertThat(json(last(a)).path("model").asText()).isEqualTo("m");
        }
    }

    @Test
    void goToThePathUnderTheUpstreamsOwn() throws IOException {
        Upstream deep =
                Upstream.of("a", URI.create(a.uri() + "/api/v1")).with(u -> u.dialects = List.of(Dialect.MESSAGES));
        try (var relay = relay(deep, route -> route)) {
            ask(relay, Api.CHAT);
            assertThat(last(a).uri()).isEqualTo("/api/v1/messages");
        }
    }

    @Test
    void areRefusedByTheFieldThatCannotBeExpressed() throws IOException {
        try (var relay = relay(speaking(Dialect.MESSAGES), route -> route);
                var client = client(relay)) {
            String body = TranslationBed.body(Api.CHAT, true).replace("{\"model\"", "{\"n\":3,\"model\"");
            client.send("POST", Api.CHAT.path, body);
            RawClient.Response response = client.readAll();
            assertThat(response.status()).isEqualTo(400);
            JsonNode error = JSON.readTree(response.body()).path("error");
            assertThat(error.path("param").asText()).isEqualTo("n");
            assertThat(error.path("type").asText()).isEqualTo("invalid_request_error");
            assertThat(a.stats().requests()).isZero();
            client.send("POST", Api.CHAT.path, TranslationBed.body(Api.CHAT, true));
            assertThat(client.readAll().status()).isEqualTo(200);
        }
    }

    @Test
    void mayBeLong() throws IOException {
        String image = "A".repeat(3 << 20);
        String turns = "[{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"Hello\"},"
                + "{\"type\":\"image_url\",\"image_url\":{\"url\":\"data:image/png;base64," + image + "\"}}]}]";
        String body = "{\"model\":\"m\",\"stream\":true,\"messages\":" + turns + "}";
        try (var relay = relay(speaking(Dialect.MESSAGES), route -> route);
                var client = client(relay)) {
            client.send("POST", Api.CHAT.path, body);
            RawClient.Response response = client.readAll();
            assertThat(Reading.ofStream(Api.CHAT, response).stop()).isEqualTo("end");
            JsonNode blocks = json(last(a)).path("messages").path(0).path("content");
            assertThat(blocks.findValuesAsText("data")).containsExactly(image);
            client.send("POST", Api.CHAT.path, body.replace("{\"model\"", "{\"n\":2,\"model\""));
            assertThat(client.readAll().status()).isEqualTo(400);
            client.send("POST", Api.CHAT.path, body);
            assertThat(client.readAll().status()).isEqualTo(200);
        }
    }

    @Test
    void areRefusedWhereTheyAreNoJson() throws IOException {
        try (var relay = relay(speaking(Dialect.MESSAGES), route -> route);
                var client = client(relay)) {
            for (String body : List.of("", "{", "[]", "7", "\"x\"", "[".repeat(100_000))) {
                client.send("POST", Api.CHAT.path, body);
                RawClient.Response response = client.readAll();
                assertThat(response.status()).as(body).isEqualTo(400);
                Api.CHAT.refusalOf(response.text());
            }
        }
    }

    @Test
    void fallBackAcrossDialects() throws IOException {
        a.setSpec(MockSpec.parse("status=529"));
        b.setSpec(MockSpec.parse("tokens=4"));
        try (var relay = twoTargets(Dialect.MESSAGES, Dialect.CHAT)) {
            RawClient.Response response = ask(relay, Api.CHAT);
            assertThat(Reading.ofStream(Api.CHAT, response).stop()).isEqualTo("end");
            assertThat(response.header("x-millrace-upstream")).isEqualTo("b");
            assertThat(last(a).uri()).isEqualTo("/v1/messages");
            assertThat(last(b).uri()).isEqualTo("/v1/chat/completions");
            assertThat(last(b).body()).asString().isEqualTo(TranslationBed.body(Api.CHAT, true));
        }
    }

    @Test
    void fallBackWhereOneDialectCannotExpressThem() throws IOException {
        try (var relay = twoTargets(Dialect.MESSAGES, Dialect.CHAT);
                var client = client(relay)) {
            String body = TranslationBed.body(Api.CHAT, true).replace("{\"model\"", "{\"n\":2,\"model\"");
            client.send("POST", Api.CHAT.path, body);
            RawClient.Response response = client.readAll();
            assertThat(response.status()).isEqualTo(200);
            assertThat(response.header("x-millrace-upstream")).isEqualTo("b");
            assertThat(a.stats().requests()).isZero();
        }
    }

    @Test
    void getTheAnswerOfWhomWasAskedWhereTheLastCannotBe() throws IOException {
        String body = TranslationBed.body(Api.CHAT, true).replace("{\"model\"", "{\"n\":2,\"model\"");
        for (String fault : List.of("status=429,retry_after=7", "status=503", "error_after=0", "close_on_accept=1")) {
            a.setSpec(MockSpec.parse(fault));
            try (var relay = twoTargets(Dialect.CHAT, Dialect.MESSAGES);
                    var client = client(relay)) {
                client.send("POST", Api.CHAT.path, body);
                RawClient.Response response = client.readAll();
                assertThat(response.status())
                        .as(fault)
                        .isEqualTo(
                                switch (fault) {
                                    case "status=503" -> 503;
                                    case "error_after=0" -> 200;
                                    case "close_on_accept=1" -> 502;
                                    default -> 429;
                                });
                assertThat(response.text()).contains("error").doesNotContain("unsupported_parameter");
                assertThat(response.header("x-millrace-upstream")).isEqualTo("a");
                assertThat(b.stats().requests()).isZero();
            }
        }
    }

    @Test
    void neverTellTheRelaysKeyWhateverTheAnswersStatus() throws IOException {
        String key = "sk-ours-0123456789";
        String whole = "{\"error\":{\"message\":\"Incorrect API key: " + key + "\"}}";
        String cut = "x".repeat(490) + key;
        String event = "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"authentication_error\","
                + "\"message\":\"Incorrect API key: " + key + "\"}}\n\n";
        for (String answer : List.of(
                "200 OK\r\nContent-Type: application/json\r\n\r\n" + whole,
                "401 Unauthorized\r\nContent-Type: text/plain\r\n\r\n" + cut,
                "200 OK\r\nContent-Type: text/event-stream\r\n\r\n" + event)) {
            try (var upstream = ScriptedUpstream.answeringAndClosing("HTTP/1.1 " + answer);
                    var relay = relay(
                            Upstream.of("a", upstream.uri())
                                    .with(u -> u.dialects = List.of(Dialect.MESSAGES))
                                    .with(u ->
                                            u.credential = new Credential("x-api-key", "", Secret.of(key, "env: KEY"))),
                            route -> route.with(r -> r.retry = Retry.DEFAULT.with(t -> t.attempts = 1)))) {
                assertThat(ask(relay, Api.CHAT).text()).contains("****").doesNotContain("sk-ours");
            }
        }
    }

    private Upstream speaking(Dialect dialect) {
        return Upstream.of("a", a.uri()).with(u -> u.dialects = List.of(dialect));
    }

    private static RelayServer relay(Upstream upstream, UnaryOperator<Route> change) {
        return RelayHarness.serve(RelayConfig.defaults()
                .with(c -> c.upstreams = Map.of("a", upstream))
                .with(c -> c.routes = List.of(change.apply(Route.of("all", Match.ALL, "a"))))
                .with(c -> c.clients = ClientAccess.ALLOW_OPEN)
                .with(c -> c.accessLog = AccessLog.OFF));
    }

    private RelayServer twoTargets(Dialect first, Dialect second) {
        var route = Route.of("all", Match.ALL, List.of(Route.Target.of("a"), Route.Target.of("b")))
                .with(r -> r.retry = Retry.DEFAULT.with(t -> t.attempts = 1));
        return RelayHarness.serve(RelayConfig.defaults()
                .with(c -> c.upstreams = Map.of(
                        "a", speaking(first), "b", Upstream.of("b", b.uri()).with(u -> u.dialects = List.of(second))))
                .with(c -> c.routes = List.of(route))
                .with(c -> c.accessLog = AccessLog.OFF));
    }

    private static RawClient client(RelayServer relay) throws IOException {
        return new RawClient(relay.addresses().get(0).getPort());
    }

    private static RawClient.Response ask(RelayServer relay, Api api, String... headers) throws IOException {
        try (var client = client(relay)) {
            client.send("POST", api.path, TranslationBed.body(api, true), headers);
            return client.readAll();
        }
    }

    private static MockRequest last(MockServer mock) {
        List<MockRequest> requests = mock.requests();
        return requests.get(requests.size() - 1);
    }

    private static JsonNode json(MockRequest request) throws IOException {
        return JSON.readTree(request.body());
    }
}
