package io.millrace.it.edge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.millrace.server.RelayServer;
import io.millrace.server.config.RelayConfig;
import io.millrace.server.config.RelayConfig.AccessLog;
import io.millrace.server.config.Route.Heartbeat;
import io.millrace.server.mock.MockConfig;
import io.millrace.server.mock.MockServer;
import io.millrace.server.test.RawClient;
import io.millrace.server.test.RelayHarness;
import java.io.IOException;
import java.net.URI;
import java.time.Duration;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Proxies on either side of the relay that cut a connection which is silent for too long. They are real, with limits
 * of one second in place of 50 or 60. The upstream of each stream is silent for {@value #SILENCE_MS} ms between two
 * tokens.
 */
@Tag("time")
class IdleLimitTest {
    private static final Duration LIMIT = Duration.ofSeconds(1);
    private static final Heartbeat FREQUENT = Heartbeat.DEFAULT.with(h -> h.interval = Duration.ofMillis(200));
    private static final int SILENCE_MS = 2500;
    private static final String PATH = "/v1/chat/completions";
    private static final String SILENT = "tokens=2,gap_ms=" + SILENCE_MS;

    /** Without the header, nginx keeps the token until it cuts the connection, and then drops it. */
    private static final String UNBUFFERED = SILENT + ",headers=X-Accel-Buffering:no";

    /** The proxies, with a short limit. */
    enum Proxy {
        NGINX,
        HAPROXY;

        Intermediary before(int port) throws IOException {
            return this == NGINX ? Intermediary.nginx(port, LIMIT) : Intermediary.haproxy(port, LIMIT);
        }
    }

    /** The first stream of a new process may take longer than the limit. */
    @BeforeAll
    static void warmUp() throws IOException {
        try (var harness = RelayHarness.start()) {
            assertThat(stream(harness.port(), "tokens=2").intact()).isTrue();
        }
    }

    @ParameterizedTest
    @EnumSource(Proxy.class)
    void aStreamBehindAProxySurvivesItsSilenceByHeartbeats(Proxy proxy) throws IOException {
        try (var harness = RelayHarness.start(config -> RelayHarness.withHeartbeat(config, FREQUENT));
                var edge = proxy.before(harness.port())) {
            var arrivals = stream(edge.port(), SILENT);

            assertThat(arrivals.intact()).isTrue();
            assertThat(arrivals.tokenGapsMs()).hasSize(1);
            assertThat(arrivals.tokenGapsMs()[0]).isGreaterThan(0.9 * SILENCE_MS);
            assertThat(arrivals.text()).contains(": ping\n\n: ping\n\n").endsWith("data: [DONE]\n\n");
        }
    }

    /** The control: without heartbeats the proxy cuts the stream, and the relay cancels its upstream. */
    @ParameterizedTest
    @EnumSource(Proxy.class)
    void aStreamBehindAProxyIsCutWithoutHeartbeats(Proxy proxy) throws IOException {
        try (var harness = RelayHarness.start(config -> RelayHarness.withHeartbeat(config, Heartbeat.OFF));
                var edge = proxy.before(harness.port())) {
            var arrivals = stream(edge.port(), SILENT);

            assertThat(arrivals.intact()).isFalse();
            assertThat(arrivals.tokenGapsMs()).isEmpty();
            await().until(() -> harness.mock.stats().streamsAborted() == 1);
            await().until(() -> harness.relay.metrics().activeExchanges() == 0);
        }
    }

    @ParameterizedTest
    @EnumSource(Proxy.class)
    void aProxyBetweenRelayAndUpstreamThatCutsIsToldOf(Proxy proxy) throws IOException {
        try (var mock = MockServer.start(MockConfig.defaults());
                var edge = proxy.before(mock.port());
                var relay = RelayServer.start(RelayHarness.withHeartbeat(
                        RelayConfig.relayTo(URI.create("http://127.0.0.1:" + edge.port()))
                                .with(c -> c.accessLog = AccessLog.OFF),
                        FREQUENT))) {
            var arrivals = stream(relay.addresses().get(0).getPort(), UNBUFFERED);

            assertThat(arrivals.intact()).isTrue();
            assertThat(arrivals.frames().stream().filter(Arrivals.Frame::isToken))
                    .hasSize(1);
            String last = arrivals.frames().get(arrivals.frames().size() - 1).text();
            assertThat(last).contains("\"code\":\"upstream_truncated\"").contains(" after 1 output frames, ");
            assertThat(arrivals.text()).doesNotContain("[DONE]").doesNotContain("finish_reason\":\"");
            await().until(() -> relay.metrics().activeExchanges() == 0);
        }
    }

    private static Arrivals stream(int port, String spec) throws IOException {
        try (var client = new RawClient(port)) {
            client.post(RelayHarness.withSpec(PATH, spec), "mock", "");
            return Arrivals.read(client);
        }
    }
}
