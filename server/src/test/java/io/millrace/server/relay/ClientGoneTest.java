package io.millrace.server.relay;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.millrace.server.mock.MockRequest;
import io.millrace.server.test.RawClient;
import io.millrace.server.test.RelayHarness;
import io.millrace.server.transport.Transport;
import java.io.IOException;
import java.net.SocketException;
import java.time.Duration;
import java.util.Arrays;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** A client that closes: its upstream is closed at once, in any phase of the stream. */
@Tag("sockets")
@Tag("h2")
class ClientGoneTest {
    private static final int TRIES = 200;
    private static final Duration WORST = Duration.ofMillis(200);
    private static final Duration MEDIAN = Duration.ofMillis(2);

    @Tag("time")
    @ParameterizedTest
    @MethodSource("io.millrace.server.test.RelayHarness#transports")
    void closesTheUpstreamAtOnce(Transport transport) throws IOException {
        try (var harness = RelayHarness.start(config -> config.with(c -> c.transport = transport))) {
            var nanos = new long[TRIES];
            for (int i = 0; i < TRIES; i++) {
                boolean beforeFirstToken = i % 2 == 0;
                boolean reset = i % 4 < 2;
                nanos[i] = leave(harness, i, beforeFirstToken, reset);
            }
            Arrays.sort(nanos);
            assertThat(nanos[TRIES / 2]).isLessThan(MEDIAN.toNanos());
            assertThat(nanos[TRIES - 1]).isLessThan(WORST.toNanos());
            await().until(() -> harness.relay.metrics().activeExchanges() == 0);
            assertThat(harness.relay.metrics().exchanges("client_gone")).isEqualTo(TRIES);
            await().until(() -> harness.relay.metrics().openConnections() == 0);
        }
    }

    @ParameterizedTest
    @MethodSource("io.millrace.server.test.RelayHarness#transports")
    void countsAStreamAsCompletedOnceItsTerminalIsOut(Transport transport) throws IOException {
        try (var harness = RelayHarness.start(config -> config.with(c -> c.transport = transport))) {
            try (var client = harness.client()) {
                client.post(RelayHarness.withSpec(Api.RESPONSES.path, "tokens=3,linger=1"), "m", "");
                assertThat(client.readUntil("event: response.completed")).contains("200 OK");
            }
            await().until(() -> harness.relay.metrics().activeExchanges() == 0);
            assertThat(harness.relay.metrics().exchanges("completed")).isEqualTo(1);
        }
    }

    @Tag("h1") // pipelined
    @ParameterizedTest
    @MethodSource("io.millrace.server.test.RelayHarness#transports")
    void closesAClientThatSendsTooMuchAhead(Transport transport) throws IOException {
        try (var harness = RelayHarness.start(config -> config.with(c -> c.transport = transport));
                var client = harness.client()) {
            client.post(RelayHarness.withSpec(Api.CHAT.path, "ttft_ms=60000"), "m", "");
            await().until(() -> harness.mock.stats().activeStreams() == 1);
            sendUntilClosed(client, "x".repeat(200_000));
            await().until(() -> harness.mock.stats().activeStreams() == 0);
            assertThat(harness.relay.metrics().exchanges("client_gone")).isEqualTo(1);
        }
    }

    private static void sendUntilClosed(RawClient client, String text) throws IOException {
        try {
            client.sendRaw(text);
        } catch (SocketException e) {
            // Closed by the relay before all of it was sent, which is what it should do.
            assertThat(e).hasMessageMatching("Connection reset.*|Broken pipe.*");
        }
    }

    private static long leave(RelayHarness harness, int before, boolean beforeFirstToken, boolean reset)
            throws IOException {
        RawClient client = harness.client();
        String spec = beforeFirstToken ? "ttft_ms=60000" : "tokens=9,stall_after=2";
        client.post(RelayHarness.withSpec(Api.CHAT.path, spec), "m", "");
        await().pollInterval(Duration.ofMillis(1))
                .until(() -> harness.mock.requests().size() > before);
        if (!beforeFirstToken) {
            client.readHead();
        }
        MockRequest request = harness.mock.requests().get(before);
        long leftNs = System.nanoTime();
        if (reset) {
            client.reset();
        } else {
            client.close();
        }
        await().pollInterval(Duration.ofMillis(1))
                .atMost(10, TimeUnit.SECONDS)
                .until(() -> request.closedByPeerNs() != 0);
        return request.closedByPeerNs() - leftNs;
    }
}
