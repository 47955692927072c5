package io.millrace.server.relay;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.millrace.server.config.ListenAddress;
import io.millrace.server.config.Listener;
import io.millrace.server.config.Listener.Served;
import io.millrace.server.test.RawClient;
import io.millrace.server.test.RelayHarness;
import java.io.IOException;
import java.util.EnumSet;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** {@code GET /millrace/live}: who sees the streams in progress, what they see, and how they stop one. */
@Tag("sockets")
class LiveTest {
    private static final JsonMapper JSON = new JsonMapper();

    @Tag("h2")
    @ParameterizedTest
    @EnumSource
    void showsAStreamAndStopsItWithAnError(Api api) throws IOException {
        try (var harness = RelayHarness.start();
                var client = harness.client();
                var watcher = harness.client();
                var other = harness.client()) {
            client.post(RelayHarness.withSpec(api.path, "tokens=9,stall_after=3,stamp=1"), "some-model", "");
            client.readUntil("@2@");
            JsonNode row = firstRow(watcher);
            assertThat(row.path("state").asText()).isEqualTo("streaming");
            assertThat(row.path("upstream").asText()).isEqualTo("default");
            assertThat(row.path("path").asText()).isEqualTo(api.path.replaceFirst("\\?.*", ""));
            assertThat(row.path("frames").asInt()).isGreaterThanOrEqualTo(3);
            assertThat(row.path("ttft").asInt()).isNotNegative();

            String id = row.path("id").asText();
            assertThat(stop(other, id)).startsWith("HTTP/1.1 204 ");
            String rest = client.readUntil("\r\n0\r\n\r\n");
            assertThat(rest).contains("relay_stopped", "An operator of the relay stopped this request");
            await().until(() -> harness.mock.requests().get(0).closedByPeerNs() != 0);
            await().until(() -> harness.relay.metrics().exchanges("stopped") == 1);
            assertThat(stop(other, id)).as("it is over").startsWith("HTTP/1.1 404 ");
            assertThat(watcher.readUntil("\"gone\":[\"" + id + "\"]")).contains("\"total\":0");
        }
    }

    /** Its client has nothing yet, so the stop is an answer. */
    @Test
    void stopsARequestBeforeItsFirstOutput() throws IOException {
        try (var harness = RelayHarness.start();
                var client = harness.client();
                var watcher = harness.client();
                var other = harness.client()) {
            client.post(RelayHarness.withSpec(Api.CHAT.path, "ttft_ms=60000"), "m", "");
            JsonNode row = firstRow(watcher);
            assertThat(row.path("ttft").isMissingNode()).isTrue();
            stop(other, row.path("id").asText());
            RawClient.Response refused = client.readAll();
            assertThat(refused.status()).isEqualTo(503);
            assertThat(refused.text()).contains("relay_stopped");
        }
    }

    @Test
    void tellsAWaitBeforeARetry() throws IOException {
        try (var harness = RelayHarness.start();
                var client = harness.client()) {
            client.post(RelayHarness.withSpec(Api.CHAT.path, "status=503,retry_after=9"), "m", "");
            await().untilAsserted(() -> {
                try (var watcher = harness.client()) {
                    assertThat(firstRow(watcher).path("state").asText()).isEqualTo("retrying");
                }
            });
        }
    }

    @Tag("h1")
    @ParameterizedTest
    @CsvSource({
        "localhost:8080, '', 200",
        "127.0.0.1, '', 200",
        "[::1]:8080, '', 200",
        "evil.example, '', 403",
        "localhost:8080, 'Origin: https://evil.example', 403",
        "localhost:8080, 'Origin: http://localhost:8080', 200",
        "localhost:8080, 'Origin: http://localhost:9999', 403",
        "localhost:8080, 'Sec-Fetch-Site: cross-site', 403",
        "localhost:8080, 'Sec-Fetch-Site: same-origin', 200",
        "localhost, 'X-Forwarded-For: 192.0.2.1', 403",
    })
    void isForTheRelaysOwnPageOnly(String host, String field, int status) throws IOException {
        try (var harness = RelayHarness.start()) {
            for (String line : List.of("GET /millrace/live", "DELETE /millrace/live/mr-1")) {
                try (var client = harness.client()) {
                    String more = field.isEmpty() ? "" : field + "\r\n";
                    client.sendRaw(line + " HTTP/1.1\r\nHost: " + host + "\r\n" + more + "\r\n");
                    int expected = status == 200 && line.startsWith("DELETE") ? 404 : status;
                    assertThat(client.readHead()).as(line).startsWith("HTTP/1.1 " + expected + " ");
                }
            }
        }
    }

    @Test
    void isNotForThoseWhoReachTheRelayFromElsewhere() throws IOException {
        var open = Listener.at(ListenAddress.parse("0.0.0.0:0"));
        var admin = Listener.at(ListenAddress.parse("0.0.0.0:0"))
                .with(l -> l.serves = EnumSet.of(Served.HEALTH, Served.METRICS, Served.PAGE));
        var bare = admin.with(l -> l.serves = EnumSet.of(Served.METRICS));
        try (var harness = RelayHarness.start(config -> config.with(c -> c.listeners = List.of(open, admin, bare)))) {
            int[] expected = {403, 200, 404};
            for (int i = 0; i < expected.length; i++) {
                try (var client = new RawClient(harness.relay.addresses().get(i).getPort())) {
                    client.sendRaw("GET /millrace/live HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
                    assertThat(client.readHead()).startsWith("HTTP/1.1 " + expected[i] + " ");
                }
            }
        }
    }

    private static JsonNode firstRow(RawClient watcher) throws IOException {
        watcher.sendRaw("GET /millrace/live HTTP/1.1\r\nHost: localhost\r\n\r\n");
        String told = watcher.readUntil("\"gone\":[]}\n\n");
        assertThat(told).contains("event: streams\n");
        String data = told.substring(told.indexOf("data: ") + 6, told.indexOf("\n\n", told.indexOf("data: ")));
        return JSON.readTree(data).path("rows").get(0);
    }

    /** The head of the answer. */
    private static String stop(RawClient client, String id) throws IOException {
        client.sendRaw("DELETE /millrace/live/" + id + " HTTP/1.1\r\nHost: localhost\r\n\r\n");
        return client.readHead();
    }
}
