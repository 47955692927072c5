package io.millrace.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.millrace.server.config.ListenAddress.HostAndPort;
import io.millrace.server.config.Listener;
import io.millrace.server.config.Listener.Served;
import io.millrace.server.config.RelayConfig;
import io.millrace.server.config.RelayConfig.OwnPaths;
import io.millrace.server.test.RawClient;
import io.millrace.server.test.RelayHarness;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Several addresses of one relay. Each serves only its own paths. */
@Tag("sockets")
class ListenersTest {
    private static final Set<Served> ADMIN = EnumSet.of(Served.HEALTH, Served.METRICS, Served.STREAMS);

    @ParameterizedTest
    @CsvSource({
        "GET, /healthz, HEALTH",
        "HEAD, /readyz, HEALTH",
        "GET, /metrics, METRICS",
        "GET, /openapi.json, RELAY PAGE",
        "GET, /, PAGE",
        "GET, /chat?prompt=Hello, RELAY PAGE",
        "OPTIONS, /chat, RELAY PAGE",
        "DELETE, /millrace/streams/0-1, RELAY STREAMS",
        "GET, /v1/models, RELAY",
        "POST, /healthz, RELAY",
        "POST, /, RELAY",
        "GET, //metrics, RELAY",
        "DELETE, /v1/files/1, RELAY",
    })
    void anAddressServesItsOwnPathsAndNoOther(String method, String path, String kinds) throws IOException {
        List<Listener> listeners = EnumSet.allOf(Served.class).stream()
                .map(kind -> listener(Set.of(kind)))
                .toList();
        try (var harness = RelayHarness.start(config -> config.with(c -> c.listeners = listeners))) {
            for (int i = 0; i < listeners.size(); i++) {
                Served kind = listeners.get(i).serves().iterator().next();
                String response = ask(harness, i, method, path);
                boolean refused = method.equals("HEAD")
                        ? response.startsWith("HTTP/1.1 404 ")
                        : response.contains("does not serve this path");
                assertThat(refused)
                        .as(kind + " of " + kinds)
                        .isNotEqualTo(List.of(kinds.split(" ")).contains(kind.name()));
            }
            assertThat(harness.mock.requests()).hasSize(kinds.equals("RELAY") ? 1 : 0);
        }
    }

    @Test
    void aPathThatTheRelayDoesNotOwnIsTheUpstreams() throws IOException {
        try (var harness = RelayHarness.start(config -> config.with(
                        c -> c.listeners = List.of(listener(Set.of(Served.RELAY)), listener(ADMIN)))
                .with(c -> c.ownPaths = OwnPaths.ALL.with(o -> o.metrics = false)))) {
            assertThat(ask(harness, 0, "GET", "/metrics")).contains("No such resource: GET");
            assertThat(ask(harness, 1, "GET", "/metrics")).contains("does not serve this path");
            assertThat(harness.mock.requests()).hasSize(1);
        }
    }

    @Test
    void theAdminAddressAnswersWhileTheRelaysEventLoopsAreBusy() throws Exception {
        try (var harness = admin()) {
            var hold = EventLoopHold.on(harness.relay);
            try {
                // It answers although nothing lets the loops go on. None of these waits for them as a rule.
                long[] tookNs = new long[20];
                for (int i = 0; i < tookNs.length; i++) {
                    long startNs = System.nanoTime();
                    assertThat(ask(harness, 1, "GET", "/healthz")).endsWith("ok\n");
                    assertThat(ask(harness, 1, "GET", "/readyz")).endsWith("ready\n");
                    assertThat(ask(harness, 1, "GET", "/metrics")).contains("millrace_open_connections 1.0");
                    tookNs[i] = System.nanoTime() - startNs;
                }
                Arrays.sort(tookNs);
                assertThat(Duration.ofNanos(tookNs[tookNs.length / 2])).isLessThan(Duration.ofSeconds(2));
            } finally {
                hold.release();
            }
        }
    }

    @Test
    void theAdminAddressStopsAStreamOfAnotherEventLoop() throws IOException {
        try (var harness = admin();
                var client = harness.client()) {
            client.post(RelayHarness.withSpec("/v1/chat/completions", "tokens=9,stall_after=3"), "m", "");
            String begin = client.readUntil("data: ");
            String id = RawClient.header(begin, "x-millrace-stream");
            assertThat(ask(harness, 1, "DELETE", "/millrace/streams/" + id)).startsWith("HTTP/1.1 204 ");
            assertThat(client.readUntil("\r\n0\r\n\r\n")).contains("data: [DONE]");
            assertThat(ask(harness, 1, "DELETE", "/millrace/streams/" + id)).startsWith("HTTP/1.1 404 ");
        }
    }

    @Test
    void theAdminAddressHasRoomWhenTheOthersAreFull() throws IOException {
        try (var harness = RelayHarness.start(config -> config.with(c -> c.listeners = both())
                        .with(c -> c.limits = config.limits().with(l -> l.connections = 1)));
                var only = harness.client()) {
            only.send("GET", "/healthz", "");
            assertThat(only.readAll().status()).isEqualTo(200);
            assertThat(ask(harness, 0, "GET", "/healthz")).startsWith("HTTP/1.1 503 ");
            assertThat(ask(harness, 1, "GET", "/healthz")).startsWith("HTTP/1.1 200 ");
        }
    }

    @Test
    void theAdminAddressIsOpenUntilTheLastStreamHasEnded() throws Exception {
        try (var harness = admin();
                var client = harness.client();
                var scraper = new RawClient(port(harness, 1))) {
            scraper.send("GET", "/healthz", "");
            scraper.readAll();
            client.post(RelayHarness.withSpec("/v1/chat/completions", "tokens=9,stall_after=3"), "m", "");
            String id = RawClient.header(client.readUntil("data: "), "x-millrace-stream");
            CompletableFuture<Void> drained = harness.relay.drain();
            await().until(() -> refuses(port(harness, 0)));
            assertThat(ask(harness, 1, "GET", "/readyz")).endsWith("draining\n");
            assertThat(ask(harness, 1, "GET", "/metrics")).contains("millrace_active_exchanges 1.0");
            assertThat(drained).isNotDone();
            ask(harness, 1, "DELETE", "/millrace/streams/" + id);
            client.readUntil("\r\n0\r\n\r\n");
            await().until(drained::isDone);
            assertThat(refuses(port(harness, 1))).isTrue();
        }
    }

    @Test
    void eachIsToldWithItsAddress() throws IOException {
        try (var harness = admin()) {
            assertThat(harness.relay.listeners())
                    .extracting(bound -> bound.listener().serves())
                    .containsExactly(EnumSet.allOf(Served.class), ADMIN);
            assertThat(harness.relay.listeners())
                    .extracting(bound -> bound.address().toString())
                    .containsExactly("127.0.0.1:" + port(harness, 0), "127.0.0.1:" + port(harness, 1));
        }
    }

    @Test
    void sayThatOnlyARestartChangesThem() {
        try (var harness = admin()) {
            RelayConfig other = RelayConfig.relayTo(harness.mock.uri());
            assertThat(harness.relay.reload(other)).containsExactly("listeners");
            assertThat(harness.relay.reload(other.with(c -> c.listeners = both())))
                    .isEmpty();
        }
    }

    private static RelayHarness admin() {
        return RelayHarness.start(config -> config.with(c -> c.listeners = both()));
    }

    private static List<Listener> both() {
        return List.of(listener(EnumSet.allOf(Served.class)), listener(ADMIN));
    }

    private static Listener listener(Set<Served> serves) {
        return Listener.at(new HostAndPort("127.0.0.1", 0)).with(l -> l.serves = serves);
    }

    private static int port(RelayHarness harness, int listener) {
        return harness.relay.addresses().get(listener).getPort();
    }

    /** The whole response to one request, as text. */
    private static String ask(RelayHarness harness, int listener, String method, String path) throws IOException {
        try (var socket = new Socket(InetAddress.getLoopbackAddress(), port(harness, listener))) {
            socket.setSoTimeout(10_000);
            String head = method + " " + path + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
            socket.getOutputStream().write(head.getBytes(StandardCharsets.US_ASCII));
            return new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    private static boolean refuses(int port) {
        try (var socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
            return !socket.isConnected();
        } catch (IOException e) {
            return true;
        }
    }
}
