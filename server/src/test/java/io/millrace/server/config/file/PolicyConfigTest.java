package io.millrace.server.config.file;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.millrace.server.config.Health;
import io.millrace.server.config.Match;
import io.millrace.server.config.RelayConfig;
import io.millrace.server.config.Route;
import io.millrace.server.config.Route.Balance;
import io.millrace.server.config.Route.Disconnect;
import io.millrace.server.config.Route.Hedge;
import io.millrace.server.config.Route.Retry;
import io.millrace.server.config.Route.TranslationMode;
import io.millrace.server.config.Upstream;
import io.millrace.server.config.Upstream.RetryBudget;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class PolicyConfigTest {
    private static final String FULL = """
            upstreams:
              pool:
                urls: [http://a:8000/v1, http://b:8000]
                maxConcurrent: 64
                health:
                  consecutiveFailures: 3
                  failureRate: 0.25
                  minRequests: 10
                  window: 20s
                  ejection: 400s
                  maxEjection: 500s
                  slowStart: 0
                  probe: {path: /health, interval: 2s}
                retryBudget: {ratio: 0.1, perSecond: 3}
              other: {url: https://o}
            routes:
              - match: {models: m}
                targets:
                  - upstream: pool
                    rewriteModel: llama
                    timeouts: {ttft: 2s}
                  - other
                timeouts: {ttft: 30s, idle: 40s}
                retry: {attempts: 5, base: 20s, cap: 30s, retryAfterCap: 1s, total: 90s}
                hedge: {delay: 800ms, maxShare: 0.2}
                disconnect: {policy: read-on, maxFrames: 500, maxTime: 5s}
                balance: {header: X-Session}
                includeUsage: true
                translation: strict
              - match: {models: n}
                upstream: other
                retry: off
                hedge: p95
                disconnect: read-on
                balance: {promptPrefix: 2KiB}
              - upstream: other
                hedge: 2s
            """;

    @TempDir
    private Path directory;

    @Test
    void readsEverySetting() {
        var config = load(FULL);

        var pool = config.upstreams().get("pool");
        assertThat(pool.urls()).containsExactly(URI.create("http://a:8000/v1"), URI.create("http://b:8000"));
        assertThat(pool.maxConcurrent()).isEqualTo(64);
        assertThat(pool.health())
                .isEqualTo(new Health(
                        3,
                        0.25,
                        10,
                        Duration.ofSeconds(20),
                        Duration.ofSeconds(400),
                        Duration.ofSeconds(500),
                        Duration.ZERO,
                        "/health",
                        Duration.ofSeconds(2)));
        assertThat(pool.retryBudget()).isEqualTo(new RetryBudget(0.1, 3));
        var first = config.routes().get(0);
        assertThat(first.retry())
                .isEqualTo(new Retry(
                        5,
                        Duration.ofSeconds(20),
                        Duration.ofSeconds(30),
                        Duration.ofSeconds(1),
                        Duration.ofSeconds(90),
                        false));
        assertThat(first.hedge()).isEqualTo(new Hedge(Duration.ofMillis(800), 0.2));
        assertThat(first.disconnect()).isEqualTo(new Disconnect(Disconnect.Policy.READ_ON, 500, Duration.ofSeconds(5)));
        assertThat(first.balance()).isEqualTo(Balance.header("x-session"));
        assertThat(first.includeUsage()).isTrue();
        assertThat(first.translation()).isEqualTo(TranslationMode.STRICT);
        var second = config.routes().get(1);
        assertThat(second.retry()).isEqualTo(Retry.OFF);
        assertThat(second.hedge()).isEqualTo(Hedge.P95);
        assertThat(second.disconnect()).isEqualTo(Disconnect.READ_ON);
        assertThat(second.balance()).isEqualTo(Balance.promptPrefix(2048));
        var third = config.routes().get(2);
        assertThat(third.hedge()).isEqualTo(Hedge.P95.with(hedge -> hedge.delay = Duration.ofSeconds(2)));
    }

    @Test
    void routeGoesToItsTargetsInOrderEachWithItsOwnTimeouts() {
        var route = load(FULL).routes().get(0);

        assertThat(route.targets()).extracting(Route.Target::upstream).containsExactly("pool", "other");
        assertThat(route.targets()).extracting(Route.Target::rewriteModel).containsExactly("llama", null);
        var atFirst = route.timeouts(route.targets().get(0));
        assertThat(atFirst.ttft()).isEqualTo(Duration.ofSeconds(2));
        assertThat(atFirst.idle()).isEqualTo(Duration.ofSeconds(40));
        assertThat(route.timeouts(route.targets().get(1))).isEqualTo(route.timeouts());
    }

    @Test
    void effectiveConfigReadsBackAsTheSame() {
        var config = load(FULL);

        assertThat(load(EffectiveConfig.toYaml(config))).isEqualTo(config);
    }

    @Test
    void withoutSettingsRetriesCancelsAndNeverHedges() {
        var config = load("upstreams: {a: {url: 'http://h'}}\n");

        var route = config.routes().get(0);
        assertThat(route.retry()).isEqualTo(Retry.DEFAULT);
        assertThat(route.hedge()).isNull();
        assertThat(route.disconnect()).isEqualTo(Disconnect.CANCEL);
        assertThat(route.balance()).isEqualTo(Balance.P2C);
        assertThat(route.includeUsage()).isFalse();
        assertThat(route.translation()).isEqualTo(TranslationMode.LENIENT);
        assertThat(config.upstreams().get("a").health()).isEqualTo(Health.DEFAULT);
        assertThat(config.upstreams().get("a").retryBudget()).isEqualTo(RetryBudget.DEFAULT);
    }

    @Test
    void exampleFileHasNoProblems() {
        var example = Path.of("..", "bench", "src", "dist", "millrace.example.yaml");
        var sources = new ConfigSources(
                example, Map.of("OPENAI_API_KEY", "k"), Map.of(), () -> URI.create("http://127.0.0.1:4711"));

        var config = ConfigLoader.load(sources);

        assertThat(config.routes().get(0).targets())
                .extracting(Route.Target::upstream)
                .containsExactly("local", "openai");
        assertThat(config.routes().get(0).retry().attempts()).isEqualTo(2);
    }

    @Test
    void originOfUpstreamHasItsOwnHostPortAndPath() {
        var second = Upstream.of("u", List.of(URI.create("https://a/v1"), URI.create("https://b:8443/v2")))
                .with(u -> u.maxConcurrent = 7)
                .origin(1);

        assertThat(second.authority()).isEqualTo("b:8443");
        assertThat(second.basePath()).isEqualTo("/v2");
        assertThat(second.maxConcurrent()).isEqualTo(7);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            urls: []                                        | a: has no url
            urls: ['http://h', 'https://h']                 | urls: http and https (expected: one of them for all)
            urls: ['http://h', 'http://h']                  | urls: one of them twice (expected: each once)
            urls: ['http://h', 'ftp://h']                   | url: ftp://h (expected: http://host:port
            {url: 'http://h', urls: ['http://i']}           | a: has url and urls (expected: one of them)
            {url: 'http://h', maxConcurrent: -1}            | maxConcurrent: -1 (expected: 0 to 1000000)
            {url: 'http://h', health: {failureRate: 2}}     | failureRate: 2.0 (expected: 0 to 1)
            {url: 'http://h', health: {failureRate: x}}     | failureRate: 'x' (expected: a number such as 0.5)
            {url: 'http://h', health: {ejection: 1h}}       | ejection: PT1H (expected: <= maxEjection, PT5M)
            {url: 'http://h', health: {windw: 1s}}          | windw: unknown key, did you mean 'window'?
            {url: 'http://h', health: {probe: {path: x}}}   | path: 'x' (expected: a path such as /health)
            {url: 'http://h', retryBudget: {ratio: 1.5}}    | ratio: 1.5 (expected: 0 to 1)
            """)
    void refusesUpstreamSettings(String settings, String problem) {
        String upstream = settings.startsWith("{") ? settings : "{" + settings + "}";

        assertThat(problemsOf("upstreams:\n  a: " + upstream + "\n"))
                .anySatisfy(text -> assertThat(text).contains(problem));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            upstream: a, name: ''                        | name: '' (expected: some text)
            targets: []                                  | targets: [] (expected: at least one)
            targets: [b]                                 | targets: 'b' is no upstream
            targets: [{rewriteModel: m}]                 | targets: has no upstream
            targets: [a], rewriteModel: m                | has targets, and a target of its own
            targets: [{upstream: a, retry: off}]         | retry: unknown key
            upstream: a, retry: on                       | retry: 'on' (expected: off or settings)
            upstream: a, retry: {attempts: 0}            | attempts: 0 (expected: 1 to 20)
            upstream: a, retry: {base: 9s}               | base: PT9S (expected: <= cap, PT8S)
            upstream: a, hedge: soon                     | hedge: 'soon' (expected: off, p95 or a duration
            upstream: a, hedge: {maxShare: 7}            | maxShare: 7.0 (expected: 0 to 1)
            upstream: a, disconnect: read                | disconnect: 'read'
            upstream: a, disconnect: {maxFrames: 0}      | maxFrames: 0 (expected: 1 to
            upstream: a, balance: random                 | balance: 'random' (expected: p2c or settings)
            upstream: a, balance: {header: 'a b'}        | header: 'a b' (expected: a header name)
            upstream: a, balance: {header: a, promptPrefix: 1KiB} | promptPrefix: beside header
            """)
    void refusesRouteSettings(String settings, String problem) {
        var yaml = "upstreams: {a: {url: 'http://h'}}\nroutes:\n  - {" + settings + "}\n";

        assertThat(problemsOf(yaml)).anySatisfy(text -> assertThat(text).contains(problem));
    }

    @ParameterizedTest
    @ValueSource(strings = {"nowhere", "b"})
    void refusesFurtherTargetThatIsNoUpstream(String upstream) {
        var route = Route.of("r", Match.ALL, List.of(Route.Target.of("default"), Route.Target.of(upstream)));
        var config = RelayConfig.relayTo(URI.create("http://h"));

        assertThatThrownBy(() -> config.with(c -> c.routes = List.of(route)))
                .hasMessage("routes: 'r' goes to '" + upstream + "' (expected: one of [default])");
    }

    private RelayConfig load(String yaml) {
        try {
            var file = Files.writeString(directory.resolve("c.yaml"), yaml);
            return ConfigLoader.load(
                    new ConfigSources(file, Map.of(), Map.of(), () -> URI.create("http://127.0.0.1:4711")));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private List<String> problemsOf(String yaml) {
        return catchThrowableOfType(ConfigException.class, () -> load(yaml)).problems();
    }
}
