package io.millrace.server.config.file;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.millrace.codec.dialect.Dialect;
import io.millrace.codec.dialect.HeartbeatForm;
import io.millrace.server.address.AddressSet;
import io.millrace.server.config.Cors;
import io.millrace.server.config.Credential;
import io.millrace.server.config.ListenAddress.HostAndPort;
import io.millrace.server.config.Listener;
import io.millrace.server.config.Match;
import io.millrace.server.config.RelayConfig;
import io.millrace.server.config.RelayConfig.AccessLog;
import io.millrace.server.config.RelayConfig.ClientAccess.OnStoreFailure;
import io.millrace.server.config.RelayConfig.OwnPaths;
import io.millrace.server.config.Route;
import io.millrace.server.config.Route.Heartbeat;
import io.millrace.server.config.Telemetry;
import io.millrace.server.config.Telemetry.UsageLog;
import io.millrace.server.config.Upstream;
import io.netty.pkitesting.CertificateBuilder;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class ConfigLoaderTest {
    private static final URI MOCK = URI.create("http://127.0.0.1:4711");
    private static final String FULL = """
            listen: [127.0.0.1:8080, "[::1]:8080"]
            transport: nio
            eventLoops: 3
            timeouts: {idle: 90s, terminalGrace: 250ms}
            limits:
              lowWatermark: 64KiB
              highWatermark: 128KiB
              body: 1GiB
              connectionsPerAddress: 10
              handshakes: 20
              streams: 100
              streamsPerAddress: 0
            trustedProxies: [10.0.0.0/8, "::1", unix]
            heartbeat: 20s
            accessLog: {format: text, file: access.log}
            telemetry: {usageLog: {file: usage.jsonl, rotate: 64MiB}, nativeHistograms: true}
            ownPaths: {metrics: false}
            cors: {origins: ["https://app.example.com", "http://localhost:3000"], credentials: true, maxAge: 5m}
            upstreams:
              openai:
                url: https://api.openai.com/v1
                credential: {env: KEY}
              local:
                url: http://127.0.0.1:11434
                kind: anthropic
                credential: {file: key.txt}
                maxConnections: 12
                idle: 5s
            routes:
              - name: local
                match: {models: [llama-*, qwen], paths: /v1/*, header: X-Local}
                upstream: local
                rewriteModel: llama-3.3
                dialect: messages
                timeouts: {ttft: 30s}
                heartbeat: {interval: off, form: comment, early: true}
              - upstream: openai
            """;

    private static final String CREDENTIAL = "upstreams:\n  a:\n    url: http://h\n    credential: ";
    private static final String ROUTE_TIMEOUTS =
            "upstreams: {a: {url: 'http://h'}}\nroutes:\n  - upstream: a\n    timeouts: ";

    @TempDir
    private Path directory;

    @Test
    void readsWholeFile() {
        secretFile("key.txt", "rw-------");

        var config = load(FULL, Map.of("KEY", "s3cret"), Map.of());

        assertThat(config.listeners())
                .extracting(listener -> ((HostAndPort) listener.address()).host())
                .containsExactly("127.0.0.1", "::1");
        assertThat(config.transport().label()).isEqualTo("nio");
        assertThat(config.eventLoops()).isEqualTo(3);
        assertThat(config.timeouts().idle()).isEqualTo(Duration.ofSeconds(90));
        assertThat(config.limits().highWatermark()).isEqualTo(128 * 1024);
        assertThat(config.limits().lowWatermark()).isEqualTo(64 * 1024);
        assertThat(config.limits().body()).isEqualTo(1L << 30);
        assertThat(config.limits().connectionsPerAddress()).isEqualTo(10);
        assertThat(config.limits().handshakes()).isEqualTo(20);
        assertThat(config.limits().streams()).isEqualTo(100);
        assertThat(config.limits().streamsPerAddress()).isZero();
        assertThat(config.trustedProxies()).isEqualTo(AddressSet.of("10.0.0.0/8", "::1", "unix"));
        assertThat(config.accessLog()).isEqualTo(new AccessLog(AccessLog.Format.TEXT, directory.resolve("access.log")));
        assertThat(config.telemetry())
                .isEqualTo(Telemetry.DEFAULT
                        .with(t -> t.usageLog = new UsageLog(directory.resolve("usage.jsonl"), 64 << 20))
                        .with(t -> t.nativeHistograms = true));
        assertThat(config.ownPaths()).isEqualTo(OwnPaths.ALL.with(o -> o.metrics = false));
        assertThat(config.cors())
                .isEqualTo(new Cors(
                        List.of("https://app.example.com", "http://localhost:3000"), true, Duration.ofMinutes(5)));
        assertThat(config.upstreams()).containsOnlyKeys("openai", "local");
        assertThat(config.upstreams().get("openai").credential().value()).isEqualTo("Bearer s3cret");
        var local = config.upstreams().get("local");
        assertThat(local.credential().header()).isEqualTo("x-api-key");
        assertThat(local.credential().value()).isEqualTo("from-file");
        assertThat(local.maxConnections()).isEqualTo(12);
        assertThat(local.idle()).isEqualTo(Duration.ofSeconds(5));
        var route = config.routes().get(0);
        assertThat(route.match()).isEqualTo(new Match(List.of("/v1/*"), List.of("llama-*", "qwen"), "x-local"));
        assertThat(route.rewriteModel()).isEqualTo("llama-3.3");
        assertThat(route.dialect()).isEqualTo(Dialect.MESSAGES);
        assertThat(route.timeouts().ttft()).isEqualTo(Duration.ofSeconds(30));
        assertThat(route.timeouts().idle()).isEqualTo(Duration.ofSeconds(90));
        assertThat(route.heartbeat()).isEqualTo(new Heartbeat(Duration.ZERO, HeartbeatForm.COMMENT, true));
        assertThat(config.routes().get(1))
                .isEqualTo(Route.of("route-2", Match.ALL, "openai")
                        .with(r -> r.timeouts = config.timeouts())
                        .with(r -> r.heartbeat = Heartbeat.DEFAULT.with(h -> h.interval = Duration.ofSeconds(20))));
    }

    @Test
    void effectiveConfigReadsBackAsTheSameAndShowsNoKey() {
        secretFile("key.txt", "rw-------");
        var environment = Map.of("KEY", "s3cret");
        var config = load(FULL, environment, Map.of());

        var yaml = EffectiveConfig.toYaml(config);

        assertThat(yaml).contains("env: KEY").doesNotContain("s3cret").doesNotContain("from-file");
        assertThat(load(yaml, environment, Map.of())).isEqualTo(config);
    }

    @Test
    void readsJson() throws IOException {
        var file = Files.writeString(
                directory.resolve("c.json"),
                "{\"listen\": \"[::1]:1\",\n\t\"upstreams\": {\"a\": {\"url\": \"http://h\"}}}");

        var config = ConfigLoader.load(new ConfigSources(file, Map.of(), Map.of(), () -> MOCK));

        assertThat(config.listeners()).containsExactly(Listener.at(new HostAndPort("::1", 1)));
        assertThat(config.routes()).extracting(Route::upstream).containsExactly("a");
    }

    @ParameterizedTest
    @CsvSource({
        "http://my_vllm:8000, my_vllm, 8000, my_vllm:8000",
        "https://stack_svc.ns:8443/v1, stack_svc.ns, 8443, stack_svc.ns:8443",
        "https://a_b/v1, a_b, 443, a_b",
        "http://_x._tcp, _x._tcp, 80, _x._tcp",
        "http://unix:/run/a.sock, unix:/run/a.sock, 80, localhost",
        "http://unix:/run/a%20b:/v1/, unix:/run/a b, 80, localhost",
        "'http://[::1]:1', ::1, 1, '[::1]:1'",
    })
    void readsHostNamesAsContainersHaveThem(String url, String host, int port, String authority) {
        var upstream = load("upstreams: {a: {url: '" + url + "'}}", Map.of(), Map.of())
                .upstreams()
                .get("a");
        assertThat(upstream.host()).isEqualTo(host);
        assertThat(upstream.port()).isEqualTo(port);
        assertThat(upstream.authority()).isEqualTo(authority);
    }

    static Stream<Arguments> problems() {
        return Stream.of(
                problem("lisen: 1", "1:1: lisen: unknown key, did you mean 'listen'?"),
                problem("timeouts:\n  conect: 5s", "2:3: conect: unknown key, did you mean 'connect'?"),
                problem("timeouts:\n  request-head: 5s", "2:3: request-head: unknown key, did you mean 'requestHead'?"),
                problem(
                        "ownPaths: {zzz: true}",
                        "1:12: zzz: unknown key (expected: one of healthz, readyz, metrics, streams, chat, openapi, page)"),
                problem(
                        "upstreams: {a: {url: http://h}}\nroutes: [{upstream: a, disconnect: detach}]\nownPaths: {streams: false}",
                        "3:11: streams: false, beside a route with disconnect: detach (expected: true, because"),
                problem("resume: {bytes: 63KiB}", "1:17: bytes: 64512 (expected: 65536 to"),
                problem("resume: {memory: 63KiB}", "1:18: memory: 64512 (expected: 0, or >= 65536)"),
                problem("resume: {keep: 0s}", "1:16: keep: PT0S (expected: > 0)"),
                problem("resume: {readers: 0}", "1:19: readers: 0 (expected: 1 to 10000)"),
                problem(
                        "cors: {origins: [http://a.b, https://App.example]}",
                        "1:30: origins: 'https://App.example' (expected: as browsers send it"),
                problem("cors: {origins: https://a.b/}", "1:17: origins: 'https://a.b/' (expected: as browsers"),
                problem("cors: {origins: https://a.b:443}", "1:17: origins: 'https://a.b:443' (expected: as"),
                problem("cors: {origins: 'null'}", "1:17: origins: 'null' (expected: as browsers send it"),
                problem("cors: {origins: '*', credentials: true}", "1:35: credentials: true goes with no origins: *"),
                problem(
                        "upstreams: {a: {url: http://h, credential: {env: KEY}}}\ncors: {origins: '*'}",
                        "2:7: origins: * would let any web page use the relay's keys"),
                problem("trustedProxies: 10.0.0.0/33", "1:17: trustedProxies: '10.0.0.0/33' (expected: an address or"),
                problem("trustedProxies: [10.0.0.1/8]", "1:18: trustedProxies: '10.0.0.1/8' has bits behind its"),
                problem("limits: {streamsPerAddress: -1}", "1:29: streamsPerAddress: -1 (expected: 0 to"),
                problem("timeouts: {idle: 15}", "1:18: idle: '15' (expected: a duration such as 15s, 250ms or 10m)"),
                problem("timeouts: {idle: 0s}", "1:18: idle: PT0S (expected: > 0)"),
                problem("timeouts: 5s", "1:11: timeouts: a value (expected: settings)"),
                problem("timeouts: {idle: [5s]}", "1:18: idle: a list (expected: a value)"),
                problem("limits: {body: 64KB}", "1:16: body: '64KB' (expected: a size such as 65536, 64KiB or 32MiB)"),
                problem("limits: {headerCount: many}", "1:23: headerCount: 'many' (expected: a whole number)"),
                problem(
                        "limits: {highWatermark: 16KiB}",
                        "1:25: highWatermark: 16384 (expected: > lowWatermark, 32768)"),
                problem("allowOpen: maybe", "1:12: allowOpen: 'maybe' (expected: true or false)"),
                problem("eventLoops: -1", "1:13: eventLoops: -1 (expected: 0 to 1024)"),
                problem("transport: epol", "1:12: transport: epol (expected: epoll, io_uring, kqueue or nio)"),
                problem("accessLog: jsn", "1:12: accessLog: 'jsn', did you mean 'json'?"),
                problem(
                        "listen: [a:1,\n b]",
                        "2:2: listen: 'b' (expected: an address such as 127.0.0.1:8080 or [::1]:8080)"),
                problem("listen: 127.0.0.1:1\nlisten: 127.0.0.1:2", "2:1: listen: given twice, first in line 1"),
                problem("- a", "1:1: expected: settings, such as listen: 127.0.0.1:8080"),
                problem("upstreams: [a]", "1:12: upstreams: a list (expected: names, each with its settings)"),
                problem(
                        "upstreams: {a: {url: 'http://unix:/'}}",
                        "1:22: url: http://unix:/ (expected: such as http://un"),
                problem("upstreams: {a: {url: 'https://unix:/a'}}", "1:22: url: https://unix:/a (expected: such as"),
                problem("upstreams: {a: {url: 'http://unix:/a:b'}}", "1:22: url: http://unix:/a:b (expected: such as"),
                problem("upstreams: {a: {url: 'ftp://h'}}", "1:22: url: ftp://h (expected: http://host:port or"),
                problem("upstreams: {a: {url: 'http://u:s3cret@my_host'}}", "1:22: url: no host in it (expected:"),
                problem("upstreams: {a: {url: 'http://my_host:99999'}}", "1:22: url: http://my_host (expected: port"),
                problem("upstreams: {a: {url: 'http://my_host:x'}}", "1:22: url: no host in it (expected:"),
                problem(
                        "upstreams: {a: {url: 'h h'}}",
                        "1:22: url: no http:// or https:// in it (expected: http://host:port or"),
                problem("upstreams: {a: {}}", "1:13: a: has no url (expected: such as url: https://"),
                problem(
                        "upstreams:\n  a:\n    url: http://h\n    credential: sk-s3cret",
                        "4:17: credential: a key is never written here (expected: credential: {env: NAME} or"),
                problem(
                        "upstreams:\n  a:\n    url: http://h\n    credential: {env: NOPE}",
                        "4:23: env: NOPE is not set"),
                problem(
                        "upstreams:\n  a:\n    url: http://h\n    credential: {header: x-k}",
                        "4:17: credential: expected: one of env or file"),
                problem(
                        "upstreams:\n  a:\n    url: http://h\n    kind: none\n    credential: {env: KEY}",
                        "5:17: credential: has no header"),
                problem(
                        "upstreams: {a: {url: 'http://h', kind: opena}}",
                        "1:40: kind: 'opena', did you mean 'openai'?"),
                problem("upstreams: {a: {url: 'http://h', ca: no.pem}}", "1:38: ca: of no use without TLS"),
                problem("upstreams: {a: {url: 'https://h', ca: no.pem}}", "1:39: ca: ", "no.pem cannot be read"),
                problem("upstreams: {a: {url: 'https://h', ca: c.yaml}}", "1:39: ca: ", "c.yaml holds no certificates"),
                problem(
                        CREDENTIAL + "{env: KEY, header: Connection}",
                        "4:36: header: 'connection' (expected: one that"),
                problem(CREDENTIAL + "{env: KEY, header: content-length}", "4:36: header: 'content-length' (expected:"),
                problem(CREDENTIAL + "{env: KEY, header: 'x y'}", "4:36: header: 'x y' (expected: a header name)"),
                problem(CREDENTIAL + "{env: KEY, prefix: \"a\\r\\nb: \"}", "4:36: prefix: holds control or non-ASCII"),
                problem(ROUTE_TIMEOUTS + "{connect: 1s}", "4:16: connect: unknown key (expected: one of"),
                problem(ROUTE_TIMEOUTS + "{requestHead: 1s}", "4:16: requestHead: unknown key"),
                problem(ROUTE_TIMEOUTS + "{requestBodyIdle: 1s}", "4:16: requestBodyIdle: unknown key"),
                problem(ROUTE_TIMEOUTS + "{writeStall: 1s}", "4:16: writeStall: unknown key"),
                problem(ROUTE_TIMEOUTS + "{keepAlive: 1s}", "4:16: keepAlive: unknown key"),
                problem(ROUTE_TIMEOUTS + "{drain: 1s}", "4:16: drain: unknown key"),
                problem(
                        "upstreams: {a: {url: 'http://h'}, b: {url: 'http://h'}}",
                        "1:12: routes: none for 2 upstreams (expected: which requests go where)"),
                problem(
                        "upstreams: {openai: {url: 'http://h'}}\nroutes:\n  - upstream: opnai",
                        "3:15: upstream: 'opnai' is no upstream, did you mean 'openai'?"),
                problem(
                        "upstreams: {a: {url: 'http://h'}}\nroutes:\n  - name: x",
                        "3:5: x: has no upstream (expected: upstream: and a name under upstreams)"),
                problem(
                        "upstreams: {a: {url: 'http://h'}}\nroutes:\n  - upstream: a\n    name: r\n  - upstream: a",
                        "5:5: route-2: is never reached, for 'r' before it takes all"),
                problem(
                        "upstreams: {a: {url: 'http://h'}}\nroutes:\n"
                                + "  - {name: r, upstream: a, match: {models: m}}\n  - {name: r, upstream: a}",
                        "4:5: name: 'r' is a route already, in line 3"),
                problem(
                        "upstreams: {a: {url: 'http://h'}}\nroutes:\n  - {upstream: a, match: {paths: v1}}",
                        "3:34: paths: 'v1' (expected: to begin with / or *)"),
                problem(
                        "upstreams: {a: {url: 'http://h'}}\nroutes:\n  - {upstream: a, dialect: message}",
                        "3:28: dialect: 'message', did you mean 'messages'?"),
                problem(
                        "listen: 0.0.0.0:1\nupstreams: {a: {url: 'http://h', credential: {env: KEY}}}",
                        "1:9: listen: 0.0.0.0:1 would let anyone who reaches it use the relay's keys",
                        "--allow-open"),
                problem("clients: {redis: {url: 'redis://:s3cret@h'}}", "1:24: url: has a user or password (expected:"),
                problem("clients: {redis: {url: 'redis://h x'}}", "1:24: url: is no URL (expected: redis://HOST"),
                problem("clients: {redis: {url: 'http://h'}}", "1:24: url: has another scheme (expected: redis://"),
                problem("clients: {redis: {url: 'redis://h/a'}}", "1:24: url: has a path that is no number"),
                problem("clients: {redis: {url: 'redis://h?a=b'}}", "1:24: url: has a query or fragment"),
                problem("clients: {redis: {url: 'unix:a'}}", "1:24: url: names no socket"),
                problem("clients: {redis: {prefix: a}}", "1:18: redis: has no url (expected: such as url: redis://"),
                problem(
                        "clients: {redis: {url: 'redis://h', credential: s3cret}}",
                        "1:49: credential: a password is never written here"),
                problem("clients: {redis: {url: 'redis://h', ca: ca.pem}}", "1:41: ca: of no use without TLS"),
                problem("clients: {redis: {url: 'redis://h'}, nodes: 0}", "1:45: nodes: 0 (expected: 1 to"),
                problem("resume: {redis: {url: 'redis://h'}}", "1:17: redis: has no secret (expected: secret: {env:"),
                problem(
                        "resume: {redis: {url: 'redis://h', secret: s3cret}}",
                        "1:44: secret: a secret is never written here"),
                problem("resume: {redis: {url: 'redis://:s3cret@h'}}", "url: has a user or password (expected:"),
                problem("resume: {redis: {url: 'redis://h', lease: 1s}}", "1:43: lease: PT1S (expected: >= PT3S)"),
                problem("telemetry: {otlp: {endpoint: 'collector:4318'}}", "endpoint: no http:// or https:// in it"),
                problem("telemetry: {otlp: {endpoint: 'grpc://c:4317'}}", "1:30: endpoint: has no http:// or https://"),
                problem("telemetry: {otlp: {endpoint: 'http://u:s3cret@c'}}", "endpoint: has a user or password"),
                problem("telemetry: {otlp: {endpoint: 'http://c?k=s3cret'}}", "endpoint: has a query or fragment"),
                problem("telemetry: {otlp: {headers: {a: s3cret}}}", "a: a value is never written here (expected: a:"),
                problem("telemetry: {otlp: {headers: {a: {}}}}", "a: expected: one of env or file"),
                problem("telemetry: {otlp: {headers: {'a b': {env: HOME}}}}", "headers: 'a b' (expected: a header"),
                problem("telemetry: {otlp: {ratio: 2}}", "1:27: ratio: 2.0 (expected: 0 to 1)"),
                problem("telemetry: {otlp: {interval: 5ms}}", "1:30: interval: PT0.005S (expected: >= PT1S)"),
                problem("telemetry: {otpl: {}}", "otpl: unknown key, did you mean 'otlp'?"),
                problem("clients: {file: f, redos: 1}", "1:20: redos: unknown key, did you mean 'redis'?"),
                problem("listen: 'a", "1:9: a quote is not closed"),
                problem("a: &x 1\nlisten: *x", "2:9: *x: an alias (expected: the value itself)"),
                problem("listen: 127.0.0.1:1\n---\nlisten: 127.0.0.1:2", "a second document (expected: one)"));
    }

    @ParameterizedTest
    @MethodSource("problems")
    void tellsWhatIsWrongAndWhere(String yaml, String[] parts) {
        var problems = problemsOf(yaml, Map.of("KEY", "s3cret"));

        assertThat(problems)
                .anySatisfy(problem -> assertThat(problem)
                        .contains("c.yaml:" + (Character.isDigit(parts[0].charAt(0)) ? parts[0] : ""))
                        .contains(parts));
        assertThat(String.join("\n", problems)).doesNotContain("s3cret");
    }

    @Test
    void tellsAllProblemsInTheOrderOfTheFile() {
        var problems = problemsOf("zzz: 1\ntimeouts: {idle: x, ttft: y}\nupstreams: {a: {ur: 'http://h'}}\n", Map.of());

        assertThat(problems)
                .extracting(problem -> problem.replaceFirst("^.*c\\.yaml:(\\d+:\\d+: \\w+).*", "$1"))
                .containsExactly("1:1: zzz", "2:18: idle", "2:27: ttft", "3:13: a", "3:17: ur");
    }

    @ParameterizedTest
    @ValueSource(strings = {"rw-rw----", "rw----r--", "rw--w----"})
    void refusesKeyFileThatOthersCanUse(String mode) {
        secretFile("key.txt", mode);

        assertThat(problemsOf("upstreams: {a: {url: 'http://h', credential: {file: key.txt}}}", Map.of()))
                .singleElement()
                .asString()
                .contains("c.yaml:1:53: file: ", "key.txt is " + mode, "chmod 600")
                .doesNotContain("from-file");
    }

    /** As Kubernetes gives a secret: it is root's, and of the group of the relay. */
    @ParameterizedTest
    @ValueSource(strings = {"r--r-----", "rw-r-----"})
    void takesKeyFileOfItsGroup(String mode) {
        secretFile("key.txt", mode);

        assertThat(load("upstreams: {a: {url: 'http://h', credential: {file: key.txt}}}", Map.of(), Map.of())
                        .upstreams())
                .containsKey("a");
    }

    @Test
    void refusesKeyFileThatIsMissing() {
        assertThat(problemsOf("upstreams: {a: {url: 'http://h', credential: {file: no.txt}}}", Map.of()))
                .singleElement()
                .asString()
                .endsWith("no.txt cannot be read: no such file");
    }

    @Test
    void flagsWinOverTheEnvironmentAndBothOverTheFile() {
        var file = "listen: 127.0.0.1:1\neventLoops: 1\ntimeouts: {drain: 1s}\nupstreams: {a: {url: 'http://h'}}";
        var environment = Map.of("MILLRACE_LISTEN", "127.0.0.1:2, 127.0.0.1:3", "MILLRACE_EVENT_LOOPS", "2");
        var flags = Map.of(ConfigKey.EVENT_LOOPS, "3", ConfigKey.DRAIN, "2s", ConfigKey.ACCESS_LOG, "off");

        var config = load(file, environment, flags);

        assertThat(config.listeners())
                .extracting(listener -> ((HostAndPort) listener.address()).port())
                .containsExactly(2, 3);
        assertThat(config.eventLoops()).isEqualTo(3);
        assertThat(config.timeouts().drain()).isEqualTo(Duration.ofSeconds(2));
        assertThat(config.accessLog().format()).isEqualTo(AccessLog.Format.OFF);
        assertThat(config.upstreams()).containsOnlyKeys("a");
    }

    @Test
    void upstreamFlagReplacesTheFilesUpstreams() {
        var config = load(
                "timeouts: {idle: 9s}\nupstreams: {a: {url: 'http://h', credential: {env: KEY}}}",
                Map.of("KEY", "k", "OPENAI_API_KEY", "k"),
                Map.of(ConfigKey.UPSTREAM, "http://127.0.0.1:9100", ConfigKey.LISTEN, ":0"));

        assertThat(config.upstreams().values())
                .containsExactly(Upstream.of("default", URI.create("http://127.0.0.1:9100")));
        assertThat(config.routes()).singleElement().satisfies(route -> {
            assertThat(route.match()).isEqualTo(Match.ALL);
            assertThat(route.timeouts().idle()).isEqualTo(Duration.ofSeconds(9));
        });
    }

    @ParameterizedTest
    @ValueSource(strings = {"KUBERNETES_SERVICE_HOST", "NOMAD_ALLOC_ID", "ECS_CONTAINER_METADATA_URI_V4", "K_SERVICE"})
    void servesForAWhileBeforeItStopsWhereSomethingSendsItClients(String variable) {
        var file = "upstreams: {a: {url: 'http://h'}}";
        var orchestrated = Map.of(variable, "x");

        assertThat(load(file, Map.of(), Map.of()).timeouts().shutdownDelay()).isZero();
        assertThat(load(file, orchestrated, Map.of()).timeouts().shutdownDelay())
                .isEqualTo(Duration.ofSeconds(5));
        assertThat(load("timeouts: {shutdownDelay: 9s}\n" + file, orchestrated, Map.of())
                        .timeouts()
                        .shutdownDelay())
                .isEqualTo(Duration.ofSeconds(9));
        assertThat(load(file, orchestrated, Map.of(ConfigKey.SHUTDOWN_DELAY, "0s"))
                        .timeouts()
                        .shutdownDelay())
                .isZero();
    }

    @Test
    void namesTheFlagOrVariableThatIsWrong() {
        assertThatThrownBy(() -> load("", Map.of("MILLRACE_DRAIN", "x"), Map.of(ConfigKey.LISTEN, "y")))
                .isInstanceOfSatisfying(
                        ConfigException.class,
                        e -> assertThat(e.problems())
                                .containsExactly(
                                        "--listen: 'y' (expected: an address such as 127.0.0.1:8080 or [::1]:8080)",
                                        "MILLRACE_DRAIN: 'x' (expected: a duration such as 15s, 250ms or 10m)"));
        assertThatThrownBy(() -> load("", Map.of("OPENAI_API_KEY", "k"), Map.of(ConfigKey.LISTEN, ":1")))
                .hasMessageStartingWith("--listen: 0.0.0.0:1 would let anyone");
        assertThat(load("", Map.of("OPENAI_API_KEY", "k"), Map.of(ConfigKey.LISTEN, ":1", ConfigKey.ALLOW_OPEN, "true"))
                        .allowOpen())
                .isTrue();
        assertThatThrownBy(() -> load("", Map.of(), Map.of(ConfigKey.EVENT_LOOPS, "2000")))
                .hasMessage("--event-loops: 2000 (expected: 0 to 1024)");
    }

    @Test
    void presetsSendEachDialectToItsProvider() {
        var config = load("", Map.of("OPENAI_API_KEY", "o", "ANTHROPIC_API_KEY", "a", "GEMINI_API_KEY", "g"), Map.of());

        assertThat(takes(config, "/v1/chat/completions", false)).isEqualTo("openai");
        assertThat(takes(config, "/v1/responses", false)).isEqualTo("openai");
        assertThat(takes(config, "/v1/messages", false)).isEqualTo("anthropic");
        assertThat(takes(config, "/v1/messages/count_tokens", true)).isEqualTo("anthropic");
        assertThat(takes(config, "/v1beta/models/g:streamGenerateContent", false))
                .isEqualTo("gemini");
        assertThat(takes(config, "/v1beta/openai/chat/completions", false)).isEqualTo("gemini-openai");
        assertThat(takes(config, "/v1/models", true)).isEqualTo("anthropic");
        assertThat(takes(config, "/v1/models", false)).isEqualTo("openai");
        assertThat(config.upstreams().get("openai").url()).isEqualTo(URI.create("https://api.openai.com/v1"));
        assertThat(config.upstreams().get("openai").credential())
                .hasToString("authorization: Bearer *** (env: " + "OPENAI_API_KEY)");
        assertThat(config.upstreams().get("anthropic").credential().value()).isEqualTo("a");
        assertThat(config.upstreams().get("gemini").credential().header()).isEqualTo("x-goog-api-key");
        assertThat(config.upstreams().get("gemini-openai").credential())
                .hasToString("authorization: Bearer *** (env: " + "GEMINI_API_KEY)");
    }

    @ParameterizedTest
    @CsvSource({
        "openai, /v1/threads/thread_1/messages",
        "openai, /v1/chat/completions/chatcmpl-1/messages",
        "openai, /v1/models/ft:gpt-4o:org",
        "anthropic, /v1/messages/batches",
        "gemini, /v1/models/g:generateContent",
        "gemini, /v1/models/g:countTokens",
        "gemini, /v1/models/g:embedContent",
        "gemini, /v1/models/g:batchEmbedContents",
        "gemini, /v1/models/g%3AstreamGenerateContent",
        "gemini, /v1/models/g%3acountTokens"
    })
    void presetsKnowTheProvidersOfPathsThatLookAlike(String upstream, String path) {
        var config = load("", Map.of("OPENAI_API_KEY", "o", "ANTHROPIC_API_KEY", "a", "GEMINI_API_KEY", "g"), Map.of());

        assertThat(takes(config, path, false)).isEqualTo(upstream);
    }

    @Test
    void passwordInUrlIsNotShown() {
        var environment = Map.of("MILLRACE_UPSTREAM", "http://user:s3cret pw@host");
        var presets = Map.of("OPENAI_API_KEY", "k", "OPENAI_BASE_URL", "http://user:s3cret pw@host");

        assertThat(problemsOf("", environment))
                .containsExactly("MILLRACE_UPSTREAM: not a URL (expected: http://host:port or https://host)");
        assertThat(problemsOf("", presets))
                .containsExactly("OPENAI_BASE_URL: not a URL (expected: http://host:port or https://host)");
    }

    @Test
    void baseUrlThatIsBlankIsNotSet() {
        var config = load("", Map.of("OPENAI_API_KEY", "o", "OPENAI_BASE_URL", " "), Map.of());

        assertThat(config.upstreams().get("openai").url()).isEqualTo(URI.create("https://api.openai.com/v1"));
    }

    @Test
    void prefixFollowsTheHeader() {
        assertThat(credential("http://h", "{env: KEY}")).hasToString("authorization: Bearer *** (env: KEY)");
        assertThat(credential("http://h", "{env: KEY, header: X-Key}")).hasToString("x-key: *** (env: KEY)");
        assertThat(credential("http://h", "{env: KEY, header: X-Key, prefix: 'Key '}"))
                .hasToString("x-key: Key *** (env: KEY)");
        assertThat(credential("https://api.anthropic.com", "{env: KEY, header: Authorization}"))
                .hasToString("authorization: Bearer *** (env: KEY)");
        assertThat(credential("https://my.openai.azure.com", "{env: KEY}")).hasToString("api-key: *** (env: KEY)");
    }

    @Test
    void certificatesThatChangedMakeAnotherUpstream() throws Exception {
        var yaml = "upstreams: {a: {url: 'https://h', ca: ca.pem}}";
        var first = certificate();
        Files.writeString(directory.resolve("ca.pem"), first);
        var config = load(yaml, Map.of(), Map.of());

        assertThat(load(yaml, Map.of(), Map.of())).isEqualTo(config);
        assertThat(load(EffectiveConfig.toYaml(config), Map.of(), Map.of())).isEqualTo(config);

        Files.writeString(directory.resolve("ca.pem"), first + certificate());
        assertThat(load(yaml, Map.of(), Map.of()).upstreams()).isNotEqualTo(config.upstreams());
    }

    @Test
    void readsTheRedisOfClientsAndShowsNoPassword() throws IOException {
        Files.writeString(
                directory.resolve("clients.yaml"), "clients: {web: {keys: [{sha256: " + "ab".repeat(32) + "}]}}");
        var environment = Map.of("KEY", "s3cret");
        var config = load("""
                clients:
                  file: clients.yaml
                  nodes: 3
                  onStoreFailure: refuse
                  redis: {url: 'rediss://[::1]/2', credential: {env: KEY, user: relay}, prefix: "a:"}
                """, environment, Map.of());

        var redis = config.clients().redis();
        assertThat(config.clients().file()).isEqualTo(directory.resolve("clients.yaml"));
        assertThat(config.clients().nodes()).isEqualTo(3);
        assertThat(config.clients().onStoreFailure()).isEqualTo(OnStoreFailure.REFUSE);
        assertThat(redis.host()).isEqualTo("::1");
        assertThat(redis.port()).isEqualTo(6379);
        assertThat(redis.database()).isEqualTo(2);
        assertThat(redis.tls()).isTrue();
        assertThat(redis.password().reveal()).isEqualTo("s3cret");
        assertThat(redis.user()).isEqualTo("relay");
        assertThat(redis.prefix()).isEqualTo("a:");
        assertThat(redis.toString()).doesNotContain("s3cret");
        var yaml = EffectiveConfig.toYaml(config);
        assertThat(yaml).contains("env: KEY").doesNotContain("s3cret");
        assertThat(load(yaml, environment, Map.of())).isEqualTo(config);

        var socket = load("clients: {file: clients.yaml, redis: {url: 'unix:/run/r.sock'}}", Map.of(), Map.of());
        assertThat(socket.clients().redis().socket()).isEqualTo(Path.of("/run/r.sock"));
        // The flag names another file, and what the configuration says beside it stays.
        var file = directory.resolve("clients.yaml").toString();
        assertThat(load("clients: {redis: {url: 'redis://h'}}", Map.of(), Map.of(ConfigKey.CLIENTS, file))
                        .clients()
                        .redis()
                        .host())
                .isEqualTo("h");
    }

    @Test
    void refusesAFormOfTheLogThatWouldSilenceIt() {
        assertThatThrownBy(() -> load("", Map.of("MILLRACE_LOG_FORMAT", "JSON"), Map.of()))
                .hasMessageContaining("MILLRACE_LOG_FORMAT: 'JSON' (expected: text or json)");
        assertThat(load("", Map.of("MILLRACE_LOG_FORMAT", "json"), Map.of())).isNotNull();
    }

    @Test
    void readsTheCollectorAndShowsNoHeader() {
        var environment = Map.of("TOKEN", "s3cret");
        var config = load("""
                telemetry:
                  otlp:
                    endpoint: https://collector:4318/otlp
                    headers: {Authorization: {env: TOKEN}}
                    ratio: 0.25
                    metrics: false
                """, environment, Map.of());

        var otlp = config.telemetry().otlp();
        assertThat(otlp.on()).isTrue();
        assertThat(otlp.endpoint()).hasToString("https://collector:4318/otlp");
        assertThat(otlp.headers().get("authorization").reveal()).isEqualTo("s3cret");
        assertThat(otlp.ratio()).isEqualTo(0.25);
        assertThat(otlp.metrics()).isFalse();
        assertThat(otlp.interval()).isEqualTo(Duration.ofMinutes(1));
        assertThat(otlp.toString()).doesNotContain("s3cret");
        var yaml = EffectiveConfig.toYaml(config);
        assertThat(yaml).contains("env: TOKEN").doesNotContain("s3cret");
        assertThat(load(yaml, environment, Map.of())).isEqualTo(config);
        assertThat(load("eventLoops: 1", Map.of(), Map.of()).telemetry().otlp().on())
                .isFalse();
    }

    @Test
    void readsTheRedisOfStreamsAndShowsNoSecret() {
        var environment = Map.of("KEY", "s3cret", "SECRET", "s3cret ".repeat(5));
        var config = load("""
                resume:
                  redis:
                    url: rediss://h:1
                    credential: {env: KEY}
                    secret: {env: SECRET}
                    window: 50ms
                    prefix: "a:"
                """, environment, Map.of());

        var store = config.resume().redis();
        assertThat(store.redis().port()).isEqualTo(1);
        assertThat(store.redis().prefix()).isEqualTo("a:");
        assertThat(store.redis().password().reveal()).isEqualTo("s3cret");
        assertThat(store.window()).isEqualTo(Duration.ofMillis(50));
        assertThat(store.lease()).isEqualTo(Duration.ofSeconds(6));
        assertThat(store.toString()).doesNotContain("s3cret");
        var yaml = EffectiveConfig.toYaml(config);
        assertThat(yaml).contains("env: SECRET").doesNotContain("s3cret");
        assertThat(load(yaml, environment, Map.of())).isEqualTo(config);
        assertThatThrownBy(() -> load(yaml, Map.of("KEY", "k", "SECRET", "short"), Map.of()))
                .hasMessageContaining("secret: is too short (expected: at least 32 characters)");
    }

    @Test
    void presetsSendSharedPathsToWhicheverProviderThereIs() {
        assertThat(takes(load("", Map.of("GEMINI_API_KEY", "g"), Map.of()), "/v1/models", true))
                .isEqualTo("gemini");
        assertThat(takes(load("", Map.of("ANTHROPIC_API_KEY", "a"), Map.of()), "/v1/models", false))
                .isEqualTo("anthropic");
    }

    @Test
    void presetsUseTheBaseUrlOfTheEnvironment() {
        var config = load("", Map.of("OPENAI_API_KEY", "o", "OPENAI_BASE_URL", "http://127.0.0.1:11434/v1"), Map.of());

        assertThat(config.upstreams().get("openai").url()).isEqualTo(URI.create("http://127.0.0.1:11434/v1"));
    }

    @Test
    void withNothingNamedTheMockIsTheOnlyUpstream() {
        var config = ConfigLoader.load(new ConfigSources(null, Map.of("OPENAI_API_KEY", " "), Map.of(), () -> MOCK));

        assertThat(config.upstreams().values())
                .containsExactly(Upstream.of("mock", MOCK).with(u -> u.model = "mock"));
        assertThat(config.listeners()).containsExactly(Listener.at(new HostAndPort("127.0.0.1", 8080)));
        assertThat(takes(config, "/v1/chat/completions", false)).isEqualTo("mock");
        assertThat(EffectiveConfig.toYamlWithoutUpstreams(config)).doesNotContain(MOCK.toString());
        assertThat(load(EffectiveConfig.toYamlWithoutUpstreams(config), Map.of(), Map.of()))
                .isEqualTo(config);
    }

    private RelayConfig load(String yaml, Map<String, String> environment, Map<ConfigKey, String> flags) {
        try {
            var file = Files.writeString(directory.resolve("c.yaml"), yaml);
            return ConfigLoader.load(new ConfigSources(file, environment, flags, () -> MOCK));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private Credential credential(String url, String credential) {
        return load(
                        "upstreams: {a: {url: '" + url + "', credential: " + credential + "}}",
                        Map.of("KEY", "k"),
                        Map.of())
                .upstreams()
                .get("a")
                .credential();
    }

    private static String certificate() throws Exception {
        return new CertificateBuilder()
                .subject("CN=test")
                .setIsCertificateAuthority(true)
                .buildSelfSigned()
                .getCertificatePEM();
    }

    private List<String> problemsOf(String yaml, Map<String, String> environment) {
        return catchThrowableOfType(ConfigException.class, () -> load(yaml, environment, Map.of()))
                .problems();
    }

    private void secretFile(String name, String mode) {
        try {
            var file = Files.writeString(directory.resolve(name), "from-file\n");
            Files.setPosixFilePermissions(file, PosixFilePermissions.fromString(mode));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static String takes(RelayConfig config, String path, boolean anthropicVersion) {
        return config.routes().stream()
                .filter(route -> route.match().matchesPath(path))
                .filter(route -> route.match().header() == null || anthropicVersion)
                .findFirst()
                .orElseThrow()
                .upstream();
    }

    private static Arguments problem(String yaml, String... parts) {
        return Arguments.of(yaml, parts);
    }
}
