package io.millrace.it.deploy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import io.millrace.server.RelayServer;
import io.millrace.server.config.file.ConfigLoader;
import io.millrace.server.config.file.ConfigSources;
import io.millrace.server.mock.MockConfig;
import io.millrace.server.mock.MockServer;
import io.millrace.server.mock.MockSpec;
import io.millrace.server.redis.RedisServer;
import io.millrace.server.test.AccessLines;
import io.millrace.server.test.FreePort;
import io.millrace.server.test.RawClient;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Starts the examples with their own files. Only what a build cannot have is replaced in them: ports that may be taken,
 * and providers, for which the mock stands. {@code ExamplePageTest} has the page; Docker and the agents are not started.
 */
@Tag("sockets")
class ExamplesTest {
    private static final Path EXAMPLES =
            Path.of("..", "examples").toAbsolutePath().normalize();
    private static final ObjectMapper YAML = new ObjectMapper(new YAMLFactory());
    private static final Map<String, String> VARIABLES = Map.of(
            "OPENAI_API_KEY", "sk-openai",
            "ANTHROPIC_API_KEY", "sk-anthropic",
            "GEMINI_API_KEY", "gemini-key",
            "RESUME_SECRET", "0123456789abcdef0123456789abcdef");

    /** The addresses of a relay's file. */
    private static final Pattern LISTENED = Pattern.compile("(?<=\\nlisten: |[{ ]address: \"?)[0-9.]*:\\d+");

    private static final HttpClient HTTP = HttpClient.newHttpClient();

    private final Deque<AutoCloseable> open = new ArrayDeque<>();
    private final Map<String, String> replaced = new TreeMap<>();
    private MockServer mock;

    @TempDir
    private Path directory;

    @BeforeEach
    void startMock() {
        mock = opened(MockServer.start(MockConfig.defaults().withSpec(MockSpec.parse("tokens=3"))));
    }

    @AfterEach
    void close() throws Exception {
        while (!open.isEmpty()) {
            open.pop().close();
        }
    }

    @Test
    void oneFileInFrontOfALocalModel() throws Exception {
        replace("http://127.0.0.1:11434", mock.uri().toString());
        int port = serve("local-model/millrace.yaml");
        assertThat(ask(port, "/v1/chat/completions")).contains("data: [DONE]");
        // A client of another dialect is translated.
        assertThat(ask(port, "/v1/messages")).contains("event: message_stop");
        assertThat(mock.requests()).extracting(seen -> seen.uri()).containsOnly("/v1/chat/completions");
    }

    @Test
    void theNextProviderAnswersWhenOneCannot() throws Exception {
        var failing = opened(MockServer.start(MockConfig.defaults().withSpec(MockSpec.parse("status=503"))));
        replace("https://api.openai.com", failing.uri().toString());
        replace("https://api.anthropic.com", failing.uri().toString());
        replace("https://generativelanguage.googleapis.com", mock.uri().toString());
        int port = serve("three-providers/millrace.yaml");
        assertThat(ask(port, "/v1/chat/completions")).contains("\"content\":", "data: [DONE]");
        assertThat(failing.requests()).extracting(seen -> seen.uri()).contains("/v1/chat/completions", "/v1/messages");
        assertThat(mock.requests())
                .extracting(seen -> seen.uri())
                .singleElement()
                .asString()
                .contains("gemini-2.5-flash");
    }

    @Test
    void nginxInFrontHandsOnEachToken() throws Exception {
        int relay = serve("nginx/millrace.yaml");
        int port = port("127.0.0.1:8443");
        replace("127.0.0.1:8080", "127.0.0.1:" + relay);
        run(
                port,
                "nginx",
                "-p",
                directory.toString(),
                "-c",
                copy("nginx/nginx.conf").toString());
        readsTokensOneByOne(port);
        knowsTheClientBehindTheProxy(port);
    }

    @Test
    void oneOfTwoRelaysGoesAndItsStreamIsReadAtTheOther() throws Exception {
        var redis = opened(RedisServer.start(Files.createDirectory(directory.resolve("redis"))));
        replace("redis://127.0.0.1:6379", "redis://127.0.0.1:" + redis.port());
        replace("http://127.0.0.1:9100", mock.uri().toString());
        replace("shutdownDelay: 5s", "shutdownDelay: 2s");
        replace("inter 1s", "inter 200ms");
        RelayServer one = start("haproxy-redis/millrace.yaml");
        RelayServer two = start("haproxy-redis/millrace.yaml");
        replace("127.0.0.1:8081", "127.0.0.1:" + portOf(one));
        replace("127.0.0.1:8082", "127.0.0.1:" + portOf(two));
        int port = port("127.0.0.1:8080");
        run(port, "haproxy", "-db", "-f", copy("haproxy-redis/haproxy.cfg").toString());
        readsTokensOneByOne(port);
        knowsTheClientBehindTheProxy(port);
        // What is for operators is not for the clients of HAProxy.
        for (String path : List.of("/metrics", "/millrace/streams", "/millrace/live")) {
            assertThat(status(port, path)).as(path).isEqualTo(404);
        }

        String id;
        try (var client = new RawClient(port)) {
            client.send("POST", "/v1/chat/completions", body("mock"), "x-mock: tokens=40,gap_ms=50");
            id = RawClient.header(client.readHead(), "X-Millrace-Stream");
        }
        // Through HAProxy it does not matter which relay has it.
        for (int i = 0; i < 4; i++) {
            try (var client = new RawClient(port)) {
                client.send("GET", "/millrace/streams/" + id, "", "Connection: close");
                assertThat(client.readAll().text()).contains("data: [DONE]");
            }
        }
        // One stops: while it does, and afterwards, all is served.
        var drained = one.drain();
        await().pollInterval(Duration.ofMillis(50)).until(() -> {
            assertThat(ask(port, "/v1/chat/completions")).contains("data: [DONE]");
            return drained.isDone();
        });
        assertThat(ask(port, "/v1/chat/completions")).contains("data: [DONE]");
    }

    @Test
    void composeNamesFilesThatAreThereAndLoad() throws Exception {
        JsonNode compose =
                YAML.readTree(EXAMPLES.resolve("compose/compose.yaml").toFile());
        assertThat(compose.fieldNames()).toIterable().containsExactly("services");
        assertThat(compose.path("services").fieldNames())
                .toIterable()
                .containsExactly("millrace", "mock", "prometheus", "grafana");
        for (JsonNode service : compose.path("services")) {
            assertThat(service.fieldNames())
                    .toIterable()
                    .isSubsetOf(
                            "build",
                            "image",
                            "read_only",
                            "cap_drop",
                            "security_opt",
                            "stop_grace_period",
                            "volumes",
                            "ports",
                            "deploy",
                            "depends_on",
                            "command",
                            "healthcheck",
                            "environment");
            for (JsonNode volume : service.path("volumes")) {
                assertThat(EXAMPLES.resolve("compose").resolve(volume.asText().split(":", -1)[0]))
                        .isRegularFile();
            }
        }
        Files.copy(EXAMPLES.resolve("../monitoring/millrace.rules.yml"), directory.resolve("millrace.rules.yml"));
        assertThat(output(
                        "promtool",
                        "check",
                        "config",
                        copy("compose/prometheus.yml").toString()))
                .contains("SUCCESS");
        for (String file : List.of("datasources", "dashboards")) {
            assertThat(YAML.readTree(EXAMPLES.resolve("compose/grafana/" + file + ".yaml")
                                    .toFile())
                            .path("apiVersion")
                            .asInt())
                    .isEqualTo(1);
        }

        replace("http://mock:9100", mock.uri().toString());
        int port = serve("compose/millrace.yaml");
        assertThat(ask(port, "/v1/chat/completions")).contains("data: [DONE]");
    }

    /** The agents themselves run in scripts/agents; their requests are replayed in AgentRequestsTest. */
    @Test
    void theAgentsAreToldTheRelaysAddress() throws Exception {
        replace("http://127.0.0.1:11434", mock.uri().toString());
        String claude = new ObjectMapper()
                .readTree(EXAMPLES.resolve("agents/claude-settings.json").toFile())
                .at("/env/ANTHROPIC_BASE_URL")
                .asText();
        assertThat(Files.readString(EXAMPLES.resolve("agents/millrace.yaml")))
                .contains("listen: " + claude.substring("http://".length()));
        assertThat(Files.readString(EXAMPLES.resolve("agents/codex-config.toml")))
                .contains("base_url = \"" + claude + "/v1\"");
        int port = serve("agents/millrace.yaml");
        assertThat(ask(port, "/v1/messages?beta=true")).contains("event: message_stop");
        assertThat(ask(port, "/v1/responses")).contains("event: response.completed");
        assertThat(mock.requests())
                .extracting(seen -> new String(seen.body(), StandardCharsets.UTF_8))
                .hasSize(2)
                .allMatch(body -> body.contains("qwen3-coder"));
    }

    @Test
    void theIndexNamesEachExample() throws IOException {
        String index = Files.readString(EXAMPLES.resolve("README.md"));
        try (Stream<Path> directories = Files.list(EXAMPLES)) {
            assertThat(directories.filter(Files::isDirectory))
                    .isNotEmpty()
                    .allMatch(example -> index.contains("](" + example.getFileName() + ")"))
                    .allMatch(example -> Files.exists(example.resolve("README.md")));
        }
    }

    // ---------------------------------------------------------------- starting

    private void replace(String from, String to) {
        replaced.put(from, to);
    }

    /** A free port for a proxy, in place of that of {@code address}. */
    private int port(String address) {
        int port = FreePort.any();
        replace(address, address.substring(0, address.lastIndexOf(':')) + ":" + port);
        return port;
    }

    private int serve(String file) throws IOException {
        return portOf(start(file));
    }

    /** A relay with this file, at free ports. */
    private RelayServer start(String file) throws IOException {
        Path written = write(file, replaced);
        String text = LISTENED.matcher(Files.readString(written)).replaceAll("127.0.0.1:0");
        assertThat(text).contains("127.0.0.1:0");
        Files.writeString(written, text);
        var variables = new HashMap<>(VARIABLES);
        variables.keySet().removeIf(name -> !text.contains("env: " + name));
        return opened(RelayServer.start(ConfigLoader.load(new ConfigSources(written, variables, Map.of(), mock::uri))));
    }

    private Path copy(String file) throws IOException {
        return write(file, replaced);
    }

    private Path write(String file, Map<String, String> with) throws IOException {
        String text = Files.readString(EXAMPLES.resolve(file));
        for (Map.Entry<String, String> each : with.entrySet()) {
            text = text.replace(each.getKey(), each.getValue());
        }
        return Files.writeString(directory.resolve(Path.of(file).getFileName()), text);
    }

    /** Starts a proxy, and waits until it listens. */
    private void run(int port, String... command) throws IOException {
        var words = new ArrayList<>(List.of(command));
        words.set(0, found(command[0]));
        Process process = new ProcessBuilder(words)
                .redirectErrorStream(true)
                .redirectOutput(directory.resolve(command[0] + ".log").toFile())
                .start();
        opened(() -> {
            List<ProcessHandle> workers = process.descendants().toList();
            process.destroy();
            if (!process.waitFor(10, TimeUnit.SECONDS)) {
                process.destroyForcibly();
                workers.forEach(ProcessHandle::destroyForcibly);
            }
        });
        await().until(() -> {
            assertThat(process.isAlive())
                    .as(Files.readString(directory.resolve(command[0] + ".log")))
                    .isTrue();
            return connects(port);
        });
    }

    private static String found(String program) {
        return Stream.of("/usr/sbin", "/usr/bin", "/usr/local/sbin", "/usr/local/bin")
                .map(place -> Path.of(place, program))
                .filter(Files::isExecutable)
                .findFirst()
                .orElseThrow(() -> new IllegalStateException(program + " is not installed: run scripts/setup-it"))
                .toString();
    }

    private static String output(String... command) throws Exception {
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).as(output).isZero();
        return output;
    }

    private <T extends AutoCloseable> T opened(T resource) {
        open.push(resource);
        return resource;
    }

    private static int portOf(RelayServer relay) {
        return relay.addresses().get(0).getPort();
    }

    private static boolean connects(int port) {
        try (var socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
            return socket.isConnected();
        } catch (IOException e) {
            return false;
        }
    }

    // ---------------------------------------------------------------- asking

    private static String body(String model) {
        return "{\"model\":\"" + model + "\",\"stream\":true,\"max_tokens\":100,\"input\":\"Hi\",\"messages\":"
                + "[{\"role\":\"user\",\"content\":\"Hi\"}]}";
    }

    private static String ask(int port, String path) throws IOException, InterruptedException {
        var request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + path))
                .header("Content-Type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofString(body("any")))
                .build();
        return HTTP.send(request, HttpResponse.BodyHandlers.ofString()).body();
    }

    private static int status(int port, String path) throws IOException, InterruptedException {
        var request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + path))
                .build();
        return HTTP.send(request, HttpResponse.BodyHandlers.ofString()).statusCode();
    }

    /** The first token is here, though the second one comes an hour later. */
    private static void readsTokensOneByOne(int port) throws IOException {
        try (var client = new RawClient(port)) {
            client.send("POST", "/v1/chat/completions", body("mock:tokens=2,gap_ms=3600000"));
            String id = RawClient.header(client.readHead(), "X-Millrace-Stream");
            client.readUntil("\"content\":\"");
            int first = client.read();
            if (first == '"') { // the frame with the role has no text
                client.readUntil("\"content\":\"");
                first = client.read();
            }
            assertThat(first).isGreaterThanOrEqualTo(' ').isNotEqualTo('"');
            try (var stopper = new RawClient(port)) {
                stopper.send("DELETE", "/millrace/streams/" + id, "", "Connection: close");
                assertThat(stopper.readAll().status()).isEqualTo(204);
            }
        }
    }

    /** The log has the true address of a client that names another one. */
    private static void knowsTheClientBehindTheProxy(int port) throws IOException {
        String client = "127.0.0.2"; // unlike the proxy, which is trusted
        try (var lines = new AccessLines();
                var socket = new Socket(InetAddress.getLoopbackAddress(), port, InetAddress.getByName(client), 0)) {
            String request = """
                    GET /forged HTTP/1.1
                    Host: localhost
                    X-Forwarded-For: 203.0.113.9
                    Forwarded: for=203.0.113.9
                    Connection: close

                    """.replace("\n", "\r\n");
            socket.getOutputStream().write(request.getBytes(StandardCharsets.US_ASCII));
            await().untilAsserted(() -> assertThat(lines.all())
                    .filteredOn(line -> line.contains("\"/forged\""))
                    .singleElement()
                    .asString()
                    .contains("\"client_ip\":\"" + client + "\""));
        }
    }
}
