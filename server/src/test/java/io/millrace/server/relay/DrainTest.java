package io.millrace.server.relay;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.millrace.server.config.Timeouts;
import io.millrace.server.test.RawClient;
import io.millrace.server.test.RelayHarness;
import java.io.IOException;
import java.net.ConnectException;
import java.time.Duration;
import java.util.EnumMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.Test;

/** A relay that is told to stop: nothing new, what runs may end, and what does not is told why. */
class DrainTest {
    @Test
    void letsStreamsEndAndTakesNothingNew() throws Exception {
        // One event loop reads what came first first.
        try (var harness = RelayHarness.start(config -> config.withEventLoops(1));
                var streaming = harness.client();
                var idle = harness.client();
                var half = harness.client()) {
            streaming.post(RelayHarness.withSpec(Api.CHAT.path, "tokens=20,gap_ms=60"), "m", "");
            String head = streaming.readHead();
            idle.send("GET", "/readyz", "");
            assertThat(idle.readAll().status()).isEqualTo(200);
            half.sendRaw("GET /readyz HTTP/1.1\r\nHost: x\r\n");
            // The half head must have been read before the drain begins: it came before this.
            idle.send("GET", "/healthz", "");
            assertThat(idle.readAll().text()).isEqualTo("ok\n");

            CompletableFuture<Void> drained = harness.relay.drain();
            assertThat(idle.read()).isNegative();
            assertThat(drained).isNotDone();
            await().atMost(Duration.ofSeconds(1))
                    .untilAsserted(() ->
                            assertThatThrownBy(() -> harness.client().close()).isInstanceOf(ConnectException.class));
            half.sendRaw("\r\n");
            assertThat(half.readAll().status()).isEqualTo(503);
            assertThat(half.read()).isNegative();
            RawClient.Response response = streaming.readBody(head);
            assertThat(response.text()).endsWith("data: [DONE]\n\n");
            assertThat(response.end()).isEqualTo(RawClient.End.COMPLETE);
            assertThat(streaming.read()).isNegative();
            drained.get(5, TimeUnit.SECONDS);
            assertThat(harness.relay.drain()).isSameAs(drained);
        }
    }

    @Test
    void tellsTheRestWhyTheyEndAtTheLimit() throws Exception {
        Timeouts timeouts = Timeouts.DEFAULT.withDrain(Duration.ofMillis(200));
        try (var harness =
                RelayHarness.start(config -> config.withTimeouts(timeouts).withEventLoops(2))) {
            Map<Api, RawClient> clients = new EnumMap<>(Api.class);
            for (Api api : Api.values()) {
                RawClient client = harness.client();
                clients.put(api, client);
                client.post(RelayHarness.withSpec(api.path, "tokens=9,stall_after=2"), "m", "");
                client.readUntil("200 OK\r\n");
            }
            var silent = harness.client();
            silent.post(RelayHarness.withSpec(Api.MESSAGES.path, "stall_head=1"), "m", "");
            await().until(() -> harness.mock.stats().activeStreams() == 5);
            CompletableFuture<Void> drained = harness.relay.drain();
            for (var entry : clients.entrySet()) {
                assertToldOfDrain(entry.getKey(), entry.getValue());
            }
            RawClient.Response refused = silent.readAll();
            assertThat(refused.status()).isEqualTo(503);
            assertThat(Api.MESSAGES.refusalOf(refused.text()).message()).contains("shutting down");
            silent.close();
            drained.get(5, TimeUnit.SECONDS);
            await().until(() -> harness.mock.stats().openConnections() == 0);
            assertThat(harness.relay.metrics().exchanges("drained")).isEqualTo(4);
            assertThat(harness.relay.metrics().openConnections()).isZero();
        }
    }

    @Test
    void isOverAtOnceWhenNothingRuns() throws Exception {
        try (var harness = RelayHarness.start()) {
            harness.relay.drain().get(5, TimeUnit.SECONDS);
        }
    }

    /** Whatever its event loops are at when they are told. */
    @RepeatedTest(20)
    void endsWhatRunsWhenItIsClosed() throws IOException {
        try (var harness = RelayHarness.start(config -> config.withEventLoops(2));
                var client = harness.client()) {
            client.sendRaw("POST /v1/files HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\npart");
            await().until(() -> harness.relay.metrics().activeExchanges() == 1);
            harness.relay.close();
            assertThat(harness.relay.metrics().activeExchanges()).isZero();
            assertThat(harness.relay.metrics().openConnections()).isZero();
            assertThat(harness.relay.metrics().exchanges("client_gone")).isEqualTo(1);
        }
    }

    private static void assertToldOfDrain(Api api, RawClient client) throws IOException {
        try (client) {
            RawClient.Response response = client.readBody(client.readHead());
            assertThat(response.end()).isEqualTo(RawClient.End.COMPLETE);
            var frames = response.frames();
            String last = new String(frames.get(frames.size() - 1), java.nio.charset.StandardCharsets.UTF_8);
            assertThat(api.failureOf(last).code()).isEqualTo("relay_draining");
        }
    }
}
