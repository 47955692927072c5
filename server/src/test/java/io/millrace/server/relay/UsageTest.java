package io.millrace.server.relay;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.millrace.server.config.Route;
import io.millrace.server.config.Route.Disconnect;
import io.millrace.server.test.RawClient;
import io.millrace.server.test.RelayHarness;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Usage that is requested for a client, hidden from a client that did not ask for it, and read after the client has
 * closed.
 */
@Tag("sockets")
@Tag("h2")
class UsageTest {
    private static final String TURNS = "\"messages\":[{\"role\":\"user\",\"content\":\"Hello\"}]";

    @Test
    void asksForUsageAndKeepsItFromAClientWhoDidNot() throws IOException {
        try (var harness = start(route -> route.with(r -> r.includeUsage = true));
                var client = harness.client()) {
            String body = "{\"model\":\"mock:tokens=5\",\"stream\":true," + TURNS + "}";
            client.send("POST", Api.CHAT.path, body);
            var response = client.readAll();
            assertThat(response.text()).doesNotContain("\"prompt_tokens\"").endsWith("data: [DONE]\n\n");
            client.send("POST", Api.CHAT.path, body.replace("{\"model", "{\"stream_options\":{},\"model"));
            assertThat(client.readAll().frames()).hasSameSizeAs(response.frames());
            assertThat(harness.mock.requests())
                    .extracting(request -> new String(request.body(), StandardCharsets.UTF_8))
                    .containsExactly(
                            body.replace("{\"model", "{\"stream_options\":{\"include_usage\":true},\"model"),
                            body.replace("{\"model", "{\"stream_options\":{\"include_usage\":true},\"model"));
            await().until(() -> harness.relay.metrics().streamsByUsage("exact") == 2);
            assertThat(metrics(client)).contains("direction=\"output\",model=\"mock:tokens=5\"} 10");
        }
    }

    @Test
    void leavesAClientWhoAsksAlone() throws IOException {
        try (var harness = start(route ->
                        RelayHarness.withRewriteModel(route.with(r -> r.includeUsage = true), "mock:tokens=4"));
                var client = harness.client()) {
            client.send(
                    "POST",
                    Api.CHAT.path,
                    "{\"stream_options\":{\"include_usage\":true},\"model\":\"m\",\"stream\":true," + TURNS + "}");
            assertThat(client.readAll().text()).contains("\"completion_tokens\":4");
        }
    }

    @Test
    void addsUsageBesideAnotherModel() throws IOException {
        try (var harness = start(route ->
                        RelayHarness.withRewriteModel(route.with(r -> r.includeUsage = true), "mock:tokens=4"));
                var client = harness.client()) {
            for (String[] sides : new String[][] {
                {"{\"model\":\"m\",\"stream\":true,\"stream_options\":null,", "null"},
                {"{\"stream\":true,\"stream_options\":{\"include_usage\":false},\"model\":\"a longer one\",", "false"}
            }) {
                client.send("POST", Api.CHAT.path, sides[0] + TURNS + "}");
                assertThat(client.readAll().text()).doesNotContain("\"prompt_tokens\"");
                String sent = new String(
                        harness.mock
                                .requests()
                                .get(harness.mock.requests().size() - 1)
                                .body(),
                        StandardCharsets.UTF_8);
                String asking = sides[1].equals("null") ? "{\"include_usage\":true}" : "true";
                assertThat(sent)
                        .isEqualTo(sides[0].replace(sides[1], asking)
                                        .replaceFirst("\"model\":\"[^\"]*\"", "\"model\":\"mock:tokens=4\"")
                                + TURNS
                                + "}");
            }
        }
    }

    @ParameterizedTest
    @CsvSource({"false", "true"})
    void leavesOtherRequestsAsTheyAre(boolean stream) throws IOException {
        try (var harness = start(route -> route.with(r -> r.includeUsage = true));
                var client = harness.client()) {
            String path = stream ? Api.RESPONSES.path : Api.CHAT.path;
            String body = "{\"model\":\"mock:tokens=2\",\"stream\":" + stream + ",\"input\":\"a\"," + TURNS + "}";
            client.send("POST", path, body);
            assertThat(client.readAll().status()).isEqualTo(200);
            assertThat(new String(harness.mock.requests().get(0).body(), StandardCharsets.UTF_8))
                    .isEqualTo(body);
        }
    }

    @ParameterizedTest
    @EnumSource
    void readsOnForTheUsageWhenTheClientHasLeft(Api api) throws IOException {
        try (var harness =
                start(route -> route.with(r -> r.includeUsage = true).with(r -> r.disconnect = Disconnect.READ_ON))) {
            leave(harness, api.path, "tokens=30,gap_ms=20");
            await().until(() -> harness.relay.metrics().activeExchanges() == 0);
            assertThat(harness.relay.metrics().streamsByUsage("exact")).isEqualTo(1);
            assertThat(harness.relay.metrics().exchanges("client_gone")).isEqualTo(1);
            assertThat(harness.mock.stats().streamsAborted()).isZero();
            try (var client = harness.client()) {
                assertThat(metrics(client)).contains("direction=\"output\",model=\"m\"} 30");
            }
        }
    }

    @Test
    void marksTheUsageOfACancelledStreamAsPartial() throws IOException {
        try (var harness = start(route -> route)) {
            leave(harness, Api.MESSAGES.path, "tokens=9,stall_after=2");
            await().until(() -> harness.relay.metrics().activeExchanges() == 0);
            assertThat(harness.relay.metrics().streamsByUsage("partial")).isEqualTo(1);
        }
    }

    @ParameterizedTest
    @CsvSource({
        "'tokens=400,gap_ms=5', 4, 60000",
        "'tokens=9,stall_after=2', 10000, 200",
        "'tokens=9,linger=1', 9999, 60000"
    })
    void readsOnWithinItsBounds(String spec, int maxFrames, int maxMs) throws IOException {
        var bounds =
                Disconnect.READ_ON.with(d -> d.maxFrames = maxFrames).with(d -> d.maxTime = Duration.ofMillis(maxMs));
        try (var harness = start(route -> route.with(r -> r.disconnect = bounds))) {
            leave(harness, Api.RESPONSES.path, spec);
            await().until(() -> harness.mock.requests().get(0).closedByPeerNs() != 0);
            await().until(() -> harness.relay.metrics().activeExchanges() == 0);
        }
    }

    @Test
    void endsWhatIsReadOnWithTheRelay() throws IOException {
        try (var harness = start(route -> route.with(r -> r.disconnect = Disconnect.READ_ON))) {
            leave(harness, Api.CHAT.path, "tokens=9,stall_after=2");
            await().until(() -> harness.relay.metrics().openConnections() == 0);
            assertThat(harness.relay.metrics().activeExchanges()).isEqualTo(1);
            harness.relay.close();
            await().until(() -> harness.mock.requests().get(0).closedByPeerNs() != 0);
        }
    }

    private static void leave(RelayHarness harness, String path, String spec) throws IOException {
        try (var client = harness.client()) {
            client.post(RelayHarness.withSpec(path, spec), "m", "");
            client.readUntil("data:");
        }
    }

    private static String metrics(RawClient client) throws IOException {
        client.send("GET", "/metrics", "");
        return client.readAll().text();
    }

    private static RelayHarness start(UnaryOperator<Route> change) {
        return RelayHarness.start(config -> config.with(
                c -> c.routes = List.copyOf(config.routes().stream().map(change).toList())));
    }
}
