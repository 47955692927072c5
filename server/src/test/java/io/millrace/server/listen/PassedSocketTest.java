package io.millrace.server.listen;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.millrace.server.RelayServer;
import io.millrace.server.config.ListenAddress;
import io.millrace.server.config.Listener;
import io.millrace.server.config.RelayConfig;
import io.millrace.server.config.RelayConfig.AccessLog;
import io.millrace.server.mock.MockConfig;
import io.millrace.server.mock.MockServer;
import io.millrace.server.test.RawClient;
import io.millrace.server.test.RelayHarness;
import io.millrace.server.transport.Transport;
import io.netty.channel.unix.DomainSocketAddress;
import io.netty.channel.unix.Socket;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A relay at sockets that another process has opened, as systemd does. */
@Tag("sockets")
class PassedSocketTest {
    private static final String CHAT = "/v1/chat/completions";

    @TempDir
    private Path directory;

    private final InheritedSockets sockets = new InheritedSockets();
    private MockServer mock;

    @BeforeEach
    void start() {
        assumeTrue(Transport.EPOLL.isAvailable());
        mock = MockServer.start(MockConfig.defaults());
    }

    @AfterEach
    void stop() {
        mock.close();
        sockets.closeLeft();
    }

    @Test
    void oneSocketServesAllEventLoops() throws IOException {
        int port = listen("systemd:web");
        try (var server = RelayServer.start(config("systemd:web", 3), sockets)) {
            assertThat(server.addresses())
                    .containsExactly(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
            assertThat(server.listeners().get(0).channels()).hasSize(1);
            var clients = new ArrayList<RawClient>();
            for (int i = 0; i < 9; i++) {
                var client = new RawClient(port);
                clients.add(client);
                client.post(RelayHarness.withSpec(CHAT, "tokens=2"), "m", "");
            }
            for (RawClient client : clients) {
                assertThat(client.readAll().text()).endsWith("data: [DONE]\n\n");
                client.close();
            }
        }
    }

    @Test
    @Timeout(30)
    void aUnixSocketServesToo() throws IOException {
        Path path = directory.resolve("web.sock");
        Socket socket = Socket.newSocketDomain();
        socket.bind(new DomainSocketAddress(path.toString()));
        socket.listen(16);
        sockets.add("systemd:web", socket.intValue());
        try (var server = RelayServer.start(config("systemd:web", 1), sockets);
                var client = SocketChannel.open(StandardProtocolFamily.UNIX)) {
            assertThat(server.listeners().get(0).address()).hasToString("unix:" + path);
            client.connect(UnixDomainSocketAddress.of(path));
            client.write(
                    ByteBuffer.wrap("GET /healthz HTTP/1.0\r\nHost: a\r\n\r\n".getBytes(StandardCharsets.US_ASCII)));
            var answer = ByteBuffer.allocate(64);
            client.read(answer);
            assertThat(new String(answer.array(), StandardCharsets.US_ASCII)).startsWith("HTTP/1.1 200 OK");
        }
    }

    @Test
    void aNameThatWasNotPassedStartsNothing() throws IOException {
        listen("systemd:web");
        assertThatThrownBy(() -> RelayServer.start(config("systemd:wed", 1), sockets))
                .hasMessage(
                        "listen: systemd:wed was not passed (expected: FileDescriptorName= of a socket unit; passed:"
                                + " [systemd:web])");
    }

    @Test
    void aSocketThatDoesNotListenStartsNothing() {
        Socket socket = Socket.newSocketStream();
        sockets.add("systemd:web", socket.intValue());
        assertThatThrownBy(() -> RelayServer.start(config("systemd:web", 1), sockets))
                .hasMessageContaining("systemd:web cannot be taken over: descriptor")
                .hasMessageContaining("is no listening socket of streams");
    }

    @Test
    void aSocketThatBlocksStartsNothing() throws IOException {
        try (var blocking = new java.net.ServerSocket(0)) {
            int descriptor = descriptorOf(blocking.getLocalPort());
            sockets.add("systemd:web", descriptor);
            assertThatThrownBy(() -> RelayServer.start(config("systemd:web", 1), sockets))
                    .hasMessageContaining("blocks (expected: NonBlocking=yes in the service's unit)");
        }
    }

    private int listen(String name) throws IOException {
        Socket socket = Socket.newSocketStream();
        socket.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
        socket.listen(16);
        sockets.add(name, socket.intValue());
        return socket.localAddress().getPort();
    }

    private RelayConfig config(String address, int loops) {
        return RelayConfig.relayTo(mock.uri()).with(c -> {
            c.listeners = List.of(Listener.at(ListenAddress.parse(address)));
            c.transport = Transport.EPOLL;
            c.eventLoops = loops;
            c.accessLog = AccessLog.OFF;
        });
    }

    private static int descriptorOf(int port) throws IOException {
        var lines = new ArrayList<>(Files.readAllLines(Path.of("/proc/self/net/tcp")));
        lines.addAll(Files.readAllLines(Path.of("/proc/self/net/tcp6")));
        String inode = lines.stream()
                .map(line -> line.strip().split("\\s+"))
                .filter(parts -> parts[1].endsWith(":%04X".formatted(port)) && parts[3].equals("0A"))
                .map(parts -> parts[9])
                .findFirst()
                .orElseThrow();
        try (Stream<Path> descriptors = Files.list(Path.of("/proc/self/fd"))) {
            return descriptors
                    .filter(link -> pointsTo(link, "socket:[" + inode + "]"))
                    .mapToInt(link -> Integer.parseInt(link.getFileName().toString()))
                    .findFirst()
                    .orElseThrow();
        }
    }

    private static boolean pointsTo(Path link, String target) {
        try {
            return Files.readSymbolicLink(link).toString().equals(target);
        } catch (IOException e) {
            return false;
        }
    }
}
