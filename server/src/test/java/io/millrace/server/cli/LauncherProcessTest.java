package io.millrace.server.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.millrace.server.mock.MockConfig;
import io.millrace.server.mock.MockServer;
import io.millrace.server.test.RawClient;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@Tag("sockets")
class LauncherProcessTest {
    private static final Pattern ADDRESS = Pattern.compile("http://127\\.0\\.0\\.1:\\d+");
    private static final String PROMPT =
            "{\"model\":\"mock\",\"stream\":true,\"messages\":[{\"role\":\"user\",\"content\":\"Hello\"}]}";

    private static final ObjectMapper JSON = new ObjectMapper();

    private final HttpClient client = HttpClient.newHttpClient();

    @TempDir
    private Path directory;

    @Test
    void mockEndsWithZeroOnSigterm() throws Exception {
        try (var launcher = LauncherProcess.start("mock", "--listen", "127.0.0.1:0")) {
            var mock = address(launcher.awaitOut(line -> line.contains("mock LLM listening on http://")));
            assertThat(ask(mock)).contains("[DONE]");

            launcher.signal("TERM");

            assertThat(launcher.awaitExit()).isZero();
        }
    }

    @Test
    void serveWithoutKeysAnswersByTheMockAndEndsWithZeroOnSigterm() throws Exception {
        try (var launcher = LauncherProcess.start("serve", "--listen", "127.0.0.1:0")) {
            var relay = address(launcher.awaitErr(line -> line.contains(" -> embedded mock LLM")));
            var hint = launcher.awaitErr(line -> line.contains("curl -N"));
            assertThat(hint).contains("http://localhost:" + relay.getPort() + "/v1/chat/completions", PROMPT);
            assertThat(ask(relay)).contains("[DONE]");
            // Nothing else comes on standard output, whoever reads it as JSON.
            assertThat(launcher.awaitOut(line -> true))
                    .startsWith("{")
                    .contains("/v1/chat/completions")
                    .endsWith("}");

            launcher.signal("TERM");

            assertThat(launcher.awaitExit()).isZero();
        }
    }

    @Test
    void serveEndsWithZeroOnSigint() throws Exception {
        try (var launcher = LauncherProcess.start("serve", "--listen", "127.0.0.1:0")) {
            launcher.awaitErr(line -> line.contains("starting: millrace "));
            launcher.awaitErr(
                    line -> line.matches(".* ready after \\d+ m?s: http://127\\.0\\.0\\.1:\\d+, upstreams mock"));
            assertThat(ask(address(launcher.awaitErr(line -> line.contains("listening on")))))
                    .contains("[DONE]");
            launcher.awaitOut(line -> line.contains("\"completed\""));

            launcher.signal("INT");

            launcher.awaitErr(line -> line.matches(".* stopping: \\d clients, \\d requests in progress"));
            launcher.awaitErr(line -> line.matches(".* stopped after \\d+ m?s: 1 requests, 1 of them event streams"));
            assertThat(launcher.awaitExit()).isZero();
        }
    }

    @Test
    void everyLineOnStandardErrorIsJsonIfThatIsAskedFor() throws Exception {
        var file = Files.writeString(directory.resolve("millrace.yaml"), "accessLog: json\n");
        var variables = Map.of("MILLRACE_LOG_FORMAT", "json");
        var flags = List.of("-Xmx128m", "-XX:TieredStopAtLevel=1");
        try (var launcher =
                LauncherProcess.start(variables, flags, "serve", file.toString(), "--listen", "127.0.0.1:0")) {
            JsonNode ready = message(launcher, "ready after ");
            assertThat(ready.get("level").asText()).isEqualTo("INFO");
            Files.writeString(file, "lisen: 1\n");
            launcher.signal("HUP");
            assertThat(message(launcher, file + ":1:1: lisen: unknown key")
                            .get("level")
                            .asText())
                    .isEqualTo("ERROR");
            Files.writeString(file, "eventLoops: 3\n");
            launcher.signal("HUP");
            message(launcher, "only a restart changes eventLoops");
            launcher.signal("TERM");
            message(launcher, "stopped after ");
            assertThat(launcher.awaitExit()).isZero();
        }
    }

    /** The next message that begins so. Each line before it is JSON, too, but for those of the JVM itself. */
    private static JsonNode message(LauncherProcess launcher, String begin) throws Exception {
        while (true) {
            String text = launcher.awaitErr(any -> !any.isEmpty() && !any.startsWith("WARNING: "));
            JsonNode line = JSON.readTree(text);
            assertThat(line.has("formattedMessage")).as(text).isTrue();
            if (line.get("formattedMessage").asText().startsWith(begin)) {
                return line;
            }
        }
    }

    @Test
    void sighupReadsTheFileAgainAndKeepsTheOldOneWhenItIsWrong() throws Exception {
        try (var first = MockServer.start(MockConfig.defaults());
                var second = MockServer.start(MockConfig.defaults())) {
            var file = Files.writeString(directory.resolve("millrace.yaml"), upstream(first));
            try (var launcher = LauncherProcess.start("serve", file.toString(), "--listen", "127.0.0.1:0")) {
                var relay = address(launcher.awaitErr(line -> line.contains("listening on")));

                Files.writeString(file, "lisen: 1\n" + upstream(second));
                launcher.signal("HUP");
                launcher.awaitErr(line -> line.endsWith(file + ":1:1: lisen: unknown key, did you mean 'listen'?"));
                launcher.awaitErr(line -> line.contains("the old one stays"));
                ask(relay);
                assertThat(first.requests()).hasSize(1);

                Files.writeString(file, upstream(second));
                launcher.signal("HUP");
                launcher.awaitErr(line -> line.contains("configuration reloaded"));
                ask(relay);
                assertThat(first.requests()).hasSize(1);
                assertThat(second.requests()).hasSize(1);
                try (var scraper = new RawClient(relay.getPort())) {
                    scraper.send("GET", "/metrics", "");
                    assertThat(scraper.readAll().text())
                            .contains("millrace_config_reloads_total{result=\"failed\"} 1.0")
                            .contains("millrace_config_reloads_total{result=\"taken\"} 1.0");
                }
            }
        }
    }

    @Test
    void sighupOpensARotatedLogAgainAlthoughTheConfigurationIsWrong() throws Exception {
        Path log = directory.resolve("access.log");
        var file =
                Files.writeString(directory.resolve("millrace.yaml"), "accessLog: {format: json, file: " + log + "}\n");
        try (var launcher = LauncherProcess.start("serve", file.toString(), "--listen", "127.0.0.1:0")) {
            launcher.awaitOut(line -> line.contains("listening on"));
            Files.writeString(file, "lisen: 1\n");
            Files.move(log, directory.resolve("access.log.1"));
            launcher.signal("HUP");
            launcher.awaitErr(line -> line.contains("the old one stays"));
            assertThat(log).exists();
        }
    }

    /** What has been passed to the kernel survives the process, whole, and in one file or the other. */
    @Test
    void usageOfAnswersIsInItsFilesAlthoughTheProcessIsKilled() throws Exception {
        var file = Files.writeString(
                directory.resolve("millrace.yaml"),
                "accessLog: off\ntelemetry: {usageLog: {file: usage.jsonl, rotate: 4KiB}}\n");
        Path rotated = directory.resolve("usage.jsonl.1");
        try (var launcher = LauncherProcess.start("serve", file.toString(), "--listen", "127.0.0.1:0")) {
            var relay = address(launcher.awaitOut(line -> line.contains("listening on")));
            var ids = new TreeSet<String>();
            for (int i = 0; i < 3; i++) {
                ids.add(askForUsage(relay));
            }
            // Between its rename and the next one, there is no file.
            await().ignoreExceptions().until(() -> usage().size() == ids.size());
            Files.move(directory.resolve("usage.jsonl"), rotated);
            launcher.signal("HUP");
            launcher.awaitErr(line -> line.contains("configuration reloaded"));
            // What arrives together goes into one file, so a slow machine needs more for two files.
            await().pollInterval(Duration.ofMillis(1)).until(() -> {
                ids.add(askForUsage(relay));
                return isRotatedBySize();
            });
            // A line is passed on within a quarter of a second. This is the last one.
            await().ignoreExceptions().until(() -> usage().size() == ids.size());
            launcher.signal("KILL");
            launcher.awaitExit();
            assertThat(usage()).containsExactlyInAnyOrderElementsOf(ids);
            assertThat(rotated).exists();
        }
    }

    private String askForUsage(URI relay) throws Exception {
        return ask(relay, "mock:tokens=1,ttft_ms=0")
                .headers()
                .firstValue("x-millrace-request-id")
                .orElseThrow();
    }

    private boolean isRotatedBySize() throws IOException {
        try (Stream<Path> files = Files.list(directory)) {
            return files.anyMatch(each -> each.getFileName().toString().matches("usage\\.jsonl\\.\\d{8}T.*"));
        }
    }

    /** The ids in all lines for billing, each as often as it is there. */
    private List<String> usage() throws IOException {
        var ids = new ArrayList<String>();
        try (Stream<Path> files = Files.list(directory)) {
            for (Path each : files.filter(path -> path.getFileName().toString().startsWith("usage"))
                    .toList()) {
                for (String line : Files.readAllLines(each)) {
                    ids.add(JSON.readTree(line).get("id").asText());
                }
            }
        }
        return ids;
    }

    @Test
    void configThatIsWrongIsExitCodeOneWithEveryProblem() throws Exception {
        var file = Files.writeString(directory.resolve("millrace.yaml"), "lisen: 1\neventLoops: x\n");
        try (var launcher = LauncherProcess.start("serve", file.toString())) {
            launcher.awaitErr(line -> line.startsWith(file + ":1:1: lisen: unknown key"));
            launcher.awaitErr(line -> line.startsWith(file + ":2:13: eventLoops: 'x'"));

            assertThat(launcher.awaitExit()).isEqualTo(1);
        }
    }

    @Test
    void addressInUseIsExitCodeOneInOneLine() throws Exception {
        try (var taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
                var launcher = LauncherProcess.start("serve", "--listen", "127.0.0.1:" + taken.getLocalPort())) {
            assertThat(launcher.awaitErr(line -> line.startsWith("millrace: ")))
                    .contains("127.0.0.1:" + taken.getLocalPort(), "in use");

            assertThat(launcher.awaitExit()).isEqualTo(1);
        }
    }

    private String ask(URI base) throws IOException, InterruptedException {
        return ask(base, "mock").body();
    }

    private HttpResponse<String> ask(URI base, String model) throws IOException, InterruptedException {
        var request = HttpRequest.newBuilder(base.resolve("/v1/chat/completions"))
                .header("Content-Type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofString(PROMPT.replace("\"mock\"", '"' + model + '"')))
                .build();
        return client.send(request, HttpResponse.BodyHandlers.ofString());
    }

    private static URI address(String line) {
        var matcher = ADDRESS.matcher(line);
        assertThat(matcher.find()).as(line).isTrue();
        return URI.create(matcher.group());
    }

    private static String upstream(MockServer mock) {
        return "upstreams: {mock: {url: '" + mock.uri() + "'}}\n";
    }
}
