package io.millrace.server.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.millrace.server.RelayServer;
import io.millrace.server.config.RelayConfig;
import io.millrace.server.listen.ControlSocket;
import io.millrace.server.listen.TakeOver;
import io.millrace.server.test.RawClient;
import io.millrace.server.transport.Transport;
import io.netty.channel.epoll.Epoll;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Processes that take over from each other. */
@Tag("sockets")
class TakeOverProcessTest {
    private static final Pattern PORT = Pattern.compile("listening on http://127\\.0\\.0\\.1:(\\d+)");
    private static final String SLOW = "/v1/chat/completions?mock=tokens%3D3,pause_after%3D2,pause_ms%3D8000";

    @TempDir
    private Path directory;

    private String config;
    private String control;

    @BeforeEach
    void configure() throws IOException {
        assumeTrue(Epoll.isAvailable(), "sockets are taken over on Linux only");
        control = directory.resolve("control.sock").toString();
        config = directory.resolve("millrace.yaml").toString();
        Files.writeString(
                Path.of(config), "listen: 127.0.0.1:0\ntransport: epoll\naccessLog: off\ntakeover: " + control + "\n");
    }

    @Test
    void theNewProcessServesAndTheOldOneExitsWhenItsStreamsHaveEnded() throws Exception {
        try (var old = LauncherProcess.start("serve", config)) {
            int port = port(old);
            try (var client = new RawClient(port)) {
                client.socket().setSoTimeout(60_000);
                client.post(SLOW, "m", "");
                client.readUntil("data: ");
                try (var young = LauncherProcess.start("serve", config, "--takeover", control)) {
                    assertThat(port(young)).isEqualTo(port);
                    assertThat(client.readUntil("data: [DONE]")).contains("\"finish_reason\":\"stop\"");
                    assertThat(old.awaitExit()).isZero();
                    ask(port);
                    try (var third = LauncherProcess.start("serve", config, "--takeover", control)) {
                        assertThat(port(third)).isEqualTo(port);
                        assertThat(young.awaitExit()).isZero();
                        ask(port);
                        third.signal("TERM");
                        assertThat(third.awaitExit()).isZero();
                        assertThat(Files.exists(Path.of(control))).isFalse();
                    }
                }
            }
        }
    }

    @Test
    void aProcessThatCannotStartSaysWhyAndTheOldOneGoesOn() throws Exception {
        try (var old = LauncherProcess.start("serve", config)) {
            int port = port(old);
            try (var young = LauncherProcess.start("serve", config, "--listen", "192.0.2.1:1", "--takeover", control)) {
                assertThat(young.awaitErr(line -> line.contains("192.0.2.1:1")))
                        .contains("listen: 192.0.2.1:1 cannot be bound");
                assertThat(young.awaitExit()).isNotZero();
            }
            old.awaitErr(line -> line.contains("this one goes on"));
            ask(port);
        }
        try (var nobody = LauncherProcess.start("serve", config, "--takeover", control + ".none")) {
            assertThat(nobody.awaitErr(line -> line.contains("takeover: "))).contains(".none");
            assertThat(nobody.awaitExit()).isNotZero();
        }
    }

    /** Killed with the sockets in its hands, or when it serves and has not told the old one. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void theOldProcessGoesOnIfTheNewOneIsKilled(boolean serves) throws Exception {
        try (var old = LauncherProcess.start("serve", config)) {
            int port = port(old);
            try (var client = new RawClient(port)) {
                client.socket().setSoTimeout(60_000);
                client.post(SLOW.replace("8000", "3000"), "m", "");
                client.readUntil("data: ");
                try (var young = LauncherProcess.start(TakingProcess.class, control, Boolean.toString(serves))) {
                    young.awaitOut(line -> line.equals("taken"));
                    young.signal("KILL");
                    young.awaitExit();
                }
                old.awaitErr(line -> line.contains("this one goes on"));
                for (int i = 0; i < 20; i++) {
                    ask(port);
                }
                try (var third = LauncherProcess.start("serve", config, "--takeover", control)) {
                    assertThat(port(third)).isEqualTo(port);
                    assertThat(client.readUntil("data: [DONE]")).contains("\"finish_reason\":\"stop\"");
                    assertThat(old.awaitExit()).isZero();
                    ask(port);
                }
            }
        }
    }

    @Test
    void theNewProcessServesAlsoIfTheOldOneIsKilledBeforeItHasLetGo() throws Exception {
        Path path = Path.of(control);
        RelayConfig own =
                RelayConfig.relayTo(URI.create("http://127.0.0.1:9")).with(c -> c.transport = Transport.EPOLL);
        try (var old = LauncherProcess.start("serve", config)) {
            int port = port(old);
            try (var takeOver = TakeOver.of(path)) {
                old.signal("KILL");
                old.awaitExit();
                try (var young = RelayServer.start(own, takeOver.sockets())) {
                    takeOver.go();
                    assertThat(young.addresses().get(0).getPort()).isEqualTo(port);
                    ask(port);
                    ControlSocket.open(path, young.listeners(), () -> {}).close();
                }
            }
        }
    }

    private static int port(LauncherProcess process) throws InterruptedException {
        Matcher matcher = PORT.matcher(process.awaitOut(line -> line.contains("listening on")));
        assertThat(matcher.find()).isTrue();
        return Integer.parseInt(matcher.group(1));
    }

    private static void ask(int port) throws IOException {
        try (var client = new RawClient(port)) {
            client.send("GET", "/healthz", "");
            assertThat(client.readAll().status()).isEqualTo(200);
        }
    }
}
