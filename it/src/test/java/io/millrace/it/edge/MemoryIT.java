package io.millrace.it.edge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The memory of the packaged relay, which the kernel reports. The embedded mock LLM is part of the process here. The
 * bounds leave room for other machines and JDKs; docs/performance.md has what was measured.
 */
class MemoryIT {
    private static final Path PACKAGED = Path.of("..", "bench", "target");
    private static final Pattern ADDRESS = Pattern.compile(" listening on (http://127\\.0\\.0\\.1:\\d+)");
    private static final Duration LIMIT = Duration.ofSeconds(60);
    private static final String REQUEST =
            "{\"model\":\"mock:tokens=20,gap_ms=20\",\"stream\":true,\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]}";

    @TempDir
    private Path directory;

    private Process relay;

    @BeforeEach
    void unpack() throws IOException, InterruptedException {
        Path archive;
        try (Stream<Path> files = Files.list(PACKAGED)) {
            archive = files.filter(file -> file.getFileName().toString().matches("millrace-[0-9].*\\.tar\\.gz"))
                    .findFirst()
                    .orElseThrow(() -> new IllegalStateException("bench is not packaged: run mvn verify"));
        }
        var tar = new ProcessBuilder(
                        "tar", "-xzf", archive.toString(), "-C", directory.toString(), "--strip-components=1")
                .inheritIO()
                .start();
        assertThat(tar.waitFor()).isZero();
    }

    @AfterEach
    void stop() {
        relay.destroyForcibly();
        await().until(() -> !relay.isAlive());
    }

    @Test
    void theSmallProfileIsSmallAlsoAfterAHundredStreams() throws Exception {
        URI address = serve(Map.of("MILLRACE_PROFILE", "small"));
        assertThat(residentMib()).isLessThan(100);

        for (int i = 0; i < 3; i++) {
            streams(address, 100);
        }

        assertThat(residentMib()).isLessThan(130);
    }

    @Test
    void theDefaultProfileHasABound() throws Exception {
        serve(Map.of());

        assertThat(residentMib()).isLessThan(150);
    }

    private static void streams(URI address, int count) {
        var client = HttpClient.newHttpClient();
        var request = HttpRequest.newBuilder(address.resolve("/v1/chat/completions"))
                .header("Content-Type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofString(REQUEST))
                .timeout(LIMIT)
                .build();
        var answers = new ArrayList<CompletableFuture<HttpResponse<String>>>();
        for (int i = 0; i < count; i++) {
            answers.add(client.sendAsync(request, HttpResponse.BodyHandlers.ofString()));
        }
        assertThat(answers)
                .allSatisfy(answer -> assertThat(answer.join().body()).endsWith("data: [DONE]\n\n"));
    }

    private long residentMib() throws IOException {
        return Files.readAllLines(Path.of("/proc", Long.toString(relay.pid()), "status")).stream()
                .filter(line -> line.startsWith("VmRSS:"))
                .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")) / 1024)
                .findFirst()
                .orElseThrow();
    }

    /** Starts the relay on a free port. */
    private URI serve(Map<String, String> variables) throws IOException {
        Path output = directory.resolve("output.log");
        var builder = new ProcessBuilder(
                        directory.resolve("bin/millrace").toString(), "serve", "--listen", "127.0.0.1:0")
                .redirectErrorStream(true)
                .redirectOutput(output.toFile());
        builder.environment().keySet().removeIf(name -> name.startsWith("MILLRACE_") || name.endsWith("_API_KEY"));
        builder.environment().put("MILLRACE_WARM_UP", "off");
        builder.environment().putAll(variables);
        relay = builder.start();
        return await("ready line")
                .atMost(LIMIT)
                .until(() -> address(output), Optional::isPresent)
                .orElseThrow();
    }

    private Optional<URI> address(Path output) throws IOException {
        String printed = Files.readString(output);
        assertThat(relay.isAlive()).as(printed).isTrue();
        Matcher matcher = ADDRESS.matcher(printed);
        return matcher.find() ? Optional.of(URI.create(matcher.group(1))) : Optional.empty();
    }
}
