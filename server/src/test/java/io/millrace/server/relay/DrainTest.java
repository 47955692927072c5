package io.millrace.server.relay;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.millrace.server.EventLoopHold;
import io.millrace.server.config.Timeouts;
import io.millrace.server.test.RawClient;
import io.millrace.server.test.RelayHarness;
import io.millrace.server.transport.Transport;
import java.io.IOException;
import java.net.ConnectException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * A relay that is told to stop. It accepts nothing new, requests in progress may end, and the others end with an error
 * that gives the reason.
 */
@Tag("sockets")
@Tag("h2")
class DrainTest {
    @Test
    void letsStreamsEndAndTakesNothingNew() throws Exception {
        // One event loop reads what came first first.
        try (var harness = RelayHarness.start(config -> config.with(c -> c.eventLoops = 1));
                var streaming = harness.client();
                var idle = harness.client();
                var half = harness.client()) {
            streaming.post(RelayHarness.withSpec(Api.CHAT.path, "tokens=20,gap_ms=100"), "m", "");
            String head = streaming.readHead();
            idle.send("GET", "/readyz", "");
            assertThat(idle.readAll().status()).isEqualTo(200);
            half.sendRaw("GET /readyz HTTP/1.1\r\nHost: x\r\n");
            // The half head must have been read before the drain begins: it came before this.
            idle.send("GET", "/healthz", "");
            assertThat(idle.readAll().text()).isEqualTo("ok\n");

            CompletableFuture<Void> drained = harness.relay.drain();
            assertThat(idle.read()).isNegative();
            await().untilAsserted(() ->
                    assertThatThrownBy(() -> harness.client().close()).isInstanceOf(ConnectException.class));
            assertThat(drained).isNotDone();
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

    @Tag("h1") // the field Connection; Http2Test has the GOAWAY
    @Test
    void servesForAWhileAndSaysThatItIsNotReady() throws Exception {
        Timeouts timeouts = Timeouts.DEFAULT.with(t -> t.shutdownDelay = Duration.ofMinutes(1));
        try (var harness = RelayHarness.start(config -> RelayHarness.withTimeouts(config, timeouts));
                var kept = harness.client()) {
            kept.send("GET", "/echo", "");
            assertThat(kept.readAll().header("connection")).isNull();

            CompletableFuture<Void> drained = harness.relay.drain();
            for (String path : List.of("/readyz", "/echo")) {
                try (var client = harness.client()) {
                    client.send("GET", path, "");
                    RawClient.Response response = client.readAll();
                    assertThat(response.status()).isEqualTo(path.equals("/readyz") ? 503 : 200);
                    assertThat(response.header("connection")).isEqualTo("close");
                    assertThat(client.read()).isNegative();
                }
            }
            kept.send("GET", "/echo", "");
            RawClient.Response last = kept.readAll();
            assertThat(last.status()).isEqualTo(200);
            assertThat(last.header("connection")).isEqualTo("close");
            assertThat(harness.stream(Api.CHAT.path, "tokens=2").text()).endsWith("data: [DONE]\n\n");
            assertThat(drained).isNotDone();
        }
    }

    @Tag("h1") // the field Connection; Http2Test has the GOAWAY
    @Test
    void makesTheNextResponseTheLastOfAConnectionThatMayHaveAnyNumber() throws Exception {
        Timeouts timeouts = Timeouts.DEFAULT.with(t -> t.shutdownDelay = Duration.ofMinutes(1));
        try (var harness = RelayHarness.start(config -> RelayHarness.withTimeouts(config, timeouts)
                        .with(c -> c.limits = config.limits().with(l -> l.requestsPerConnection = Integer.MAX_VALUE)));
                var kept = harness.client()) {
            kept.send("GET", "/echo", "");
            assertThat(kept.readAll().header("connection")).isNull();
            harness.relay.drain();
            await().untilAsserted(() -> {
                try (var client = harness.client()) {
                    client.send("GET", "/readyz", "");
                    assertThat(client.readAll().header("connection")).isEqualTo("close");
                }
            });
            kept.send("GET", "/echo", "");
            assertThat(kept.readAll().header("connection")).isEqualTo("close");
            assertThat(kept.read()).isNegative();
        }
    }

    @Test
    void stopsListeningWhenTheDelayIsOver() throws Exception {
        Timeouts timeouts = Timeouts.DEFAULT.with(t -> t.shutdownDelay = Duration.ofMillis(300));
        try (var harness = RelayHarness.start(config -> RelayHarness.withTimeouts(config, timeouts));
                var idle = harness.client()) {
            idle.send("GET", "/readyz", "");
            assertThat(idle.readAll().status()).isEqualTo(200);
            CompletableFuture<Void> drained = harness.relay.drain();
            harness.client().close();
            assertThat(idle.read()).isNegative();
            drained.get(5, TimeUnit.SECONDS);
            assertThatThrownBy(() -> harness.client().close()).isInstanceOf(ConnectException.class);
        }
    }

    @Tag("h1") // a client of HTTP/2 waits for the SETTINGS of the relay
    @Test
    void servesThoseWhoWaitAtTheListener() throws Exception {
        for (Transport transport : RelayHarness.transports()) {
            try (var harness = RelayHarness.start(
                    config -> config.with(c -> c.transport = transport).with(c -> c.eventLoops = 2))) {
                EventLoopHold hold = EventLoopHold.on(harness.relay);
                var clients = new ArrayList<RawClient>();
                CompletableFuture<Void> drained;
                try {
                    drained = harness.relay.drain();
                    for (int i = 0; i < 20; i++) {
                        RawClient client = harness.client();
                        client.send("GET", "/echo", "");
                        clients.add(client);
                    }
                } finally {
                    hold.release();
                }
                for (RawClient client : clients) {
                    RawClient.Response response = client.readAll();
                    assertThat(response.status()).as(transport.toString()).isEqualTo(200);
                    assertThat(response.header("connection")).isEqualTo("close");
                    client.close();
                }
                drained.get(5, TimeUnit.SECONDS);
            }
        }
    }

    @Test
    void waitsOnlyASecondForAConnectionWithoutARequest() throws Exception {
        try (var harness = RelayHarness.start();
                var mute = harness.client()) {
            await().until(() -> harness.relay.metrics().openConnections() == 1);
            CompletableFuture<Void> drained = harness.relay.drain();
            assertThat(mute.read()).isNegative();
            drained.get(5, TimeUnit.SECONDS);
        }
    }

    @Test
    void tellsTheRestWhyTheyEndAtTheLimit() throws Exception {
        Timeouts timeouts = Timeouts.DEFAULT.with(t -> t.drain = Duration.ofMillis(200));
        try (var harness = RelayHarness.start(
                config -> RelayHarness.withTimeouts(config, timeouts).with(c -> c.eventLoops = 2))) {
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
        try (var harness = RelayHarness.start(config -> config.with(c -> c.eventLoops = 2));
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
