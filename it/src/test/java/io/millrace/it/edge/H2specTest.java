package io.millrace.it.edge;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.server.config.Listener.Protocol;
import io.millrace.server.test.RelayHarness;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.TreeSet;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Runs the 145 tests of h2spec for HTTP/2. Its binary for Linux on x86-64 is in a jar, which is a test dependency. */
final class H2specTest {
    /**
     * Netty's codec answers these three with another error than h2spec expects: a HEADERS frame for a stream that is half
     * closed or closed, and a number of a stream that is smaller than the last one. Each ends the stream or the connection.
     */
    private static final List<String> NETTYS = List.of(
            "half closed (remote): Sends a HEADERS frame",
            "closed: Sends a HEADERS frame",
            "Sends stream identifier that is numerically smaller than previous");

    private static final Pattern FAILED = Pattern.compile("× \\d+: (.*)");

    @TempDir
    private Path directory;

    @Test
    void failsInNothingButWhatIsNettys() throws IOException, InterruptedException {
        Path archive = directory.resolve("h2spec.tar.gz");
        try (InputStream in = H2specTest.class.getResourceAsStream("/h2spec/2.2.0/h2spec_linux_amd64.tar.gz")) {
            Files.copy(Objects.requireNonNull(in), archive);
        }
        run("tar", "-xzf", archive.toString(), "-C", directory.toString());
        var both = List.of(Protocol.H2, Protocol.HTTP_1_1);
        try (var harness = RelayHarness.start(config -> config.with(c -> c.listeners = config.listeners().stream()
                .map(listener -> listener.with(l -> l.protocols = both))
                .toList()))) {
            String port = String.valueOf(harness.port());
            String said = run(directory.resolve("h2spec").toString(), "-h", "127.0.0.1", "-p", port, "-o", "5");

            var failed = new TreeSet<String>();
            FAILED.matcher(said).results().forEach(result -> failed.add(result.group(1)));
            assertThat(said).contains("145 tests, 142 passed, 0 skipped, 3 failed");
            assertThat(failed).containsExactlyInAnyOrderElementsOf(NETTYS);
        }
    }

    private static String run(String... command) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        process.waitFor();
        return said;
    }
}
