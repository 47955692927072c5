package io.millrace.server.relay;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.millrace.server.address.AddressSet;
import io.millrace.server.config.Limits;
import io.millrace.server.config.RelayConfig.AccessLog;
import io.millrace.server.test.AccessLines;
import io.millrace.server.test.RawClient;
import io.millrace.server.test.RelayHarness;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The client's address from a trusted proxy, in the access log and for limits. This machine is the proxy. */
@Tag("sockets")
@Tag("h2")
class ClientAddressesTest {
    private static final String CHAT = "/v1/chat/completions";
    private static final String HELD = RelayHarness.withSpec(CHAT, "tokens=2,stall_after=1");

    private final List<RawClient> held = new ArrayList<>();

    @Test
    void theAccessLogNamesTheClientBehindATrustedProxy() throws IOException {
        try (var lines = new AccessLines();
                var harness = start(l -> {}, "127.0.0.0/8")) {
            assertThat(logged(harness, lines, "X-Forwarded-For: 1.2.3.4, 203.0.113.7"))
                    .isEqualTo("203.0.113.7");
            assertThat(logged(harness, lines, "Forwarded: for=\"[2001:db8::7]:4711\""))
                    .isEqualTo("2001:db8::7");
            assertThat(logged(harness, lines, "X-Forwarded-For: garbage")).isEqualTo("127.0.0.1");
            assertThat(logged(harness, lines, "X-Real-IP: 1.2.3.4")).isEqualTo("127.0.0.1");
        }
    }

    @Tag("h1") // Upgrade
    @Test
    void theAccessLogNamesTheClientOfARefusedRequest() throws IOException {
        try (var lines = new AccessLines();
                var harness = start(l -> {}, "127.0.0.0/8")) {
            String refused =
                    logged(harness, lines, "X-Forwarded-For: 203.0.113.8", "Upgrade: websocket", "Connection: upgrade");
            assertThat(refused).isEqualTo("203.0.113.8");
        }
    }

    @Test
    void theAccessLogNamesThePeerThatIsNoTrustedProxy() throws IOException {
        try (var lines = new AccessLines();
                var harness = start(l -> {}, "10.0.0.0/8")) {
            assertThat(logged(harness, lines, "X-Forwarded-For: 203.0.113.7")).isEqualTo("127.0.0.1");
            assertThat(logged(harness, lines, "Forwarded: for=203.0.113.7")).isEqualTo("127.0.0.1");
        }
    }

    @ParameterizedTest
    @CsvSource({
        "/v1/chat/completions, \"type\":\"rate_limit_error\"",
        "/v1/responses, \"code\":\"too_many_streams\"",
        "/v1/messages, \"type\":\"rate_limit_error\"",
        "/v1beta/models/m:streamGenerateContent?alt=sse, \"status\":\"RESOURCE_EXHAUSTED\"",
    })
    void anAddressGets429InItsDialectOverItsLimitAndIsServedAgainBelowIt(String path, String expected)
            throws IOException {
        try (var harness = start(l -> l.streamsPerAddress = 2, "127.0.0.0/8")) {
            hold(harness, "203.0.113.7");
            hold(harness, "203.0.113.7");
            RawClient.Response refused = ask(harness, path, "203.0.113.7");
            assertThat(refused.status()).isEqualTo(429);
            assertThat(refused.header("retry-after")).isEqualTo("1");
            assertThat(refused.text()).contains(expected);
            assertThat(ask(harness, path, "203.0.113.8").status()).isEqualTo(200);
            held.get(0).close();
            await().until(() -> ask(harness, path, "203.0.113.7").status() == 200);
        }
    }

    @Test
    void anIpv6NetworkIsOneAddress() throws IOException {
        try (var harness = start(l -> l.streamsPerAddress = 1, "127.0.0.0/8")) {
            hold(harness, "2001:db8:0:1::1");
            assertThat(ask(harness, CHAT, "2001:db8:0:1:9::2").status()).isEqualTo(429);
            assertThat(ask(harness, CHAT, "2001:db8:0:2::1").status()).isEqualTo(200);
        }
    }

    @Test
    void privateAddressesHaveNoLimit() throws IOException {
        try (var harness = start(l -> l.streamsPerAddress = 1, "127.0.0.0/8")) {
            for (String address : List.of("192.168.1.1", "fd00::1", "127.0.0.1")) {
                hold(harness, address);
                assertThat(ask(harness, CHAT, address).status()).isEqualTo(200);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "tokens=2",
                "tokens=2,status=500",
                "tokens=3,end_after=1",
                "tokens=3,reset_after=1",
                "status=404",
                "tokens=2,gzip=1"
            })
    void aPlaceIsGivenBackHoweverTheStreamEnds(String spec) throws IOException {
        try (var harness = start(l -> l.streamsPerAddress = 1, "127.0.0.0/8")) {
            for (int i = 0; i < 3; i++) {
                RawClient.Response response = ask(harness, RelayHarness.withSpec(CHAT, spec), "203.0.113.7");
                assertThat(response.status()).isNotEqualTo(429);
                await().until(() -> harness.relay.metrics().activeExchanges() == 0);
            }
        }
    }

    @Test
    void theProcessServesAsManyStreamsAsItMay() throws IOException {
        try (var harness = start(l -> l.streams = 2, "127.0.0.0/8")) {
            hold(harness, "203.0.113.7");
            hold(harness, "203.0.113.8");
            RawClient.Response refused = ask(harness, CHAT, "203.0.113.9");
            assertThat(refused.status()).isEqualTo(503);
            assertThat(refused.header("retry-after")).isEqualTo("1");
            assertThat(refused.text()).contains("\"code\":\"relay_overloaded\"");
            try (var client = harness.client()) {
                client.send("GET", "/healthz", "");
                assertThat(client.readAll().status()).isEqualTo(200);
            }
            held.get(0).close();
            await().until(() -> ask(harness, CHAT, "203.0.113.9").status() == 200);
        }
    }

    @AfterEach
    void leave() throws IOException {
        for (RawClient client : held) {
            client.close();
        }
    }

    private static RelayHarness start(Consumer<Limits.Builder> limits, String proxies) {
        return RelayHarness.start(config -> config.with(c -> {
            c.limits = config.limits().with(limits);
            c.trustedProxies = AddressSet.of(proxies);
            c.accessLog = new AccessLog(AccessLog.Format.JSON, null);
        }));
    }

    private static String logged(RelayHarness harness, AccessLines lines, String... headers) throws IOException {
        try (var client = harness.client()) {
            client.send("GET", "/v1/models", "", headers);
            client.readAll();
        }
        return lines.next().get("client_ip").asText();
    }

    private RawClient hold(RelayHarness harness, String address) throws IOException {
        var client = harness.client();
        held.add(client);
        client.send("POST", HELD, "{\"stream\":true}", "X-Forwarded-For: " + address);
        client.readUntil("data: ");
        return client;
    }

    private static RawClient.Response ask(RelayHarness harness, String path, String address) throws IOException {
        try (var client = harness.client()) {
            client.send("POST", path, "{\"model\":\"m\",\"stream\":true}", "X-Forwarded-For: " + address);
            return client.readAll();
        }
    }
}
