package io.millrace.server.cli;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import io.millrace.server.test.Certificates;
import io.millrace.server.test.FreePort;
import io.millrace.server.test.RelayHarness;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.slf4j.LoggerFactory;

@Tag("sockets")
class MillraceTest {
    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    @TempDir
    private Path directory;

    @Test
    void helpTeachesByExamples() {
        assertThat(execute("--help")).isZero();

        assertThat(out.toString())
                .contains("millrace serve --listen 127.0.0.1:8080 --upstream http://127.0.0.1:9100")
                .contains("OPENAI_API_KEY")
                .contains("check", "mock");
    }

    @Test
    void withoutCommandItShowsTheHelp() {
        assertThat(execute()).isZero();

        assertThat(out.toString()).contains("Usage: millrace");
    }

    @Test
    void versionNamesWhatRuns() {
        assertThat(execute("--version")).isZero();

        assertThat(out.toString())
                .containsPattern("(?m)^millrace \\d+\\.\\d+\\.\\d+(-[A-Za-z0-9.]+)?( \\([0-9a-f]{12}\\))?$")
                .containsPattern("(?m)^netty 4\\.2\\.")
                .containsPattern("(?m)^java \\d+")
                .containsPattern("(?m)^transport (epoll|kqueue|nio)$")
                .containsPattern("(?m)^tls ");
    }

    @Test
    void otherModulesCommandsComeInByTheDoor() {
        assertThat(execute("hello")).isEqualTo(7);

        assertThat(out.toString()).isEqualTo("hello" + System.lineSeparator());
    }

    @Test
    void failureIsOneLineAndExitCodeOne() {
        assertThat(execute("hello", "--fail", "no luck")).isEqualTo(1);

        assertThat(err.toString()).isEqualTo("millrace: no luck" + System.lineSeparator());
    }

    @Test
    void unknownCommandIsWrongUsage() {
        assertThat(execute("srve")).isEqualTo(2);

        assertThat(err.toString())
                .startsWith("millrace: 'srve' is no command")
                .contains("serve", "Try 'millrace --help'.")
                .hasLineCount(3);
    }

    @Test
    void unknownOptionIsWrongUsageOfItsCommand() {
        assertThat(execute("serve", "--lisen", "127.0.0.1:0")).isEqualTo(2);

        assertThat(err.toString())
                .startsWith("millrace: Unknown option: '--lisen'")
                .contains("--listen", "Try 'millrace serve --help'.");
    }

    @ParameterizedTest
    @ValueSource(strings = {"127.0.0.1:9100", "localhost:9100", "foo"})
    void upstreamWithoutASchemeIsToldHowOneLooks(String url) {
        assertThat(execute("check", "--upstream", url)).isEqualTo(2);

        assertThat(err.toString())
                .startsWith("--upstream: n")
                .contains("(expected: http://host:port or https://host)")
                .hasLineCount(1);
    }

    @Test
    void checkPrintsTheEffectiveConfig() throws IOException {
        var file =
                Files.writeString(directory.resolve("millrace.yaml"), "upstreams: {a: {url: 'http://127.0.0.1:9100'}}");

        assertThat(execute("check", file.toString(), "--listen", "127.0.0.1:1", "--listen", "[::1]:2", "--drain", "5s"))
                .isZero();

        assertThat(out.toString())
                .contains("- 127.0.0.1:1", "[::1]:2", "drain: 5s", "url: http://127.0.0.1:9100", "name: all");
        assertThat(err.toString()).isEmpty();
    }

    @Test
    void checkTellsEverythingThatIsWrongAndExitsWithOne() throws IOException {
        var file = Files.writeString(directory.resolve("millrace.yaml"), "lisen: 1\ntimeouts: {idle: x}\n");

        assertThat(execute("check", file.toString(), "--transport", "carrier-pigeon"))
                .isEqualTo(1);

        assertThat(err.toString()).contains("    1 | lisen: 1\n        ^\n");
        assertThat(err.toString().lines().filter(line -> !line.startsWith(" ")))
                .satisfiesExactly(
                        line -> assertThat(line).startsWith("--transport: carrier-pigeon (expected: "),
                        line -> assertThat(line).isEqualTo(file + ":1:1: lisen: unknown key, did you mean 'listen'?"),
                        line -> assertThat(line).startsWith(file + ":2:18: idle: 'x'"));
        assertThat(out.toString()).isEmpty();
    }

    @Test
    void checkOfFileThatIsMissingSaysSo() {
        assertThat(execute("check", directory.resolve("no.yaml").toString())).isEqualTo(1);

        assertThat(err.toString().strip()).endsWith("no.yaml: cannot be read: no such file");
    }

    @Test
    void mockRefusesSpecThatItDoesNotKnow() {
        assertThat(execute("mock", "--listen", "127.0.0.1:0", "--spec", "ttft=1"))
                .isEqualTo(2);

        assertThat(err.toString())
                .startsWith(
                        "millrace: mock key: ttft is unknown, did you mean 'ttft_ms'? (docs/mock.md lists the keys)");
    }

    @Test
    void mockRefusesAReplayDirectoryThatIsNone() {
        String missing = directory.resolve("missing").toString();

        assertThat(execute("mock", "--listen", "127.0.0.1:0", "--replay-dir", missing))
                .isEqualTo(1);

        assertThat(err.toString()).startsWith("millrace: replay directory: " + missing);
    }

    @Test
    void helpOfEachCommandHasExamplesThatCanBeCopied() {
        var commands = new ArrayList<>(Millrace.commandLine().getSubcommands().values());
        commands.add(Millrace.commandLine());
        for (var command : commands) {
            for (String line : command.getCommandSpec().usageMessage().footer()) {
                boolean example = line.startsWith("  ");
                assertThat(example ? line.length() : 0).as(line).isLessThanOrEqualTo(79);
            }
        }
        assertThat(execute("help", "serve")).isZero();
        assertThat(out.toString()).contains("Usage: millrace serve", "--listen=HOST:PORT", "-h, --help  ");
        var serve = Millrace.commandLine().getSubcommands().get("serve").getCommandSpec();
        GroupedHelp.groups(serve)
                .values()
                .forEach(options -> options.forEach(option -> assertThat(out.toString())
                        .as("whole words, so that URLs and names of files can be copied")
                        .contains(String.join(" ", option.description()).split("\\s+"))));
    }

    @ParameterizedTest
    @ValueSource(strings = {"bash", "zsh", "fish"})
    void completesCommandsAndOptions(String shell) {
        assertThat(execute("completion", shell)).isZero();

        assertThat(out.toString()).contains("serve", "check", shell.equals("fish") ? "-l listen -x" : "--listen");
        assertThat(out.toString()).doesNotContain("-a compare", "compare:");
    }

    @Test
    void completesForKnownShellsOnly() {
        assertThat(execute("completion", "tcsh")).isEqualTo(2);
        assertThat(err.toString()).contains("SHELL: tcsh (expected: bash, zsh or fish)");
    }

    @Test
    void checkWarnsOfAUrlThatNamesTheOperation() {
        assertThat(execute("check", "--upstream", "http://127.0.0.1:9/v1/chat/completions"))
                .isZero();
        assertThat(err.toString()).contains("warning: default: url: ", "ends with an operation");
    }

    @Test
    void checkProbesUpstreams() throws IOException {
        int gone;
        try (var socket = new ServerSocket(0, 5, InetAddress.getLoopbackAddress())) {
            gone = socket.getLocalPort();
            assertThat(execute("check", "--probe", "--upstream", "http://127.0.0.1:" + gone))
                    .isZero();
            assertThat(err.toString()).contains("default: http://127.0.0.1:" + gone + ": connects");
        }
        assertThat(execute("check", "--probe", "--upstream", "http://127.0.0.1:" + gone))
                .isEqualTo(1);
        assertThat(err.toString()).contains("the connection is refused at 127.0.0.1:" + gone);
    }

    @Test
    void aProbeSaysThatANameDoesNotResolve() {
        String url = "https://no-such-host.invalid:8000";
        assertThat(execute("check", "--probe", "--upstream", url)).isEqualTo(1);
        assertThat(err.toString().lines()).containsExactly("default: " + url + ": the name does not resolve");
    }

    @Test
    void theValueOfAnUnknownOptionIsNoOption() {
        assertThat(execute("mock", "--spek", "tokens=5")).isEqualTo(2);

        assertThat(err.toString())
                .contains("Unknown option: '--spek'\n", "--spec")
                .doesNotContain("tokens=5");
    }

    @Test
    void aProbeSaysWhyTlsFails(@TempDir Path directory) throws Exception {
        var logged = new ListAppender<ILoggingEvent>();
        logged.start();
        var log = (Logger) LoggerFactory.getLogger("io.netty");
        log.addAppender(logged);
        RelayHarness.speakTls(Certificates.in(directory));
        try (var relay = RelayHarness.start()) {
            String plain = "https://localhost:" + relay.mock.port();
            assertThat(execute("check", "--probe", "--upstream", plain)).isEqualTo(1);
            assertThat(execute("check", "--probe", "--upstream", "https://localhost:" + relay.port()))
                    .isEqualTo(1);

            assertThat(err.toString().lines())
                    .containsExactly(
                            "default: " + plain + ": the server closed the connection in the TLS handshake",
                            "default: https://localhost:" + relay.port()
                                    + ": the certificate is not signed by an authority that is trusted here");
            assertThat(logged.list)
                    .noneMatch(event -> event.getLevel().isGreaterOrEqual(Level.WARN)
                            && event.getThreadName().startsWith("probe"));
        } finally {
            RelayHarness.speakTls(null);
            log.detachAppender(logged);
        }
    }

    @Test
    void aProbeTellsAResetAsAClose() throws Exception {
        CompletableFuture<Void> resets;
        try (var server = new ServerSocket(0, 9, InetAddress.getLoopbackAddress())) {
            resets = CompletableFuture.runAsync(() -> reset(server));
            String url = "https://127.0.0.1:" + server.getLocalPort();
            assertThat(execute("check", "--probe", "--upstream", url)).isEqualTo(1);
            assertThat(err.toString().lines())
                    .containsExactly("default: " + url + ": the server closed the connection in the TLS handshake");
        }
        assertThat(resets).succeedsWithin(Duration.ofSeconds(30));
    }

    /** Resets each connection when its client has said something, until the server is closed. */
    private static void reset(ServerSocket server) {
        try {
            while (true) {
                try (Socket client = server.accept()) {
                    client.getInputStream().read();
                    client.setSoLinger(true, 0);
                }
            }
        } catch (IOException e) {
            if (!server.isClosed()) {
                throw new UncheckedIOException(e);
            }
        }
    }

    @Test
    void asksTheHealthOfTheRelayThatTheConfigurationStarts() throws IOException {
        try (var relay = RelayHarness.start()) {
            int port = relay.relay.addresses().get(0).getPort();
            var file = Files.writeString(
                    directory.resolve("millrace.yaml"),
                    "listeners: [{address: '127.0.0.1:1', serves: relay}, {address: '0.0.0.0:" + port + "'}]\n"
                            + "upstreams: {a: {url: 'http://127.0.0.1:9100'}}");
            assertThat(execute("health", file.toString())).as(err.toString()).isZero();
            assertThat(out).hasToString("0.0.0.0:" + port + "/healthz: 200" + System.lineSeparator());
            assertThat(execute("health", "--ready", "--listen", ":" + port)).isZero();
        }
        assertThat(execute("health", "--listen", "127.0.0.1:" + FreePort.any())).isEqualTo(1);
        assertThat(err.toString()).contains("/healthz: Connection refused");
    }

    @Test
    void healthNeedsAnAddressThatCanBeAsked() throws IOException {
        var file = Files.writeString(
                directory.resolve("millrace.yaml"),
                "listeners: [{address: '127.0.0.1:1', serves: relay}]\nupstreams: {a: {url: 'http://127.0.0.1:9100'}}");
        assertThat(execute("health", file.toString())).isEqualTo(1);
        assertThat(err.toString()).contains("no address serves health over HTTP/1.1 without TLS");
    }

    @Test
    void printsTheSchema() {
        assertThat(execute("check", "--schema")).isZero();
        assertThat(out.toString()).startsWith("{\n  \"$schema\"").contains("\"upstreams\": {");
    }

    private int execute(String... arguments) {
        return Millrace.commandLine()
                .setOut(new PrintWriter(out, true))
                .setErr(new PrintWriter(err, true))
                .execute(arguments);
    }
}
