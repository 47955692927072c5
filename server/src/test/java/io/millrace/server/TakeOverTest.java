package io.millrace.server;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.millrace.server.config.ListenAddress.HostAndPort;
import io.millrace.server.config.Listener;
import io.millrace.server.config.RelayConfig;
import io.millrace.server.config.RelayConfig.AccessLog;
import io.millrace.server.listen.ControlSocket;
import io.millrace.server.listen.InheritedSockets;
import io.millrace.server.listen.TakeOver;
import io.millrace.server.mock.MockConfig;
import io.millrace.server.mock.MockServer;
import io.millrace.server.test.Certificates;
import io.millrace.server.test.Http2Client;
import io.millrace.server.test.RawClient;
import io.millrace.server.test.RelayHarness;
import io.millrace.server.transport.Transport;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** One relay takes over the sockets of another one, in this process. */
@Tag("sockets")
class TakeOverTest {
    private static final String CHAT = "/v1/chat/completions";
    private static final Duration LONG = Duration.ofSeconds(30);

    @TempDir
    private Path directory;

    private final List<AutoCloseable> open = new ArrayList<>();
    private final List<RawClient> clients = new ArrayList<>();
    private MockServer mock;
    private Path path;

    /** A relay, with the control socket at which the next one takes over. */
    private final class Generation {
        final RelayServer server;
        final CompletableFuture<Void> over = new CompletableFuture<>();
        final ControlSocket control;

        Generation(RelayServer server) {
            this.server = server;
            open.add(server);
            control = ControlSocket.open(
                    path, server.listeners(), () -> server.handOver().thenRun(() -> over.complete(null)));
            open.add(control);
        }

        int port() {
            return server.addresses().get(0).getPort();
        }
    }

    @BeforeEach
    void start() {
        assumeTrue(Transport.EPOLL.isAvailable(), "sockets are taken over on Linux only");
        mock = MockServer.start(MockConfig.defaults());
        path = directory.resolve("control.sock");
    }

    @AfterEach
    void stop() throws Exception {
        for (RawClient client : clients) {
            client.close();
        }
        for (int i = open.size() - 1; i >= 0; i--) {
            open.get(i).close();
        }
        mock.close();
    }

    @Test
    void streamsGoOnAndNoRequestIsLostThroughFiveTakeOvers() throws Exception {
        Generation first = first(config(2));
        int port = first.port();
        List<RawClient> streams = streams(port, 40);
        var stopAsking = new AtomicInteger();
        var asked = new AtomicInteger();
        CompletableFuture<Void> asking = CompletableFuture.allOf(
                CompletableFuture.runAsync(() -> askAnew(port, stopAsking, asked)),
                CompletableFuture.runAsync(() -> askOnOneConnection(port, stopAsking, asked)));
        for (int i = 0; i < 5; i++) {
            int before = asked.get();
            assertThat(next(config(2)).port()).isEqualTo(port);
            assertThat(first.over).isNotDone();
            await().atMost(LONG).until(() -> asking.isDone() || asked.get() > before + 10);
        }
        stopAsking.set(1);
        asking.get(30, TimeUnit.SECONDS);
        finish(streams);
        await().atMost(LONG).until(first.over::isDone);
    }

    @Test
    void theOldRelayEndsWhenItsStreamsHave() throws Exception {
        Generation old = first(config(1));
        List<RawClient> streams = streams(old.port(), 2);
        RawClient idle = ask(old.port());
        Generation young = next(config(1));
        assertThat(old.over).isNotDone();
        assertThat(idle.socket().isClosed()).isFalse();
        finish(streams);
        await().atMost(LONG).until(old.over::isDone);
        assertThat(idle.read()).isEqualTo(-1);
        ask(young.port());
    }

    @Test
    void aSecondWishToStopTheOldRelayShortensItsDrain() throws Exception {
        Generation old = first(
                RelayHarness.withTimeouts(config(1), config(1).timeouts().with(t -> t.drain = Duration.ofMillis(100))));
        RawClient stream = streams(old.port(), 1).get(0);
        next(config(1));
        old.server.drain().get(10, TimeUnit.SECONDS);
        assertThat(stream.readUntil("shutting down")).doesNotContain("finish_reason\":\"stop");
    }

    @Test
    void aRelayThatCannotStartLeavesTheOldOneAsItWas() throws Exception {
        Generation old = first(config(1));
        List<RawClient> streams = streams(old.port(), 2);
        RelayConfig taken = config(1)
                .with(c -> c.listeners = List.of(
                        Listener.at(new HostAndPort("127.0.0.1", 0)), Listener.at(new HostAndPort("192.0.2.1", 1))));
        try (var takeOver = TakeOver.of(path)) {
            assertThatThrownBy(() -> RelayServer.start(taken, takeOver.sockets()))
                    .hasMessageContaining("192.0.2.1:1 cannot be bound");
        }
        for (int i = 0; i < 10; i++) {
            ask(old.port()).close();
        }
        finish(streams);
        leave(streams);
        assertThat(old.over).isNotDone();
        next(config(1));
        await().atMost(LONG).until(old.over::isDone);
    }

    @Test
    void aProcessThatDiesWhileItTakesOverLeavesTheOldOneAsItWas() throws Exception {
        Generation old = first(config(1));
        List<RawClient> streams = streams(old.port(), 2);
        dieAfter(0);
        dieAfter(1, "millrace takeover 1\n");
        dieAfter(2, "millrace takeover 1\n");
        dieAfter(2, "millrace takeover 1\n", "ready\n");
        ask(old.port());
        finish(streams);
        assertThat(old.over).isNotDone();
        await().atMost(LONG).ignoreExceptions().untilAsserted(() -> next(config(1)));
    }

    /** What a process does that is killed when it has said so much, and has got so many lines. */
    private void dieAfter(int lines, String... said) {
        // Nobody else is let in until the old process has seen the death of the one before.
        await().ignoreExceptions().untilAsserted(() -> converse(lines, said));
    }

    private void converse(int lines, String... said) throws IOException {
        try (var young = SocketChannel.open(UnixDomainSocketAddress.of(path))) {
            var got = new BufferedReader(new InputStreamReader(Channels.newInputStream(young), US_ASCII));
            if (said.length > 0) {
                young.write(ByteBuffer.wrap(said[0].getBytes(US_ASCII)));
            }
            for (int i = 0; i < lines; i++) {
                assertThat(got.readLine()).isNotNull();
            }
            if (said.length > 1) {
                young.write(ByteBuffer.wrap(said[1].getBytes(US_ASCII)));
            }
        }
    }

    @Test
    void streamsOverTlsGoOnAndNoRequestIsLost() throws Exception {
        var certificates = Certificates.in(directory);
        Listener.Tls tls = certificates.tls("localhost");
        RelayConfig config = config(2).with(c -> c.listeners = at(l -> l.tls = tls));
        Generation old = first(config);
        int port = old.port();
        var streams = new ArrayList<RawClient>();
        for (int i = 0; i < 20; i++) {
            streams.add(new RawClient(port, certificates.client()));
        }
        clients.addAll(streams);
        begin(streams);
        assertThat(next(config).port()).isEqualTo(port);
        for (int i = 0; i < 20; i++) {
            try (var client = new RawClient(port, certificates.client())) {
                client.post(RelayHarness.withSpec(CHAT, "tokens=2"), "m", "");
                assertThat(client.readAll().text()).endsWith("data: [DONE]\n\n");
            }
        }
        finish(streams);
        leave(streams);
        await().atMost(LONG).until(old.over::isDone);
    }

    @Test
    void streamsOfAnHttp2ConnectionGoOnAndNoRequestIsLost() throws Exception {
        RelayConfig config = config(2)
                .with(c ->
                        c.listeners = at(l -> l.protocols = List.of(Listener.Protocol.H2, Listener.Protocol.HTTP_1_1)));
        Generation old = first(config);
        int port = old.port();
        try (var live = Http2Client.connect(port)) {
            ask(live, "tokens=3,pause_after=2,pause_ms=1500");
            live.readUntil(Http2Client.DATA, 39);
            assertThat(next(config).port()).isEqualTo(port);
            try (var later = Http2Client.connect(port)) {
                ask(later, "tokens=2");
                assertWhole(later);
            }
            // The announcement comes before, between or behind the ends of the streams.
            List<Http2Client.Frame> rest = live.readToEnd();
            assertThat(rest).anyMatch(frame -> frame.type() == Http2Client.GOAWAY && frame.number(4) == 0);
            assertThat(rest).noneMatch(frame -> frame.type() == Http2Client.RST_STREAM);
            assertThat(rest.stream().filter(Http2Client.Frame::ends)).hasSize(20);
            assertThat(rest.stream()
                            .filter(frame -> frame.type() == Http2Client.DATA
                                    && frame.text().contains("data: [DONE]")))
                    .hasSize(20);
        }
        await().atMost(LONG).until(old.over::isDone);
    }

    private static List<Listener> at(Consumer<Listener.Builder> change) {
        return List.of(Listener.at(new HostAndPort("127.0.0.1", 0)).with(change));
    }

    /** Twenty streams of one connection. */
    private static void ask(Http2Client client, String spec) throws IOException {
        for (int stream = 1; stream < 40; stream += 2) {
            client.post(stream, RelayHarness.withSpec(CHAT, spec), "{\"model\":\"m\",\"stream\":true,\"messages\":[]}");
        }
    }

    private static void assertWhole(Http2Client client) throws IOException {
        assertThat(client.answers(20, 0).values()).allSatisfy(answer -> {
            assertThat(answer.reset()).isEqualTo(-1);
            assertThat(answer.body()).endsWith("data: [DONE]\n\n");
        });
    }

    @Test
    void fewerAndMoreEventLoopsServeTheSameSockets() throws Exception {
        Generation old = first(config(2));
        for (int loops : new int[] {1, 3, 2}) {
            Generation young = next(config(loops));
            List<RawClient> streams = streams(young.port(), 12);
            finish(streams);
            leave(streams);
            await().atMost(LONG).until(old.over::isDone);
            old = young;
        }
    }

    @Test
    void anAddressThatIsNotConfiguredAnyMoreIsClosed() throws Exception {
        RelayConfig two = config(1)
                .with(c -> c.listeners = List.of(
                        Listener.at(new HostAndPort("127.0.0.1", 0)), Listener.at(new HostAndPort("127.0.0.2", 0))));
        Generation old = first(two);
        int gone = old.server.addresses().get(1).getPort();
        Generation young = next(config(1));
        ask(young.port());
        assertThat(young.server.addresses()).hasSize(1);
        await().untilAsserted(() -> assertThatThrownBy(() -> new java.net.Socket("127.0.0.2", gone).close())
                .isInstanceOf(IOException.class));
    }

    @Test
    void onlyThisUserMayOpenTheControlSocket() throws Exception {
        Generation only = first(config(1));
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(path)))
                .isEqualTo("rw-------");
        assertThatThrownBy(() -> ControlSocket.open(path, only.server.listeners(), () -> {}))
                .hasMessageContaining("somebody listens there");
        only.control.close();
        assertThat(Files.exists(path)).isFalse();
        Files.writeString(path, "mine");
        assertThatThrownBy(() -> ControlSocket.open(path, only.server.listeners(), () -> {}))
                .hasMessageContaining("there is a file that is no socket");
        assertThat(Files.readString(path)).isEqualTo("mine");
        assertThatThrownBy(() -> TakeOver.of(directory.resolve("nobody"))).hasMessageContaining("takeover: ");
    }

    private RelayConfig config(int loops) {
        return RelayConfig.relayTo(mock.uri()).with(c -> {
            c.transport = Transport.EPOLL;
            c.eventLoops = loops;
            c.accessLog = AccessLog.OFF;
        });
    }

    private Generation first(RelayConfig config) {
        return new Generation(RelayServer.start(config));
    }

    private Generation next(RelayConfig config) {
        try (var takeOver = TakeOver.of(path)) {
            InheritedSockets sockets = takeOver.sockets();
            RelayServer server = RelayServer.start(config, sockets);
            sockets.closeLeft();
            takeOver.go();
            return new Generation(server);
        }
    }

    /** Streams of three tokens, of which the last comes late. All have begun. */
    private List<RawClient> streams(int port, int count) throws IOException {
        var streams = new ArrayList<RawClient>();
        for (int i = 0; i < count; i++) {
            streams.add(new RawClient(port));
        }
        clients.addAll(streams);
        begin(streams);
        return streams;
    }

    private static void begin(List<RawClient> streams) throws IOException {
        for (RawClient client : streams) {
            client.socket().setSoTimeout((int) LONG.toMillis());
            client.post(RelayHarness.withSpec(CHAT, "tokens=3,pause_after=2,pause_ms=1500"), "m", "");
        }
        for (RawClient client : streams) {
            client.readUntil("data: ");
        }
    }

    private static void finish(List<RawClient> streams) throws IOException {
        for (RawClient client : streams) {
            assertThat(client.readUntil("data: [DONE]\n\n")).contains("\"finish_reason\":\"stop\"");
        }
    }

    /** Idle connections would have five seconds from the old relay. */
    private static void leave(List<RawClient> clients) throws IOException {
        for (RawClient client : clients) {
            client.close();
        }
    }

    private RawClient ask(int port) throws IOException {
        var client = new RawClient(port);
        clients.add(client);
        client.send("GET", "/healthz", "");
        assertThat(client.readAll().status()).isEqualTo(200);
        return client;
    }

    private static void askAnew(int port, AtomicInteger stop, AtomicInteger asked) {
        while (stop.get() == 0) {
            try (var client = new RawClient(port)) {
                client.post(RelayHarness.withSpec(CHAT, "tokens=2"), "m", "");
                assertThat(client.readAll().text()).endsWith("data: [DONE]\n\n");
                asked.incrementAndGet();
            } catch (IOException e) {
                throw new AssertionError(e);
            }
        }
    }

    /** As an SDK does: the connection is used again until a response says that it ends. */
    private static void askOnOneConnection(int port, AtomicInteger stop, AtomicInteger asked) {
        while (stop.get() == 0) {
            try (var client = new RawClient(port)) {
                boolean last = false;
                while (!last && stop.get() == 0) {
                    client.post(RelayHarness.withSpec(CHAT, "tokens=2"), "m", "");
                    RawClient.Response response = client.readAll();
                    assertThat(response.text()).endsWith("data: [DONE]\n\n");
                    last = "close".equals(response.header("connection"));
                    asked.incrementAndGet();
                }
            } catch (IOException e) {
                throw new AssertionError(e);
            }
        }
    }
}
