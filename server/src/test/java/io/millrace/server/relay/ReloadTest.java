package io.millrace.server.relay;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.millrace.server.config.ListenAddress.HostAndPort;
import io.millrace.server.config.ListenAddress.UnixPath;
import io.millrace.server.config.Listener;
import io.millrace.server.config.Match;
import io.millrace.server.config.RelayConfig;
import io.millrace.server.config.RelayConfig.AccessLog;
import io.millrace.server.config.Route;
import io.millrace.server.config.Route.Heartbeat;
import io.millrace.server.config.Telemetry.UsageLog;
import io.millrace.server.config.Upstream;
import io.millrace.server.mock.MockConfig;
import io.millrace.server.mock.MockServer;
import io.millrace.server.test.AccessLines;
import io.millrace.server.test.RawClient;
import io.millrace.server.test.RelayHarness;
import io.millrace.server.test.ScriptedUpstream;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("sockets")
@Tag("h2")
class ReloadTest {
    @Test
    void letsAStreamInProgressGoOnAndSendsTheNextRequestElsewhere() throws IOException {
        try (var harness = RelayHarness.start();
                var other = MockServer.start(MockConfig.defaults());
                var client = harness.client();
                var second = harness.client()) {
            client.post(RelayHarness.withSpec("/v1/chat/completions", "tokens=40,gap_ms=10"), "m", "");
            String head = client.readHead();
            harness.relay.reload(config(Upstream.of("other", other.uri())));
            second.send("GET", "/echo", "");
            assertThat(second.readAll().status()).isEqualTo(200);
            assertThat(other.requests()).hasSize(1);
            assertThat(harness.mock.requests()).hasSize(1);
            RawClient.Response stream = client.readBody(head);
            assertThat(stream.end()).isEqualTo(RawClient.End.COMPLETE);
            assertThat(stream.text()).endsWith("data: [DONE]\n\n");
        }
    }

    @Test
    void keepsTheConnectionsOfUpstreamsThatAreUnchanged() throws IOException {
        try (var harness = RelayHarness.start(config -> config.with(c -> c.eventLoops = 1));
                var other = MockServer.start(MockConfig.defaults());
                var client = harness.client()) {
            var same = Upstream.of("default", harness.mock.uri());
            get(client, "/echo");
            harness.relay.reload(config(same, Upstream.of("other", other.uri())));
            get(client, "/echo");
            assertThat(harness.mock.stats().connections()).isEqualTo(1);
        }
    }

    @Test
    void closesTheIdleConnectionsOfUpstreamsThatAreGone() throws IOException {
        try (var harness = RelayHarness.start();
                var other = MockServer.start(MockConfig.defaults());
                var client = harness.client()) {
            get(client, "/echo");
            assertThat(harness.mock.stats().openConnections()).isEqualTo(1);
            harness.relay.reload(config(Upstream.of("other", other.uri())));
            await().until(() -> harness.mock.stats().openConnections() == 0);
        }
    }

    @Test
    void closesTheBusyConnectionsOfUpstreamsThatAreGoneWhenTheyComeBack() throws IOException {
        try (var harness = RelayHarness.start();
                var other = MockServer.start(MockConfig.defaults());
                var client = harness.client()) {
            client.post(RelayHarness.withSpec("/v1/chat/completions", "tokens=10,gap_ms=10"), "m", "");
            String head = client.readHead();
            harness.relay.reload(config(Upstream.of("other", other.uri())));
            assertThat(client.readBody(head).text()).endsWith("data: [DONE]\n\n");
            await().until(() -> harness.mock.stats().openConnections() == 0);
        }
    }

    @Test
    void keepsNoConnectionOfARetryToAnUpstreamThatIsGone() throws Exception {
        var reloaded = new CountDownLatch(1);
        var closed = new CompletableFuture<Integer>();
        try (var gone = ScriptedUpstream.start(connection -> {
                    connection.readRequest();
                    if (connection.number() == 1) {
                        awaitUninterruptibly(reloaded);
                        connection.send("HTTP/1.1 503 Busy\r\nContent-Length: 2\r\n\r\n{}");
                        connection.read();
                    } else {
                        connection.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}");
                        closed.complete(connection.read());
                    }
                });
                var harness = RelayHarness.start(config -> RelayHarness.withRetry(
                        RelayConfig.relayTo(gone.uri()).with(c -> c.accessLog = config.accessLog()),
                        RelayHarness.QUICK));
                var client = harness.client()) {
            client.post("/v1/chat/completions", "m", "");
            await().until(() -> gone.requests().size() == 1);
            harness.relay.reload(config(Upstream.of("other", harness.mock.uri())));
            reloaded.countDown();
            assertThat(client.readAll().status()).isEqualTo(200);
            assertThat(gone.connections()).isEqualTo(2);
            assertThat(closed.get(5, TimeUnit.SECONDS)).isEqualTo(-1);
        }
    }

    private static void awaitUninterruptibly(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void keepsTheOldConfigurationIfTheNewOneCannotBeServed() throws IOException {
        try (var harness = RelayHarness.start();
                var client = harness.client()) {
            var broken = Upstream.of("tls", URI.create("https://127.0.0.1:1")).with(u -> u.ca = Path.of("missing.pem"));
            assertThatThrownBy(() -> harness.relay.reload(config(broken)))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("upstream tls");
            get(client, "/echo");
            assertThat(harness.mock.requests()).hasSize(1);
        }
    }

    @Tag("h1") // listeners that say nothing of their protocols
    @Test
    void saysWhatOnlyARestartTakesOver() throws IOException {
        try (var harness = RelayHarness.start(config -> config.with(c -> c.eventLoops = 1))) {
            RelayConfig now = config(Upstream.of("default", harness.mock.uri()))
                    .with(c -> c.listeners = Listener.at(List.of(new HostAndPort("127.0.0.1", 0))))
                    .with(c -> c.eventLoops = 1);
            assertThat(harness.relay.reload(now)).isEmpty();
            RelayConfig other = now.with(c -> c.listeners = Listener.at(List.of(new HostAndPort("127.0.0.1", 9))))
                    .with(c -> c.eventLoops = 2)
                    .with(c -> c.takeover = new UnixPath(Path.of("/run/millrace/next.sock")))
                    .with(c -> c.limits = now.limits().with(l -> l.memory = 64 << 20));
            assertThat(harness.relay.reload(other)).containsExactly("listen", "eventLoops", "takeover");
            // What may be held is another at once.
            assertThat(new String(harness.relay.metrics().text(), StandardCharsets.UTF_8))
                    .contains("millrace_held_bytes_limit{pool=\"buffers\"} 6.7108864E7");
            assertThat(harness.relay.reload(now)).isEmpty();
        }
    }

    @Test
    void looksAtLimitsAsOftenAsTheNewOnesAsk() throws IOException {
        try (var harness = RelayHarness.start(config -> config.with(c -> c.eventLoops = 1));
                var client = harness.client()) {
            var often = Heartbeat.DEFAULT.with(h -> h.interval = Duration.ofMillis(20));
            harness.relay.reload(RelayHarness.withHeartbeat(config(Upstream.of("default", harness.mock.uri())), often));
            client.post(RelayHarness.withSpec("/v1/chat/completions", "stall_after=1"), "m", "");
            client.readUntil(": ping");
            var gapsNs = new long[40];
            for (int i = 0; i < gapsNs.length; i++) {
                long fromNs = System.nanoTime();
                client.readUntil(": ping");
                gapsNs[i] = System.nanoTime() - fromNs;
            }
            Arrays.sort(gapsNs);
            // At the sweep's longest period each would be of 250 ms.
            assertThat(Duration.ofNanos(gapsNs[gapsNs.length / 2])).isLessThan(Duration.ofMillis(200));
        }
    }

    @Test
    void aLogThatEndsGetsTheLinesThatWait() throws Exception {
        try (var access = new AccessLines();
                var usage = new AccessLines("millrace.usage");
                var harness = RelayHarness.start(config -> config.with(c -> c.accessLog = AccessLog.DEFAULT)
                        .with(c -> c.telemetry =
                                c.telemetry.with(t -> t.usageLog = new UsageLog(Path.of("unused"), 0))))) {
            harness.stream("/v1/chat/completions", "tokens=3");
            await().pollInterval(Duration.ofMillis(1))
                    .until(() -> harness.relay.metrics().activeExchanges() == 0);
            harness.relay.reload(config(Upstream.of("default", harness.mock.uri())));
            assertThat(harness.relay.awaitReloaded(Duration.ofSeconds(20))).isTrue();
            assertThat(access.isEmpty()).isFalse();
            assertThat(usage.isEmpty()).isFalse();
        }
    }

    /** Relays everything to the first of these. */
    private static RelayConfig config(Upstream... upstreams) {
        var byName = new LinkedHashMap<String, Upstream>();
        for (Upstream upstream : upstreams) {
            byName.put(upstream.name(), upstream);
        }
        return RelayConfig.defaults()
                .with(c -> c.accessLog = AccessLog.OFF)
                .with(c -> c.upstreams = byName)
                .with(c -> c.routes = List.of(Route.of("all", Match.ALL, upstreams[0].name())));
    }

    private static void get(RawClient client, String path) throws IOException {
        client.send("GET", path, "");
        assertThat(client.readAll().status()).isEqualTo(200);
    }
}
