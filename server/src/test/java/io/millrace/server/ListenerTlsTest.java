package io.millrace.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import io.millrace.server.config.Limits;
import io.millrace.server.config.Listener;
import io.millrace.server.config.RelayConfig;
import io.millrace.server.config.RelayConfig.AccessLog;
import io.millrace.server.config.Timeouts;
import io.millrace.server.mock.MockConfig;
import io.millrace.server.mock.MockServer;
import io.millrace.server.test.AccessLines;
import io.millrace.server.test.Certificates;
import io.millrace.server.test.ClientFile;
import io.millrace.server.test.RawClient;
import io.millrace.server.test.RelayHarness;
import io.millrace.server.test.ScriptedUpstream;
import io.netty.pkitesting.CertificateBuilder;
import io.netty.pkitesting.X509Bundle;
import java.io.ByteArrayOutputStream;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.UnaryOperator;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** A relay whose listener has TLS. {@code OverTlsTest} tests its requests. */
@Tag("sockets")
class ListenerTlsTest {
    private static final byte HANDSHAKE = 22;
    private static final byte ALERT = 21;

    @TempDir
    private Path directory;

    private Certificates certificates;
    private Listener.Tls settings;
    private SSLContext client;

    @BeforeEach
    void makeCertificates() throws Exception {
        certificates = Certificates.in(directory);
        settings = certificates.tls("localhost");
        client = certificates.client();
    }

    private RelayHarness start() {
        return start(config -> config);
    }

    private RelayHarness start(UnaryOperator<RelayConfig> change) {
        return RelayHarness.start(config -> change.apply(encrypted(config, settings)));
    }

    private static RelayConfig encrypted(RelayConfig config, Listener.Tls tls) {
        return config.with(c -> c.listeners = c.listeners.stream()
                .map(listener -> listener.with(l -> l.tls = tls))
                .toList());
    }

    private RawClient connect(RelayHarness harness) throws IOException {
        return new RawClient(harness.port(), client);
    }

    @Test
    void servesTheJdksClient() throws Exception {
        var http = HttpClient.newBuilder().sslContext(client).build();
        try (var harness = start()) {
            var request = HttpRequest.newBuilder(URI.create("https://localhost:" + harness.port()
                            + RelayHarness.withSpec("/v1/chat/completions", "tokens=9")))
                    .POST(HttpRequest.BodyPublishers.ofString("{\"model\":\"m\",\"stream\":true,\"messages\":[]}"))
                    .build();
            HttpResponse<String> response = http.send(request, HttpResponse.BodyHandlers.ofString());
            assertThat(response.statusCode()).isEqualTo(200);
            assertThat(response.body()).endsWith("data: [DONE]\n\n");
            assertThat(response.sslSession()).isPresent();
        }
    }

    @ParameterizedTest
    @CsvSource({"HTTP_2, h2", "HTTP_1_1, http/1.1"})
    void logsWhatItsClientsSpeak(HttpClient.Version version, String protocol) throws Exception {
        var http = HttpClient.newBuilder().sslContext(client).version(version).build();
        try (var lines = new AccessLines();
                var harness =
                        start(config -> config.with(c -> c.accessLog = new AccessLog(AccessLog.Format.JSON, null)))) {
            for (String path : List.of(RelayHarness.withSpec("/v1/chat/completions", "tokens=1"), "/v1/%00")) {
                http.send(
                        HttpRequest.newBuilder(URI.create("https://localhost:" + harness.port() + path))
                                .POST(HttpRequest.BodyPublishers.ofString("{}"))
                                .build(),
                        HttpResponse.BodyHandlers.ofString());
                JsonNode line = lines.next();
                assertThat(line.get("protocol").asText()).isEqualTo(protocol);
                assertThat(line.get("tls").asText()).isEqualTo("TLSv1.3");
            }
        }
    }

    /** Over HTTP/2 a certificate and a key stand for a client as over HTTP/1.1. */
    @ParameterizedTest
    @EnumSource(HttpClient.Version.class)
    void takesAClientsCertificateForItsKey(HttpClient.Version version) throws Exception {
        var clients = new ClientFile(directory);
        String key = clients.add("other");
        Path ca = certificates.ca();
        Listener.Tls asking =
                settings.with(t -> t.clientCa = ca).with(t -> t.clientMode = Listener.Tls.ClientMode.OPTIONAL);
        clients.put("web", new String[0], "certificate: spiffe://acme/web");
        try (var lines = new AccessLines();
                var harness = RelayHarness.start(config -> encrypted(clients.in(config), asking)
                        .with(c -> c.accessLog = new AccessLog(AccessLog.Format.JSON, null)))) {
            assertThat(asked(harness, lines, version, identity("spiffe://acme/web"), null))
                    .isEqualTo("200 web");
            assertThat(asked(harness, lines, version, identity("spiffe://acme/unknown"), null))
                    .isEqualTo("401 ");
            assertThat(asked(harness, lines, version, null, null)).isEqualTo("401 ");
            assertThat(asked(harness, lines, version, null, key)).isEqualTo("200 other");
        }
    }

    private X509Bundle identity(String uri) throws Exception {
        return new CertificateBuilder().subject("CN=client").addSanUriName(uri).buildIssuedBy(certificates.authority());
    }

    private String asked(
            RelayHarness harness, AccessLines lines, HttpClient.Version version, X509Bundle own, String key)
            throws Exception {
        var http = HttpClient.newBuilder()
                .sslContext(certificates.client(own))
                .version(version)
                .build();
        var request = HttpRequest.newBuilder(URI.create("https://localhost:" + harness.port()
                        + RelayHarness.withSpec("/v1/chat/completions", "tokens=1")))
                .POST(HttpRequest.BodyPublishers.ofString("{\"model\":\"m\"}"));
        if (key != null) {
            request.header("Authorization", "Bearer " + key);
        }
        int status =
                http.send(request.build(), HttpResponse.BodyHandlers.ofString()).statusCode();
        return status + " " + lines.next().path("client").asText();
    }

    @Test
    void reloadsUnderLoadWithoutAFailure() throws Exception {
        var served = new AtomicInteger();
        var over = new AtomicBoolean();
        var threads = Executors.newFixedThreadPool(4);
        try (var harness = start();
                var stream = connect(harness)) {
            stream.post(RelayHarness.withSpec("/v1/chat/completions", "tokens=40,stall_after=3"), "m", "");
            String begun = stream.readUntil("data: ");
            var clients = new ArrayList<Future<?>>();
            for (int i = 0; i < 4; i++) {
                clients.add(threads.submit(() -> {
                    while (!over.get()) {
                        askTwice(harness);
                        served.incrementAndGet();
                    }
                    return null;
                }));
            }
            for (int reload = 1; reload <= 10; reload++) {
                int before = served.get();
                await().until(() ->
                        served.get() >= before + 10 || clients.stream().anyMatch(Future::isDone));
                if (reload == 5) {
                    Files.writeString(directory.resolve("localhost.pem"), "broken");
                    assertThatThrownBy(() -> harness.relay.reload(config(harness)))
                            .hasMessageContaining("localhost.pem cannot be read: no certificate in it");
                } else {
                    certificates.server("localhost", "localhost");
                    assertThat(harness.relay.reload(config(harness))).isEmpty();
                }
            }
            over.set(true);
            for (Future<?> each : clients) {
                each.get();
            }
            assertThat(metrics(harness))
                    .contains("millrace_certificate_reloads_total{result=\"taken\"} 9.0")
                    .contains("millrace_certificate_reloads_total{result=\"failed\"} 1.0");
            String id = RawClient.header(begun, "x-millrace-stream");
            try (var stopper = connect(harness)) {
                stopper.send("DELETE", "/millrace/streams/" + id, "");
                assertThat(stopper.readHead()).startsWith("HTTP/1.1 204 ");
            }
            assertThat(stream.readUntil("\r\n0\r\n\r\n")).contains("[DONE]");
        } finally {
            threads.shutdownNow();
        }
    }

    private void askTwice(RelayHarness harness) throws IOException {
        try (var own = connect(harness)) {
            for (int i = 0; i < 2; i++) {
                own.send("GET", "/echo", "");
                assertThat(own.readAll().status()).isEqualTo(200);
            }
        }
    }

    private RelayConfig config(RelayHarness harness) {
        return encrypted(RelayConfig.relayTo(harness.mock.uri()).with(c -> c.accessLog = AccessLog.OFF), settings);
    }

    private String metrics(RelayHarness harness) throws IOException {
        try (var scraper = connect(harness)) {
            scraper.send("GET", "/metrics", "");
            return scraper.readAll().text();
        }
    }

    @Test
    void takesChangedFilesByItself() throws Exception {
        try (var harness = start()) {
            certificates.server("localhost", "localhost");
            await().atMost(Duration.ofSeconds(20))
                    .until(() -> metrics(harness).contains("millrace_certificate_reloads_total{result=\"taken\"} 1.0"));
        }
    }

    @Test
    void doesNotStartWithFilesThatAreWrong() throws Exception {
        Files.writeString(settings.certificates().get(0).cert(), "broken");
        try (var mock = MockServer.start(MockConfig.defaults())) {
            assertThatThrownBy(() -> RelayServer.start(encrypted(RelayConfig.relayTo(mock.uri()), settings)))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("cannot be read: no certificate in it");
        }
    }

    @Test
    void saysWhichSettingsWaitForARestart() throws Exception {
        try (var harness = start()) {
            RelayConfig same = config(harness);
            RelayConfig stricter = encrypted(same, settings.with(t -> t.minVersion = Listener.Tls.Version.V1_3));
            assertThat(harness.relay.reload(stricter)).isEmpty();
            assertThat(harness.relay.reload(encrypted(same, null))).containsExactly("listeners");
            try (var own = connect(harness)) {
                own.send("GET", "/healthz", "");
                assertThat(own.readAll().status()).isEqualTo(200);
            }
        }
    }

    @Test
    void tellsBrowsersToStayOnlyIfItIsToldSo() throws Exception {
        String answer = "HTTP/1.1 200 OK\r\nStrict-Transport-Security: max-age=1\r\nAlt-Svc: h3=\":443\"\r\n"
                + "Content-Length: 2\r\n\r\n{}";
        try (var upstream = ScriptedUpstream.answering(answer)) {
            RelayConfig config = RelayConfig.relayTo(upstream.uri()).with(c -> c.accessLog = AccessLog.OFF);
            Listener.Tls told = settings.with(t -> t.hsts = Duration.ofDays(365));
            try (var silent = RelayServer.start(encrypted(config, settings));
                    var telling = RelayServer.start(encrypted(config, told))) {
                assertThat(hsts(silent, "/v1/models")).isNull();
                assertThat(hsts(telling, "/v1/models")).isEqualTo("max-age=31536000");
                assertThat(hsts(telling, "/healthz")).isEqualTo("max-age=31536000");
                assertThat(hsts(telling, "/#")).isEqualTo("max-age=31536000");
                telling.reload(encrypted(config, settings));
                assertThat(hsts(telling, "/healthz")).isNull();
            }
        }
    }

    private String hsts(RelayServer relay, String path) throws IOException {
        try (var own = new RawClient(relay.addresses().get(0).getPort(), client)) {
            own.send("GET", path, "");
            RawClient.Response response = own.readAll();
            assertThat(response.header("alt-svc")).isNull();
            return response.header("strict-transport-security");
        }
    }

    @Test
    void aClientThatSaysGoodbyeHasLeft() throws Exception {
        try (var harness = start();
                var own = connect(harness)) {
            own.post(RelayHarness.withSpec("/v1/chat/completions", "tokens=9,stall_after=3"), "m", "");
            own.readUntil("data: ");
            assertThat(harness.mock.stats().openConnections()).isEqualTo(1);
            own.socket().shutdownOutput(); // TLS's goodbye, and nothing of TCP's
            await().until(() -> harness.mock.stats().openConnections() == 0);
            await().until(() -> harness.relay.metrics().exchanges("client_gone") == 1);
        }
    }

    /** In TLS 1.2 the kind of a record can be seen from outside. */
    @Test
    void saysGoodbyeBehindAWholeAnswerAndNotBehindOneThatIsCut() throws Exception {
        try (var harness = start()) {
            assertThat(recordsOf(harness, "HTTP/1.0", "tokens=3")).endsWith(ALERT);
            assertThat(recordsOf(harness, "HTTP/1.1", "tokens=3")).endsWith(ALERT);
            for (int i = 0; i < 10; i++) {
                assertThat(recordsOf(harness, "HTTP/1.0", "tokens=9,end_after=2"))
                        .doesNotContain(ALERT);
            }
        }
    }

    /** The kinds of the records that the relay sends to a client that wants one answer only. */
    private List<Byte> recordsOf(RelayHarness harness, String version, String spec) throws IOException {
        var got = new ByteArrayOutputStream();
        try (Socket plain = new Socket() {
            @Override
            public InputStream getInputStream() throws IOException {
                return new Recorder(super.getInputStream(), got);
            }
        }) {
            plain.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), harness.port()));
            plain.setSoTimeout(10_000);
            var tls = (SSLSocket) client.getSocketFactory().createSocket(plain, "localhost", harness.port(), true);
            tls.setEnabledProtocols(new String[] {"TLSv1.2"});
            String path = RelayHarness.withSpec("/v1/chat/completions", spec);
            String body = "{\"model\":\"m\",\"stream\":true,\"messages\":[]}";
            tls.getOutputStream()
                    .write(("POST " + path + " " + version + "\r\nHost: a\r\nConnection: close\r\nContent-Length: "
                                    + body.length() + "\r\n\r\n" + body)
                            .getBytes(StandardCharsets.US_ASCII));
            readToTheEnd(tls.getInputStream());
        }
        return kinds(got.toByteArray());
    }

    private static void readToTheEnd(InputStream in) {
        try {
            in.readAllBytes();
        } catch (IOException e) {
            // The end was a reset.
        }
    }

    private static List<Byte> kinds(byte[] records) {
        var kinds = new ArrayList<Byte>();
        for (int at = 0; at + 5 <= records.length; ) {
            kinds.add(records[at]);
            at += 5 + ((records[at + 3] & 0xff) << 8 | (records[at + 4] & 0xff));
        }
        assertThat(kinds).startsWith(HANDSHAKE);
        return kinds;
    }

    private static final class Recorder extends FilterInputStream {
        private final ByteArrayOutputStream got;

        Recorder(InputStream in, ByteArrayOutputStream got) {
            super(in);
            this.got = got;
        }

        @Override
        public int read() throws IOException {
            var one = new byte[1];
            return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
        }

        @Override
        public int read(byte[] to, int start, int length) throws IOException {
            int count = super.read(to, start, length);
            if (count > 0) {
                got.write(to, start, count);
            }
            return count;
        }
    }

    @Test
    void limitsHandshakesAndCountsThoseThatFail() throws Exception {
        try (var harness = start(config -> config.with(c -> c.limits = Limits.DEFAULT.with(l -> l.handshakes = 2))
                        .with(c -> c.timeouts = Timeouts.DEFAULT.with(t -> t.handshake = Duration.ofMillis(300))));
                var one = new RawClient(harness.port());
                var two = new RawClient(harness.port());
                var three = new RawClient(harness.port())) {
            for (RawClient each : List.of(one, two, three)) {
                assertThat(each.read()).isEqualTo(-1);
            }
            await().until(() -> harness.relay.metrics().openConnections() == 0);
            assertThat(metrics(harness)) // the third one waits, and its time may end before its place comes
                    .containsPattern("millrace_tls_handshakes_failed_total\\{reason=\"limit\"} [01]\\.0")
                    .containsPattern("millrace_tls_handshakes_failed_total\\{reason=\"timeout\"} [23]\\.0")
                    .containsPattern(
                            "millrace_certificate_expiry_seconds\\{certificate=\".*localhost.pem\"} 77[0-9]{5}\\.0");
        }
    }

    @Test
    void aRelayThatStopsWaitsASecondForAHandshake() throws Exception {
        try (var harness = start();
                var mute = new RawClient(harness.port())) {
            await().until(() -> harness.relay.metrics().openConnections() == 1);
            long startNs = System.nanoTime();
            CompletableFuture<Void> drained = harness.relay.drain();
            assertThat(mute.read()).isEqualTo(-1);
            drained.get();
            assertThat(Duration.ofNanos(System.nanoTime() - startNs))
                    .isBetween(Duration.ofMillis(900), Duration.ofSeconds(8));
        } catch (ExecutionException e) {
            throw new AssertionError(e);
        }
    }
}
