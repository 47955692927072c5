package io.millrace.server.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.millrace.server.cli.HealthCommand.Place;
import io.millrace.server.config.ListenAddress;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The command that asks for the health of a relay, which may hang. */
@Tag("sockets")
class HealthCommandTest {
    private static final int LIMIT_MS = 300;

    @TempDir
    Path directory;

    /** A relay that hangs accepts nobody, so a client hangs in its connect once the queue is full. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    @Timeout(60) // the kernel gives up after two minutes
    void aFullQueueIsNoAnswer(boolean unix) throws IOException {
        var waiting = new ArrayList<SocketChannel>();
        try (ServerSocketChannel server = listening(unix)) {
            for (int i = 0; i < 2; i++) { // one more than its queue is told to hold
                SocketChannel client = SocketChannel.open(family(unix));
                waiting.add(client);
                client.configureBlocking(false);
                client.connect(server.getLocalAddress());
            }
            ListenAddress address = addressOf(server.getLocalAddress());
            assertThatThrownBy(() -> HealthCommand.status(Place.of(address), "/healthz", LIMIT_MS))
                    .hasMessage(address + "/healthz: no answer within 300 ms");
        } finally {
            for (SocketChannel client : waiting) {
                client.close();
            }
        }
    }

    @Test
    void asksAtAUnixSocket() throws Exception {
        try (ServerSocketChannel server = listening(true)) {
            var request = CompletableFuture.supplyAsync(() -> answer(server));
            Place place = Place.of(addressOf(server.getLocalAddress()));
            assertThat(HealthCommand.status(place, "/readyz", 30_000)).isEqualTo("503");
            assertThat(request.get()).isEqualTo("GET /readyz HTTP/1.1");
        }
    }

    /** It speaks HTTP/1.1, and sends no PROXY head. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "{address: '127.0.0.1:1', proxyProtocol: {from: 127.0.0.0/8}}",
                "{address: '0.0.0.0:1', proxyProtocol: {from: [10.0.0.0/8, 127.0.0.1]}}",
                "{address: 'unix:/tmp/no.sock', proxyProtocol: {from: unix}}",
                "{address: '127.0.0.1:1', protocols: h2}",
            })
    void asksNobodyWhoDoesNotUnderstandIt(String listener) throws IOException {
        assertThat(errorOf(listener)).contains("no address serves health over HTTP/1.1 without TLS and PROXY head");
    }

    @Test
    void aProxyElsewhereDoesNotMatter() throws IOException {
        assertThat(errorOf("{address: '127.0.0.1:1', proxyProtocol: {from: 10.0.0.0/8}}"))
                .contains("/healthz: Connection refused");
    }

    private String errorOf(String listener) throws IOException {
        Path file = Files.writeString(
                directory.resolve("millrace.yaml"),
                "listeners: [" + listener + "]\nupstreams: {a: {url: 'http://127.0.0.1:9100'}}");
        var err = new StringWriter();
        int code = Millrace.commandLine().setErr(new PrintWriter(err)).execute("health", file.toString());
        assertThat(code).isEqualTo(1);
        return err.toString();
    }

    private ServerSocketChannel listening(boolean unix) throws IOException {
        return ServerSocketChannel.open(family(unix))
                .bind(
                        unix
                                ? UnixDomainSocketAddress.of(directory.resolve("s"))
                                : new InetSocketAddress(InetAddress.getLoopbackAddress(), 0),
                        1);
    }

    private static StandardProtocolFamily family(boolean unix) {
        return unix ? StandardProtocolFamily.UNIX : StandardProtocolFamily.INET;
    }

    private static ListenAddress addressOf(SocketAddress address) {
        return ListenAddress.parse(
                address instanceof InetSocketAddress tcp ? "127.0.0.1:" + tcp.getPort() : "unix:" + address);
    }

    private static String answer(ServerSocketChannel server) {
        try (SocketChannel client = server.accept()) {
            var lines = new BufferedReader(
                    new InputStreamReader(Channels.newInputStream(client), StandardCharsets.US_ASCII));
            String request = lines.readLine();
            while (!lines.readLine().isEmpty()) {}
            client.write(ByteBuffer.wrap("HTTP/1.1 503 x\r\n\r\n".getBytes(StandardCharsets.US_ASCII)));
            return request;
        } catch (IOException e) {
            return e.toString();
        }
    }
}
