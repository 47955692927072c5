package io.millrace.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.millrace.server.config.Credential;
import io.millrace.server.config.Credential.Secret;
import io.millrace.server.config.ListenAddress.UnixPath;
import io.millrace.server.config.Listener;
import io.millrace.server.config.RelayConfig;
import io.millrace.server.config.RelayConfig.AccessLog;
import io.millrace.server.config.Upstream;
import io.millrace.server.mock.MockConfig;
import io.millrace.server.mock.MockServer;
import io.millrace.server.test.RelayHarness;
import io.millrace.server.transport.Transport;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.URI;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Unix sockets for clients and for upstreams. */
@SuppressWarnings("try") // some relays are there to be found by their sockets only
@Tag("sockets")
class UnixSocketsTest {
    private static final String STREAM = "{\"model\":\"m\",\"stream\":true,\"messages\":[]}";

    @TempDir
    private Path directory;

    @ParameterizedTest
    @MethodSource("io.millrace.server.test.RelayHarness#transports")
    void streamsOverUnixSocketsOnBothSides(Transport transport) throws IOException {
        Path front = directory.resolve("front.sock");
        Path back = directory.resolve("back.sock");
        try (var mock = MockServer.start(MockConfig.defaults());
                var inner = relay(mock.uri(), back, transport);
                var outer = relay(URI.create("http://unix:" + back + ":/v1"), front, transport)) {
            for (int i = 0; i < 3; i++) {
                String answer = ask(front, "POST", "/chat/completions?mock=tokens%3D5", STREAM);
                assertThat(answer).startsWith("HTTP/1.1 200 ").contains("data: [DONE]");
            }
            assertThat(mock.requests()).hasSize(3).allSatisfy(request -> {
                assertThat(request.uri()).startsWith("/v1/chat/completions");
            });
            assertThat(mock.stats().connections()).as("pooled").isEqualTo(1);
            String metrics = new String(outer.metrics().text(), StandardCharsets.UTF_8);
            assertThat(metrics).contains("origin=\"http://unix:" + back + ":/v1\"");
            assertThat(inner.addresses()).isEmpty();
            assertThat(inner.listeners()).singleElement().satisfies(bound -> {
                assertThat(bound.address()).hasToString("unix:" + back);
            });
        }
        assertThat(directory).isEmptyDirectory();
    }

    @ParameterizedTest
    @MethodSource("io.millrace.server.test.RelayHarness#transports")
    void aClientThatLeavesIsNoticed(Transport transport) throws IOException {
        Path path = directory.resolve("s");
        try (var mock = MockServer.start(MockConfig.defaults());
                var relay = relay(mock.uri(), path, transport)) {
            try (var client = connect(path)) {
                send(client, "POST", "/v1/chat/completions?mock=stall_after%3D1", STREAM);
                client.read(ByteBuffer.allocate(1));
            }
            await().until(() -> mock.requests().get(0).closedByPeerNs() != 0);
            await().until(() -> relay.metrics().openConnections() == 0);
        }
    }

    @Test
    void theFileHasItsModeAndGoesWithTheRelay() throws IOException {
        Path path = directory.resolve("s");
        try (var relay = relay(listener(path))) {
            assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(path)))
                    .isEqualTo("rw-rw----");
        }
        assertThat(path).doesNotExist();
        try (var relay = relay(listener(path).with(l -> l.mode = 0600))) {
            assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(path)))
                    .isEqualTo("rw-------");
        }
    }

    @Test
    void aFileThatIsNotItsOwnStays() throws IOException {
        Path path = directory.resolve("s");
        try (var relay = relay(listener(path))) {
            Files.delete(path);
            Files.writeString(path, "another's");
        }
        assertThat(path).hasContent("another's");
        assertThatThrownBy(() -> relay(listener(path)))
                .hasMessage("listen: unix:" + path + " cannot be bound: there is a file that is no socket");
        assertThat(path).hasContent("another's");
    }

    @Test
    void aSocketIsTakenOverOnlyIfNobodyListensThere() throws IOException {
        Path path = directory.resolve("s");
        var dead = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
        dead.bind(UnixDomainSocketAddress.of(path));
        dead.close();
        assertThat(path).as("what a process that was killed leaves").exists();
        try (var relay = relay(listener(path))) {
            assertThat(ask(path, "GET", "/healthz", "")).endsWith("ok\n");
            assertThatThrownBy(() -> relay(listener(path))).hasMessageContaining("somebody listens there");
            assertThat(ask(path, "GET", "/healthz", "")).endsWith("ok\n");
        }
    }

    @Test
    void saysWhyItCannotListen() {
        Path path = directory.resolve("missing").resolve("s");
        assertThatThrownBy(() -> relay(listener(path)))
                .hasMessageStartingWith("listen: unix:" + path + " cannot be bound: ");
        Path other = directory.resolve("s");
        assertThatThrownBy(() -> relay(listener(other).with(l -> l.users = List.of("no-such-user"))))
                .hasMessageContaining("users: 'no-such-user' is not in /etc/passwd");
        assertThat(directory).isEmptyDirectory();
    }

    @ParameterizedTest
    @MethodSource("io.millrace.server.test.RelayHarness#transports")
    void onlyTheUsersMayConnect(Transport transport) throws IOException {
        Path path = directory.resolve("s");
        String own = Files.getAttribute(directory, "unix:uid").toString();
        String name = Files.getOwner(directory).getName();
        if (!transport.tellsUnixPeers()) {
            assertThatThrownBy(() -> relay(listener(path).with(l -> l.users = List.of(own)), transport))
                    .hasMessageContaining("users cannot be told apart by the transport nio");
            return;
        }
        try (var relay = relay(listener(path).with(l -> l.users = List.of("65533", own)), transport)) {
            assertThat(ask(path, "GET", "/healthz", "")).endsWith("ok\n");
        }
        try (var relay = relay(listener(path).with(l -> l.users = List.of(name)), transport)) {
            assertThat(ask(path, "GET", "/healthz", "")).endsWith("ok\n");
        }
        try (var relay = relay(listener(path).with(l -> l.users = List.of("65533")), transport)) {
            try (var client = connect(path)) {
                assertThat(client.read(ByteBuffer.allocate(1))).isEqualTo(-1);
            }
            assertThat(relay.metrics().openConnections()).isZero();
        }
    }

    /** A unix socket is local, so a relay that adds a key may listen there. */
    @Test
    void keysMayBeServed() throws IOException {
        Path path = directory.resolve("s");
        var upstream = Upstream.of("u", URI.create("http://127.0.0.1:1"))
                .with(u -> u.credential = new Credential("authorization", "Bearer ", Secret.of("k", "env: KEY")));
        var config = RelayConfig.relayTo(upstream).with(c -> c.listeners = List.of(listener(path)));
        try (var relay = RelayServer.start(config)) {
            assertThat(ask(path, "GET", "/healthz", "")).endsWith("ok\n");
        }
    }

    @ParameterizedTest
    @MethodSource("io.millrace.server.test.RelayHarness#transports")
    void clientsThatWaitWhenItStopsAreServed(Transport transport) throws Exception {
        Path path = directory.resolve("s");
        try (var relay = relay(listener(path), transport)) {
            var hold = EventLoopHold.on(relay);
            var waiting = new ArrayList<SocketChannel>();
            for (int i = 0; i < 50; i++) {
                waiting.add(connect(path));
                send(waiting.get(i), "GET", "/healthz", "");
            }
            CompletableFuture<Void> drained = relay.drain();
            assertThatThrownBy(() -> connect(path)).isInstanceOf(IOException.class);
            hold.release();
            for (SocketChannel client : waiting) {
                assertThat(readAll(client)).endsWith("ok\n");
            }
            await().until(drained::isDone);
        }
    }

    @Test
    void anUpstreamsSocketThatIsNotThereIsAFailureToConnect() throws IOException {
        try (var harness = RelayHarness.start(config -> config.with(c -> c.upstreams =
                Map.of("default", Upstream.of("default", URI.create("http://unix:" + directory.resolve("none"))))))) {
            try (var client = harness.client()) {
                client.post("/v1/chat/completions", "m", "");
                assertThat(client.readAll().text()).contains("cannot connect to default: no connection");
            }
        }
    }

    private static Listener listener(Path path) {
        return Listener.at(new UnixPath(path));
    }

    private static RelayServer relay(URI upstream, Path path, Transport transport) {
        return RelayServer.start(RelayConfig.relayTo(upstream)
                .with(c -> c.accessLog = AccessLog.OFF)
                .with(c -> c.transport = transport)
                .with(c -> c.eventLoops = 1)
                .with(c -> c.listeners = List.of(listener(path))));
    }

    private static RelayServer relay(Listener listener) {
        return relay(listener, Transport.best());
    }

    private static RelayServer relay(Listener listener, Transport transport) {
        return RelayServer.start(RelayConfig.relayTo(URI.create("http://127.0.0.1:1"))
                .with(c -> c.accessLog = AccessLog.OFF)
                .with(c -> c.transport = transport)
                .with(c -> c.listeners = List.of(listener)));
    }

    private static SocketChannel connect(Path path) throws IOException {
        return SocketChannel.open(UnixDomainSocketAddress.of(path));
    }

    private static void send(SocketChannel client, String method, String path, String body) throws IOException {
        String request = method + " " + path + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: "
                + body.length() + "\r\n\r\n" + body;
        client.write(ByteBuffer.wrap(request.getBytes(StandardCharsets.US_ASCII)));
    }

    private static String ask(Path socket, String method, String path, String body) throws IOException {
        try (var client = connect(socket)) {
            send(client, method, path, body);
            return readAll(client);
        }
    }

    private static String readAll(SocketChannel client) throws IOException {
        var all = new ByteArrayOutputStream();
        Channels.newInputStream(client).transferTo(all);
        return all.toString(StandardCharsets.UTF_8);
    }
}
