package io.millrace.server.relay;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.server.RelayServer;
import io.millrace.server.config.Health;
import io.millrace.server.config.Match;
import io.millrace.server.config.RelayConfig;
import io.millrace.server.config.RelayConfig.AccessLog;
import io.millrace.server.config.Route;
import io.millrace.server.config.Route.Balance;
import io.millrace.server.config.Route.Retry;
import io.millrace.server.config.Upstream;
import io.millrace.server.mock.MockConfig;
import io.millrace.server.mock.MockServer;
import io.millrace.server.mock.MockSpec;
import io.millrace.server.test.RawClient;
import io.millrace.server.test.RawClient.End;
import io.millrace.server.test.RelayHarness;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Two origins of one upstream. The test checks the requests that each got, and the answer of every client. */
@Tag("sockets")
class BalancingTest {
    private static final String CHAT = "/v1/chat/completions";
    private static final String SHORT = "tokens=3";
    private static final Retry AT_ONCE = Retry.DEFAULT.with(r -> r.base = Duration.ofMillis(1));
    private static final Health QUICK =
            Health.DEFAULT.with(h -> h.ejection = Duration.ofMillis(200)).with(h -> h.slowStart = Duration.ZERO);

    private MockServer a;
    private MockServer b;
    private RelayServer relay;

    @BeforeEach
    void start() {
        a = mock();
        b = mock();
        relay = RelayHarness.serve(RelayConfig.relayTo(a.uri()).with(c -> c.accessLog = AccessLog.OFF));
    }

    @AfterEach
    void stop() {
        relay.close();
        a.close();
        b.close();
    }

    @Test
    void bothOriginsGetTheirShareOfStreamsThatLast() throws IOException {
        serve(pool(), route());
        // What the first requests of a cold process take says nothing.
        spec(a, "tokens=1,ttft_ms=50");
        spec(b, "tokens=1,ttft_ms=50");
        stream(10);
        long askedBefore = asked(a);
        spec(a, "tokens=1,ttft_ms=50,linger=1,done=0");
        spec(b, "tokens=1,ttft_ms=50,linger=1,done=0");
        var clients = new ArrayList<RawClient>();

        for (int i = 0; i < 40; i++) {
            var client = new RawClient(port());
            clients.add(client);
            client.post(CHAT, "m", "");
            client.readUntil("data: ");
        }

        assertThat(asked(a) - askedBefore).isBetween(12L, 28L);
        assertThat(asked(a) + asked(b)).isEqualTo(50);
        for (var client : clients) {
            client.close();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"status=503", "status=429", "error_first=1", "close_on_accept=1", "empty=1"})
    void failingOriginDrawsNoTrafficAndNoClientSeesIt(String failure) throws IOException {
        serve(pool().with(u -> u.health = Health.DEFAULT), route());
        spec(a, failure);

        stream(60);

        assertThat(asked(a)).isLessThanOrEqualTo(6);
        assertThat(asked(b)).isEqualTo(60);
    }

    @Test
    void originThatRecoversServesAgain() throws IOException {
        serve(pool(), route());
        spec(a, "status=500");
        spec(b, "status=500");
        spec(b, SHORT);
        stream(30);

        spec(a, SHORT);
        spec(b, "status=500");
        long deadlineNs = System.nanoTime() + TimeUnit.SECONDS.toNanos(10);
        long before = asked(a);
        while (asked(a) < before + 30) {
            assertThat(System.nanoTime()).as("deadline").isLessThan(deadlineNs);
            try (var client = new RawClient(port())) {
                client.post(CHAT, "m", "");
                client.readAll();
            }
        }
        stream(10);
    }

    @Test
    void whatTheClientGotWrongEjectsNothing() throws IOException {
        serve(pool(), route());
        spec(a, "status=400");
        spec(b, "status=400");

        for (int i = 0; i < 20; i++) {
            assertThat(post().status()).isEqualTo(400);
        }

        assertThat(asked(a) + asked(b)).isEqualTo(20);
        assertThat(metric("millrace_origin_ejections_total")).containsOnly(0.0);
    }

    @Test
    void metricsTellEjectionsRetriesAndWhatServes() throws IOException {
        serve(pool().with(u -> u.health = Health.DEFAULT), route());
        spec(a, "status=503");
        spec(b, "status=503");

        for (int i = 0; i < 20; i++) {
            post();
        }

        assertThat(metric("millrace_origin_ejections_total")).containsExactly(1.0, 1.0);
        assertThat(metric("millrace_origin_serving")).containsExactly(0.0, 0.0);
        assertThat(metric("millrace_origin_in_flight")).containsExactly(0.0, 0.0);
        double retries = metric("millrace_upstream_retries_total").get(0);
        assertThat(retries).isEqualTo((double) (asked(a) + asked(b) - 20)).isBetween(10.0, 40.0);
        assertThat(metric("millrace_upstream_retries_refused_total")).hasSize(1);
    }

    @Test
    void sameHeaderValueGoesToTheSameOrigin() throws IOException {
        serve(pool(), route().with(r -> r.balance = Balance.header("x-session")));

        var origins = new ArrayList<Boolean>();
        for (int session = 0; session < 20; session++) {
            long before = asked(a);
            for (int i = 0; i < 3; i++) {
                post("x-session: s" + session);
            }
            long more = asked(a) - before;
            assertThat(more).isIn(0L, 3L);
            origins.add(more > 0);
        }

        assertThat(origins).contains(true, false);
    }

    @Test
    void samePromptPrefixGoesToTheSameOrigin() throws IOException {
        serve(pool(), route().with(r -> r.balance = Balance.promptPrefix(80)));

        var origins = new ArrayList<Boolean>();
        for (int system = 0; system < 20; system++) {
            long before = asked(a);
            for (int i = 0; i < 3; i++) {
                prompt("You are assistant number " + system + ", and more.", "Question " + i);
            }
            long more = asked(a) - before;
            assertThat(more).isIn(0L, 3L);
            origins.add(more > 0);
        }

        assertThat(origins).contains(true, false);
    }

    @Test
    void hashedOriginThatFailsIsReplacedByTheOther() throws IOException {
        serve(pool(), route().with(r -> r.balance = Balance.header("x-session")));
        spec(a, "status=503");

        for (int session = 0; session < 10; session++) {
            var response = post("x-session: s" + session);
            assertThat(response.status()).isEqualTo(200);
            assertThat(response.end()).isEqualTo(End.COMPLETE);
        }
    }

    @Test
    void requestBeyondTheLimitOfAnUpstreamGoesToTheNextTarget() throws IOException {
        var first = Upstream.of("first", a.uri()).with(u -> u.maxConcurrent = 1);
        var second = Upstream.of("second", b.uri());
        serve(
                List.of(first, second),
                Route.of("r", Match.ALL, List.of(Route.Target.of("first"), Route.Target.of("second"))));
        spec(a, "tokens=1,linger=1,done=0");

        try (var holding = new RawClient(port())) {
            holding.post(CHAT, "m", "");
            holding.readUntil("data: ");
            var response = post();

            assertThat(response.header("x-millrace-upstream")).isEqualTo("second");
            assertThat(response.header("x-millrace-attempts")).isEqualTo("1");
        }
        assertThat(asked(a)).isOne();
        assertThat(asked(b)).isOne();
    }

    @Test
    void ejectedUpstreamIsPassedOver() throws IOException {
        var first = Upstream.of("first", a.uri());
        var second = Upstream.of("second", b.uri());
        var targets = List.of(Route.Target.of("first"), Route.Target.of("second"));
        serve(List.of(first, second), Route.of("r", Match.ALL, targets).with(r -> r.retry = AT_ONCE));
        spec(a, "status=503");

        stream(20);

        assertThat(asked(a)).isEqualTo(5);
        assertThat(asked(b)).isEqualTo(20);
    }

    @Test
    void activeCheckKeepsRequestsFromAnOriginThatFailsIt() throws IOException {
        var health =
                Health.DEFAULT.with(h -> h.probePath = "/v1/models").with(h -> h.probeInterval = Duration.ofSeconds(1));
        serve(pool().with(u -> u.health = health), route());
        a.close();
        long deadlineNs = System.nanoTime() + TimeUnit.SECONDS.toNanos(10);
        while (!metric("millrace_origin_serving").contains(0.0)) {
            assertThat(System.nanoTime()).as("deadline").isLessThan(deadlineNs);
        }

        stream(10);

        assertThat(metric("millrace_upstream_retries_total")).containsExactly(0.0);
        assertThat(metric("millrace_origin_serving")).containsExactlyInAnyOrder(0.0, 1.0);
    }

    private void serve(Upstream upstream, Route route) {
        serve(List.of(upstream), route);
    }

    private void serve(List<Upstream> upstreams, Route route) {
        Map<String, Upstream> named = new LinkedHashMap<>();
        upstreams.forEach(upstream -> named.put(upstream.name(), upstream));
        relay.reload(RelayConfig.defaults()
                .with(c -> c.upstreams = named)
                .with(c -> c.routes = List.of(route))
                .with(c -> c.accessLog = AccessLog.OFF));
    }

    private Upstream pool() {
        return Upstream.of("pool", List.of(a.uri(), b.uri())).with(u -> u.health = QUICK);
    }

    private static Route route() {
        return Route.of("r", Match.ALL, "pool").with(r -> r.retry = AT_ONCE);
    }

    /** So many requests, one after the other, each of which must be served to its end. */
    private void stream(int requests) throws IOException {
        for (int i = 0; i < requests; i++) {
            var response = post();
            assertThat(response.status()).isEqualTo(200);
            assertThat(response.end()).isEqualTo(End.COMPLETE);
            assertThat(response.text()).endsWith("data: [DONE]\n\n").doesNotContain("\"error\"");
        }
    }

    private RawClient.Response post(String... headers) throws IOException {
        return send("{\"model\":\"m\",\"stream\":true,\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]}", headers);
    }

    private void prompt(String system, String question) throws IOException {
        String turns = "[{\"role\":\"system\",\"content\":\"" + system + "\"},{\"role\":\"user\",\"content\":\""
                + question + "\"}]";
        send("{\"model\":\"m\",\"stream\":true,\"messages\":" + turns + "}");
    }

    private RawClient.Response send(String body, String... headers) throws IOException {
        try (var client = new RawClient(port())) {
            client.send("POST", CHAT, body, headers);
            return client.readAll();
        }
    }

    /** The values of a metric, one for each set of labels. */
    private List<Double> metric(String name) {
        return new String(relay.metrics().text(), StandardCharsets.UTF_8)
                .lines()
                .filter(line -> line.startsWith(name + "{"))
                .map(line -> Double.valueOf(line.substring(line.lastIndexOf(' ') + 1)))
                .toList();
    }

    private int port() {
        return relay.addresses().get(0).getPort();
    }

    private static long asked(MockServer mock) {
        return mock.requests().stream()
                .filter(request -> request.uri().startsWith(CHAT))
                .count();
    }

    private static void spec(MockServer mock, String spec) {
        mock.setSpec(MockSpec.parse(spec));
    }

    private static MockServer mock() {
        return MockServer.start(MockConfig.defaults().withSpec(MockSpec.parse(SHORT)));
    }
}
