package io.millrace.it.edge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.withinPercentage;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.millrace.server.config.RelayConfig;
import io.millrace.server.config.Telemetry;
import io.millrace.server.test.FreePort;
import io.millrace.server.test.RelayHarness;
import java.io.IOException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Prometheus itself reads the metrics, and each panel of the dashboard and each rule finds what it asks for. */
final class PrometheusTest {
    private static final Path MONITORING = Path.of("..", "monitoring").toAbsolutePath();
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int STREAMS = 200;
    private static final int GAPS = 4;

    private final HttpClient http = HttpClient.newHttpClient();

    @TempDir
    private Path directory;

    @Test
    void promtoolAcceptsMetricsAndRules() throws IOException, InterruptedException {
        try (var harness = RelayHarness.start()) {
            harness.stream("/v1/chat/completions", "tokens=3");
            Path metrics = Files.write(
                    directory.resolve("metrics"), harness.relay.metrics().text());
            var check = new ProcessBuilder("promtool", "check", "metrics").redirectInput(metrics.toFile());
            assertThat(output(check)).isEmpty();
        }
        assertThat(output(new ProcessBuilder("promtool", "check", "rules", "millrace.rules.yml")))
                .contains("SUCCESS");
        assertThat(output(new ProcessBuilder("promtool", "test", "rules", "millrace.rules.test.yml")))
                .contains("SUCCESS")
                .doesNotContain("FAILED");
    }

    @Test
    void eachPanelHasData() throws Exception {
        int port = FreePort.any();
        try (var harness = RelayHarness.start()) {
            Process prometheus = prometheus(harness.port(), port);
            try {
                var waiting = new ArrayList<>(queries());
                Awaitility.await()
                        .alias("queries without data: " + waiting)
                        .atMost(Duration.ofSeconds(40))
                        .pollInterval(Duration.ofMillis(500))
                        .untilAsserted(() -> {
                            harness.stream("/v1/chat/completions", "tokens=5,gap_ms=2,usage=1");
                            waiting.removeIf(query -> hasData(port, query));
                            assertThat(waiting).isEmpty();
                        });
            } finally {
                prometheus.destroy();
                prometheus.waitFor();
            }
        }
    }

    /** Two kinds of streams with times that the mock is told: both are where Prometheus' own arithmetic finds them. */
    @Test
    void nativeHistogramsHaveTheTimesThatTheMockWasTold() throws Exception {
        int port = FreePort.any();
        try (var harness = RelayHarness.start(PrometheusTest::natively)) {
            Process prometheus = prometheus(harness.port(), port, "--enable-feature=native-histograms");
            try {
                for (int i = 0; i < 4; i++) {
                    harness.stream("/v1/chat/completions", "tokens=2,gap_ms=80,ttft_ms=20");
                    harness.stream("/v1/chat/completions", "tokens=2,gap_ms=80,ttft_ms=400");
                }
                Awaitility.await()
                        .ignoreExceptions()
                        .atMost(Duration.ofSeconds(40))
                        .untilAsserted(() -> {
                            assertThat(value(
                                            port,
                                            "histogram_count(sum(millrace_upstream_time_to_first_token_seconds))"))
                                    .isEqualTo(8);
                            assertThat(value(port, "histogram_count(sum(millrace_output_gap_seconds))"))
                                    .isEqualTo(8);
                        });
                String ttft = ", sum(millrace_upstream_time_to_first_token_seconds))";
                // A bucket is 4.4% wide, and a busy machine adds to a time.
                assertThat(value(port, "histogram_quantile(0.01" + ttft)).isBetween(0.018, 0.2);
                assertThat(value(port, "histogram_quantile(0.6" + ttft)).isBetween(0.365, 2.0);
                assertThat(value(port, "histogram_quantile(0.5, sum(millrace_output_gap_seconds))"))
                        .isBetween(0.073, 0.5);
                assertThat(value(port, "histogram_sum(sum(millrace_upstream_time_to_first_token_seconds))"))
                        .isBetween(4 * 0.42, 4 * 2.2);
            } finally {
                prometheus.destroy();
                prometheus.waitFor();
            }
        }
    }

    /**
     * The mock is told other times for each stream, and a client of its own measures them. What Prometheus makes of the
     * relay's metrics is within 5% of what the client saw.
     */
    @Test
    @Tag("time")
    void percentilesAreThoseOfAnIndependentClient() throws Exception {
        int port = FreePort.any();
        ExecutorService clients = Executors.newFixedThreadPool(20);
        var specs = new ArrayList<String>();
        for (int i = 0; i < STREAMS; i++) {
            // Evenly over four doublings: 50 to 800 ms and 20 to 320 ms. Each stream has another pair of them.
            long ttftMs = Math.round(50 * Math.pow(16, (i * 61 % STREAMS) / (double) STREAMS));
            long gapMs = Math.round(20 * Math.pow(16, (i * 87 % STREAMS) / (double) STREAMS));
            specs.add("tokens=" + (GAPS + 1) + ",ttft_ms=" + ttftMs + ",gap_ms=" + gapMs);
        }
        // The first requests of a JVM load classes, between the moments that the client and the relay take.
        try (var another = RelayHarness.start(PrometheusTest::natively)) {
            measure(another, clients, Collections.nCopies(STREAMS, "tokens=" + (GAPS + 1) + ",gap_ms=5"));
        }
        try (var harness = RelayHarness.start(PrometheusTest::natively)) {
            Process prometheus = prometheus(harness.port(), port, "--enable-feature=native-histograms");
            try {
                List<Times> measured = measure(harness, clients, specs);
                check(
                        port,
                        "millrace_time_to_first_token_seconds",
                        measured.stream().map(Times::ttft));
                check(port, "millrace_output_gap_seconds", measured.stream().flatMap(times -> times.gaps().stream()));
            } finally {
                prometheus.destroy();
                prometheus.waitFor();
            }
        } finally {
            clients.shutdownNow();
        }
    }

    private static RelayConfig natively(RelayConfig config) {
        return config.with(c -> c.telemetry = Telemetry.DEFAULT.with(t -> t.nativeHistograms = true));
    }

    private void check(int port, String metric, Stream<Double> measured) throws IOException, InterruptedException {
        List<Double> sorted = measured.sorted().toList();
        Awaitility.await()
                .ignoreExceptions()
                .atMost(Duration.ofSeconds(40))
                .untilAsserted(() -> assertThat(value(port, "histogram_count(sum(" + metric + "))"))
                        .isEqualTo(sorted.size()));
        for (int percent : new int[] {50, 99}) {
            double seen = sorted.get(sorted.size() * percent / 100 - 1);
            assertThat(value(port, "histogram_quantile(0." + percent + ", sum(" + metric + "))"))
                    .as("p%d of %s, in seconds", percent, metric)
                    .isCloseTo(seen, withinPercentage(5));
        }
    }

    /** In seconds: from the request to the first output, and between outputs. */
    private record Times(double ttft, List<Double> gaps) {}

    /** What each client measures of its stream. */
    private static List<Times> measure(RelayHarness harness, ExecutorService clients, List<String> specs)
            throws Exception {
        var all = new ArrayList<Times>();
        for (Future<Times> times : clients.invokeAll(specs.stream()
                .map(spec -> (Callable<Times>) () -> measure(harness, spec))
                .toList())) {
            all.add(times.get());
        }
        return all;
    }

    private static Times measure(RelayHarness harness, String spec) throws IOException {
        try (var client = harness.client()) {
            long sentNs = System.nanoTime();
            client.post(RelayHarness.withSpec("/v1/chat/completions", spec), "m", "");
            client.readUntil("\"content\":\"\""); // with the role
            client.readUntil("\"content\":\"");
            long beforeNs = System.nanoTime();
            double ttft = (beforeNs - sentNs) / 1e9;
            var gaps = new ArrayList<Double>();
            while (gaps.size() < GAPS) {
                client.readUntil("\"content\":\"");
                long nowNs = System.nanoTime();
                gaps.add((nowNs - beforeNs) / 1e9);
                beforeNs = nowNs;
            }
            client.readUntil("[DONE]");
            return new Times(ttft, gaps);
        }
    }

    private double value(int port, String query) throws IOException, InterruptedException {
        JsonNode result = query(port, query).path("data").path("result");
        return result.isEmpty() ? -1 : result.get(0).path("value").get(1).asDouble();
    }

    private Process prometheus(int relay, int port, String... more) throws IOException {
        Path config = Files.writeString(
                directory.resolve("prometheus.yml"), """
                global: {scrape_interval: 1s, evaluation_interval: 1s}
                rule_files: ["%s"]
                scrape_configs:
                  - job_name: millrace
                    static_configs: [{targets: ["127.0.0.1:%d"]}]
                """.formatted(MONITORING.resolve("millrace.rules.yml"), relay));
        var command = new ArrayList<>(List.of(
                "prometheus",
                "--config.file=" + config,
                "--storage.tsdb.path=" + directory.resolve("data"),
                "--web.listen-address=127.0.0.1:" + port));
        command.addAll(List.of(more));
        return new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(directory.resolve("log").toFile())
                .start();
    }

    /** The queries of all panels, with their variables as Grafana sets them. */
    private static List<String> queries() throws IOException {
        var queries = new ArrayList<String>();
        for (JsonNode panel :
                JSON.readTree(MONITORING.resolve("grafana.json").toFile()).get("panels")) {
            panel.path("targets")
                    .forEach(target -> queries.add(target.get("expr")
                            .asText()
                            .replace("$__rate_interval", "15s")
                            .replace("$upstream", ".*")));
        }
        assertThat(queries).hasSizeGreaterThan(20);
        queries.add("upstream:millrace_time_to_first_token_seconds:p95_5m");
        return queries;
    }

    private boolean hasData(int port, String query) {
        try {
            return !query(port, query).path("data").path("result").isEmpty();
        } catch (IOException e) {
            return false; // Prometheus does not listen yet
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    private JsonNode query(int port, String query) throws IOException, InterruptedException {
        String url =
                "http://127.0.0.1:" + port + "/api/v1/query?query=" + URLEncoder.encode(query, StandardCharsets.UTF_8);
        var response = http.send(HttpRequest.newBuilder(URI.create(url)).build(), BodyHandlers.ofString());
        JsonNode answer = JSON.readTree(response.body());
        assertThat(answer.path("status").asText()).as(query + " " + answer).isEqualTo("success");
        return answer;
    }

    private static String output(ProcessBuilder command) throws IOException, InterruptedException {
        Process process =
                command.directory(MONITORING.toFile()).redirectErrorStream(true).start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).as(output).isZero();
        return output;
    }
}
