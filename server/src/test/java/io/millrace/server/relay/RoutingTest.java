package io.millrace.server.relay;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.server.RelayServer;
import io.millrace.server.config.Match;
import io.millrace.server.config.RelayConfig;
import io.millrace.server.config.RelayConfig.AccessLog;
import io.millrace.server.config.Route;
import io.millrace.server.config.Upstream;
import io.millrace.server.mock.MockConfig;
import io.millrace.server.mock.MockRequest;
import io.millrace.server.mock.MockServer;
import io.millrace.server.test.RawClient;
import io.millrace.server.test.RelayHarness;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@Tag("sockets")
@Tag("h2")
class RoutingTest {
    private static final String CHAT = "/v1/chat/completions";

    private static MockServer a;
    private static MockServer b;
    private static RelayServer relay;

    @BeforeAll
    static void start() {
        a = MockServer.start(MockConfig.defaults());
        b = MockServer.start(MockConfig.defaults());
        relay = RelayHarness.serve(RelayConfig.relayTo(a.uri()).with(c -> c.accessLog = AccessLog.OFF));
    }

    @AfterAll
    static void stop() {
        relay.close();
        a.close();
        b.close();
    }

    @Test
    void takesTheFirstRouteWhosePathMatches() throws IOException {
        routes(
                Route.of("exact", Match.paths("/echo/one"), "a"),
                Route.of("prefix", Match.paths("/echo/two/*"), "b"),
                Route.of("suffix", Match.paths("*/three"), "a"),
                Route.of("rest", Match.ALL, "b"));
        assertThat(servedBy("/echo/one", "")).isEqualTo("a");
        assertThat(servedBy("/echo/one?two=/three", "")).isEqualTo("a");
        assertThat(servedBy("/echo/one/", "")).isEqualTo("b");
        assertThat(servedBy("/echo/two/three", "")).isEqualTo("b");
        assertThat(servedBy("/echo/x/three", "")).isEqualTo("a");
        assertThat(servedBy("/echo/%74hree", "")).isEqualTo("b");
        assertThat(servedBy("/echo//one", "")).isEqualTo("b");
    }

    @Test
    void choosesByAHeaderThatIsThere() throws IOException {
        routes(
                Route.of("anthropic", new Match(List.of(), List.of(), "Anthropic-Version"), "a"),
                Route.of("rest", Match.ALL, "b"));
        assertThat(servedBy("/echo", "", "anthropic-version: 2023-06-01")).isEqualTo("a");
        assertThat(servedBy("/echo", "")).isEqualTo("b");
    }

    @ParameterizedTest
    @CsvSource({
        "exact, a",
        "prefix-1, a",
        "prefix-, a",
        "prefix, b",
        "x-mini-y, a",
        "x-mini, b",
        "exactly, b",
    })
    void choosesByModel(String model, String upstream) throws IOException {
        routes(
                Route.of("models", Match.models("exact", "prefix-*", "*-mini-*"), "a"),
                Route.of("rest", Match.ALL, "b"));
        assertThat(servedBy("/echo", "{\"model\":\"" + model + "\"}")).isEqualTo(upstream);
    }

    @Test
    void choosesByTheModelInAGeminiPath() throws IOException {
        routes(Route.of("flash", Match.models("gemini-*-flash"), "a"), Route.of("rest", Match.ALL, "b"));
        assertThat(servedBy("/v1beta/models/gemini-9-flash:generateContent", "{\"model\":\"x\"}"))
                .isEqualTo("a");
        assertThat(servedBy("/v1beta/models/gemini-9-pro:generateContent", "{}"))
                .isEqualTo("b");
        assertThat(servedBy("/v1/models/gemini-1-flash:latest", "")).isEqualTo("b");
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void findsTheModelAtEitherEndOfALongBody(boolean first) throws IOException {
        routes(Route.of("chosen", Match.models("chosen"), "a"), Route.of("rest", Match.ALL, "b"));
        String image = "\"image\":\"" + "A".repeat(5 << 20) + "\"";
        String model = "\"model\":\"chosen\"";
        String body = "{" + (first ? model + "," + image : image + "," + model) + "}";
        assertThat(servedBy("/echo", body)).isEqualTo("a");
        assertThat(last(a).body()).hasSize(body.length());
    }

    @Test
    void relaysWhatHasNoModelByTheRouteThatAsksForNone() throws IOException {
        routes(Route.of("models", Match.models("m"), "a"), Route.of("rest", Match.ALL, "b"));
        assertThat(servedBy("/v1/models", "")).isEqualTo("b");
        assertThat(servedBy("/echo", "{\"model\":7}")).isEqualTo("b");
        assertThat(servedBy("/echo", "{\"nested\":{\"model\":\"m\"}}")).isEqualTo("b");
        assertThat(servedBy("/echo", "--x\r\n\r\n", "Content-Type: multipart/form-data; boundary=x"))
                .isEqualTo("b");
    }

    @Test
    void namesTheModelInItsRefusals() throws IOException {
        routes(Route.of("models", Match.models("m"), "a"));
        assertRefused(CHAT, "{}", 404, "The field model is missing");
        assertRefused(CHAT, "{\"model\":null}", 404, "The field model is missing");
        assertRefused(CHAT, "{\"model\":\"other\"}", 404, "The model other is not served here.");
        RawClient.Response messages = ask("/v1/messages", "{\"model\":\"other\"}");
        assertThat(messages.text()).startsWith("{\"type\":\"error\"").contains("model");
        RawClient.Response gemini = ask("/v1beta/models/other:generateContent", "{}");
        assertThat(gemini.status()).isEqualTo(404);
        assertThat(gemini.text()).contains("NOT_FOUND");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "nothing",
                "[]",
                "[{\"model\":\"m\"}]",
                "\"model\"",
                "{\"model\":\"m\"",
                "{\"model\":\"m\",}",
                "{model:\"m\"}",
                "{\"model\":\"m\",\"stream\":true,\"x\":nope}",
                "\u0000"
            })
    void refusesABodyThatIsNoJsonObject(String body) throws IOException {
        routes(Route.of("models", Match.models("m"), "a"));
        RawClient.Response response = ask(CHAT, body);
        assertThat(response.status()).isEqualTo(body.isEmpty() ? 404 : 400);
        assertThat(response.text()).contains(body.isEmpty() ? "model is missing" : "not");
    }

    @Test
    void refusesAPathThatNoRouteTakes() throws IOException {
        routes(Route.of("chat", Match.paths("/v1/*"), "a"));
        RawClient.Response response = ask("/v2/chat/completions?secret=1", "{}");
        assertThat(response.status()).isEqualTo(404);
        assertThat(response.text()).contains("/v2/chat/completions").doesNotContain("secret");
        assertThat(ask("/v1beta/models/m:generateContent", "{}").text()).contains("NOT_FOUND");
    }

    @Test
    void rewritesTheModelAndNothingElse() throws IOException {
        routes(RelayHarness.withRewriteModel(
                Route.of("alias", Match.models("alias", "\u00e9\ud83d\ude00\"", "b"), "a"), "r\"e\u00e9l"));
        String real = "\"r\\\"e\u00e9l\"";
        assertRewritten("{\"model\":\"alias\"}", "{\"model\":" + real + "}");
        assertRewritten(
                " \t\r\n{ \"model\" :\n \"alias\" , \"x\":1 } \n",
                " \t\r\n{ \"model\" :\n " + real + " , \"x\":1 } \n");
        assertRewritten("{\"\\u006dodel\":\"\\u0061lias\"}", "{\"\\u006dodel\":" + real + "}");
        assertRewritten(
                "{\"a\":\"\ud83d\ude00 \u00e9\",\"model\":\"\u00e9\ud83d\ude00\\\"\",\"b\":\"\u4e2d\"}",
                "{\"a\":\"\ud83d\ude00 \u00e9\",\"model\":" + real + ",\"b\":\"\u4e2d\"}");
        assertRewritten(
                "{\"tools\":{\"model\":\"alias\"},\"l\":[{\"model\":\"alias\"}],\"model\":\"alias\",\"m\":{\"model\":\"alias\"}}",
                "{\"tools\":{\"model\":\"alias\"},\"l\":[{\"model\":\"alias\"}],\"model\":" + real
                        + ",\"m\":{\"model\":\"alias\"}}");
        assertRewritten(
                "{\"x\":1,\"x\":1.0e5,\"model\":\"alias\",\"x\":-0}",
                "{\"x\":1,\"x\":1.0e5,\"model\":" + real + ",\"x\":-0}");
        assertRewritten(
                "{\"model\":\"a\",\"stream\":true,\"model\":\"b\"}",
                "{\"model\":\"a\",\"stream\":true,\"model\":" + real + "}");
    }

    @Test
    void rewritesTheModelBehindALongText() throws IOException {
        routes(RelayHarness.withRewriteModel(Route.of("alias", Match.paths("*"), "a"), "real"));
        String text = "\u00e9\\n".repeat(200_000);
        assertRewritten(
                "{\"t\":\"" + text + "\",\"model\":\"alias\",\"z\":0}",
                "{\"t\":\"" + text + "\",\"model\":\"real\",\"z\":0}");
    }

    @Test
    void rewritesTheModelInAGeminiPath() throws IOException {
        routes(RelayHarness.withRewriteModel(Route.of("alias", Match.ALL, "a"), "real"));
        servedBy("/v1beta/models/alias:streamGenerateContent?alt=sse&x=models/alias:y", "{\"model\":\"alias\"}");
        assertThat(last(a).uri()).isEqualTo("/v1beta/models/real:streamGenerateContent?alt=sse&x=models/alias:y");
        assertThat(last(a).body()).asString(StandardCharsets.UTF_8).isEqualTo("{\"model\":\"alias\"}");
    }

    @ParameterizedTest
    @CsvSource({
        "'', /v1/x?a=%2F&&b, /v1/x?a=%2F&&b",
        "/, /v1/x, /v1/x",
        "/v1, /v1/x?q, /v1/x?q",
        "/v1, /v1?q, /v1?q",
        "/v1/, /v1/x, /v1/x",
        "/v1, /v1beta/x, /v1/v1beta/x",
        "/v1, /x/v1/y, /v1/x/v1/y",
        "/openai/v1, /v1/x, /openai/v1/x",
        "/openai, /v1/x, /openai/v1/x",
        "/openai/v1, //v1/x, /openai/v1//v1/x",
        "/av1, /v1/x, /av1/v1/x",
        "/%41/v1, /v1/../x, /%41/v1/../x",
    })
    void putsTheUpstreamsPathInFrontWithoutDoublingV1(String base, String path, String asked) throws IOException {
        var upstream = Upstream.of("a", URI.create(a.uri() + base));
        relay.reload(RelayConfig.relayTo(upstream).with(c -> c.accessLog = AccessLog.OFF));
        ask(path, "{}");
        assertThat(last(a).uri()).isEqualTo(asked);
    }

    private static void assertRewritten(String sent, String got) throws IOException {
        assertThat(servedBy("/echo", sent)).isEqualTo("a");
        assertThat(last(a).body()).asString(StandardCharsets.UTF_8).isEqualTo(got);
        assertThat(last(a).headers().getAll("content-length"))
                .containsExactly(Integer.toString(got.getBytes(StandardCharsets.UTF_8).length));
    }

    private static void assertRefused(String path, String body, int status, String message) throws IOException {
        RawClient.Response response = ask(path, body);
        assertThat(response.status()).isEqualTo(status);
        assertThat(response.text()).contains(message).contains("\"param\":\"model\"");
    }

    private static void routes(Route... routes) {
        var upstreams = Map.of("a", Upstream.of("a", a.uri()), "b", Upstream.of("b", b.uri()));
        relay.reload(RelayConfig.defaults()
                .with(c -> c.accessLog = AccessLog.OFF)
                .with(c -> c.upstreams = upstreams)
                .with(c -> c.routes = List.of(routes)));
    }

    /** Which of the two upstreams got the request. */
    private static String servedBy(String path, String body, String... fields) throws IOException {
        int before = a.requests().size();
        int beforeB = b.requests().size();
        RawClient.Response response = ask(path, body, fields);
        int gotA = a.requests().size() - before;
        int gotB = b.requests().size() - beforeB;
        assertThat(gotA + gotB).as(response.text()).isEqualTo(1);
        return gotA == 1 ? "a" : "b";
    }

    private static RawClient.Response ask(String path, String body, String... fields) throws IOException {
        try (var client = new RawClient(relay.addresses().get(0).getPort())) {
            client.send("POST", path, body, fields);
            return client.readAll();
        }
    }

    private static MockRequest last(MockServer mock) {
        var requests = mock.requests();
        return requests.get(requests.size() - 1);
    }
}
