package io.millrace.server.relay;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.server.config.Cors;
import io.millrace.server.config.Credential;
import io.millrace.server.config.Credential.Secret;
import io.millrace.server.config.RelayConfig;
import io.millrace.server.config.Upstream;
import io.millrace.server.test.RawClient;
import io.millrace.server.test.RelayHarness;
import io.millrace.server.test.ScriptedUpstream;
import java.io.IOException;
import java.net.URI;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@Tag("sockets")
@Tag("h2")
class CrossOriginTest {
    private static final String CHAT = "/v1/chat/completions";
    private static final String APP = "https://app.example.com";
    private static final Cors LISTED = Cors.OFF.with(o -> o.origins = List.of("http://localhost:3000", APP));

    @Test
    void answersThePreflightOfAListedOriginByItself() throws IOException {
        try (var harness = RelayHarness.start(config -> config.with(c -> c.cors = LISTED));
                var client = harness.client()) {
            RawClient.Response answer = preflight(client, APP, "authorization,x-stainless-os");
            assertThat(answer.status()).isEqualTo(204);
            assertThat(answer.header("access-control-allow-origin")).isEqualTo(APP);
            assertThat(answer.header("access-control-allow-methods")).contains("POST", "DELETE");
            assertThat(answer.header("access-control-allow-headers")).isEqualTo("authorization,x-stainless-os");
            assertThat(answer.header("access-control-max-age")).isEqualTo("600");
            assertThat(answer.header("access-control-allow-credentials")).isNull();
            assertThat(answer.head().toLowerCase(java.util.Locale.ROOT))
                    .contains("vary: origin", "vary: access-control-request-headers");
            assertThat(harness.mock.requests()).isEmpty();
        }
    }

    @Test
    void refusesThePreflightOfAnyOther() throws IOException {
        try (var harness = RelayHarness.start(config -> config.with(c -> c.cors = LISTED));
                var client = harness.client()) {
            for (String origin : List.of("https://evil.example", "http://app.example.com", APP + ".evil", "null")) {
                RawClient.Response answer = preflight(client, origin, "x");
                assertThat(answer.status()).as(origin).isEqualTo(403);
                assertThat(answer.header("access-control-allow-origin")).isNull();
                assertThat(answer.header("vary")).isEqualToIgnoringCase("origin");
            }
            assertThat(harness.mock.requests()).isEmpty();
        }
    }

    @Test
    void letsTheListedOriginReadEveryAnswer() throws IOException {
        try (var harness = RelayHarness.start(config -> config.with(c -> c.cors = LISTED));
                var client = harness.client()) {
            for (String path : List.of("/healthz", "/echo", "/no/such")) {
                client.send("GET", path, "", "Origin: " + APP);
                assertGranted(client.readAll());
            }
            client.send("POST", CHAT, "{\"model\":\"m\",\"stream\":true,\"messages\":[]}", "Origin: " + APP);
            assertGranted(client.readAll());
            client.send("POST", CHAT, "{\"model\":\"m\",\"stream\":true,\"messages\":[]}");
            assertThat(client.readAll().header("access-control-allow-origin"))
                    .as("the next request on the connection, which no page made")
                    .isNull();
            assertThat(harness.mock.requests())
                    .allSatisfy(request ->
                            assertThat(request.headers().contains("origin")).isFalse());
        }
    }

    @Tag("h1") // heads that cannot be written in HTTP/2
    @ParameterizedTest
    @CsvSource({
        "POST, Content-Length: 99999999, 413",
        "GET, X-A: x|120, 431",
        "GET, Host: b, 400",
        "GET, Transfer-Encoding: gzip, 400",
        "GET, Connection: upgrade, 501",
        "POST, Transfer-Encoding: chunked, 400",
    })
    void letsTheListedOriginReadRefusalsAtTheGate(String method, String field, int status) throws IOException {
        String[] repeated = field.split("\\|", 2);
        String fields = (repeated[0] + "\r\n").repeat(repeated.length > 1 ? Integer.parseInt(repeated[1]) : 1);
        String request = method + " /v1/models HTTP/1.1\r\nHost: a\r\nOrigin: " + APP + "\r\nUpgrade: websocket\r\n"
                + fields + "\r\nzz\r\n";
        try (var harness = RelayHarness.start(config -> config.with(c -> c.cors = LISTED))) {
            try (var client = harness.client()) {
                client.sendRaw(request);
                RawClient.Response answer = client.readAll();
                assertThat(answer.status()).as(answer.text()).isEqualTo(status);
                assertGranted(answer);
            }
            try (var client = harness.client()) {
                client.sendRaw(request.replace(APP, "https://evil.example"));
                assertThat(client.readAll().header("access-control-allow-origin"))
                        .isNull();
            }
        }
    }

    @Test
    void putsItsOwnWordInPlaceOfTheUpstreams() throws IOException {
        String answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nVary: Accept\r\nAccess-Control-Allow-Origin: *\r\n"
                + "Access-Control-Allow-Credentials: true\r\n\r\n{}";
        try (var upstream = ScriptedUpstream.answering(answer);
                var harness = RelayHarness.start(config -> RelayConfig.relayTo(upstream.uri())
                        .with(c -> c.accessLog = config.accessLog())
                        .with(c -> c.cors = LISTED));
                var client = harness.client()) {
            client.send("GET", "/v1/models", "", "Origin: " + APP);
            RawClient.Response listed = client.readAll();
            assertThat(listed.header("access-control-allow-origin")).isEqualTo(APP);
            assertThat(listed.header("access-control-allow-credentials")).isNull();
            assertThat(listed.head()).containsIgnoringCase("vary: Accept").containsIgnoringCase("vary: origin");
            client.send("GET", "/v1/models", "", "Origin: https://evil.example");
            assertThat(client.readAll().header("access-control-allow-origin")).isNull();
        }
    }

    @Test
    void leavesAllOfItToTheUpstreamWhereItIsOff() throws IOException {
        String answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nAccess-Control-Allow-Origin: *\r\n\r\n{}";
        try (var upstream = ScriptedUpstream.answering(answer);
                var harness = RelayHarness.start(
                        config -> RelayConfig.relayTo(upstream.uri()).with(c -> c.accessLog = config.accessLog()));
                var client = harness.client()) {
            RawClient.Response preflight = preflight(client, APP, "x");
            assertThat(preflight.status()).isEqualTo(200);
            assertThat(preflight.header("access-control-allow-origin")).isEqualTo("*");
            assertThat(preflight.header("vary")).isNull();
            assertThat(upstream.requests().get(0)).startsWith("OPTIONS ").containsIgnoringCase("origin: " + APP);
        }
    }

    @Test
    void letsAnyOriginInButNeverWithCredentials() throws IOException {
        try (var harness = RelayHarness.start(config ->
                        config.with(c -> c.cors = Cors.OFF.with(o -> o.origins = List.of(Cors.ANY))));
                var client = harness.client()) {
            client.send("GET", "/healthz", "", "Origin: https://any.example");
            RawClient.Response answer = client.readAll();
            assertThat(answer.header("access-control-allow-origin")).isEqualTo("*");
            assertThat(answer.header("access-control-allow-credentials")).isNull();
            assertThat(answer.header("vary")).isNull();
        }
    }

    @Test
    void saysThatCredentialsMayBeSentWhereThatIsConfigured() throws IOException {
        try (var harness = RelayHarness.start(
                        config -> config.with(c -> c.cors = LISTED.with(o -> o.credentials = true)));
                var client = harness.client()) {
            assertThat(preflight(client, APP, "x").header("access-control-allow-credentials"))
                    .isEqualTo("true");
            assertThat(preflight(client, "https://evil.example", "x").header("access-control-allow-credentials"))
                    .isNull();
        }
    }

    @Test
    void keepsTheRelaysKeysForTheListedOrigins() throws IOException {
        try (var harness = RelayHarness.start(config -> injecting(config).with(c -> c.cors = LISTED));
                var client = harness.client()) {
            assertThat(get(client, APP)).isEqualTo(200);
            assertThat(get(client, "https://evil.example")).isEqualTo(403);
            assertThat(harness.mock.requests()).hasSize(1);
        }
    }

    private static RelayConfig injecting(RelayConfig config) {
        URI mock = config.upstreams().get("default").url();
        var credential = new Credential("authorization", "Bearer ", Secret.of("sk-1234567890", "test"));
        return config.with(c ->
                c.upstreams = Map.of("default", Upstream.of("default", mock).with(u -> u.credential = credential)));
    }

    private static int get(RawClient client, String origin) throws IOException {
        client.sendRaw("GET /echo HTTP/1.1\r\nHost: localhost\r\nOrigin: " + origin + "\r\n\r\n");
        return client.readAll().status();
    }

    private static void assertGranted(RawClient.Response answer) {
        assertThat(answer.header("access-control-allow-origin")).isEqualTo(APP);
        assertThat(answer.header("access-control-expose-headers")).contains("X-Millrace-Request-Id");
        assertThat(answer.header("vary")).isEqualToIgnoringCase("origin");
    }

    private static RawClient.Response preflight(RawClient client, String origin, String headers) throws IOException {
        client.sendRaw("OPTIONS " + CHAT + " HTTP/1.1\r\nHost: mock\r\nOrigin: " + origin
                + "\r\nAccess-Control-Request-Method: POST\r\nAccess-Control-Request-Headers: " + headers + "\r\n\r\n");
        String head = client.readHead();
        return head.startsWith("HTTP/1.1 204")
                ? new RawClient.Response(head, new byte[0], RawClient.End.COMPLETE, List.of())
                : client.readBody(head);
    }
}
