package io.millrace.server.relay;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.millrace.server.RelayServer;
import io.millrace.server.config.Match;
import io.millrace.server.config.RelayConfig;
import io.millrace.server.config.RelayConfig.AccessLog;
import io.millrace.server.config.Route;
import io.millrace.server.config.Route.Balance;
import io.millrace.server.config.Route.Hedge;
import io.millrace.server.config.Route.Retry;
import io.millrace.server.config.Timeouts;
import io.millrace.server.config.Upstream;
import io.millrace.server.config.Upstream.RetryBudget;
import io.millrace.server.mock.MockConfig;
import io.millrace.server.mock.MockServer;
import io.millrace.server.mock.MockSpec;
import io.millrace.server.test.RawClient;
import io.millrace.server.test.RelayHarness;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The way of a request when one place fails: other origins, other targets, and a parallel second attempt. */
@Tag("sockets")
@Tag("h2")
class FallbackTest {
    private static final Retry ONCE = Retry.DEFAULT.with(t -> t.attempts = 1);
    private static final String CHAT = "/v1/chat/completions";
    private static final Retry QUICK = Retry.DEFAULT
            .with(r -> r.attempts = 2)
            .with(r -> r.base = Duration.ofMillis(5))
            .with(r -> r.cap = Duration.ofMillis(5));
    private static final Retry SLOW = Retry.DEFAULT.with(r -> r.base = Duration.ofSeconds(8));

    private MockServer a;
    private MockServer b;

    @BeforeEach
    void start() {
        a = MockServer.start(MockConfig.defaults());
        b = MockServer.start(MockConfig.defaults());
    }

    @AfterEach
    void stop() {
        a.close();
        b.close();
    }

    @Test
    void goesToTheNextTargetWhenOneIsExhausted() throws IOException {
        a.setSpec(MockSpec.parse("status=503"));
        try (var relay = twoTargets(route -> route.with(r -> r.retry = QUICK))) {
            RawClient.Response response = stream(relay);
            assertThat(response.status()).isEqualTo(200);
            assertThat(response.header("x-millrace-upstream")).isEqualTo("b");
            assertThat(response.header("x-millrace-attempts")).isEqualTo("3");
            assertThat(a.stats().requests()).isEqualTo(2);
            await().untilAsserted(() ->
                    assertThat(metrics(relay)).contains("millrace_retries_total 1.0", "millrace_fallbacks_total 1.0"));
        }
    }

    @Test
    void asksEachTargetForItsOwnModel() throws IOException {
        a.setSpec(MockSpec.parse("status=503"));
        var targets = List.of(
                Route.Target.of("a").with(r -> r.rewriteModel = "model-of-a"),
                Route.Target.of("b").with(r -> r.rewriteModel = "b"));
        try (var relay = twoTargets(route -> route.with(r -> r.retry = QUICK).with(r -> r.targets = targets))) {
            assertThat(stream(relay).status()).isEqualTo(200);
            assertThat(body(a, 0)).isEqualTo(body(a, 1)).contains("\"model\":\"model-of-a\"");
            assertThat(body(b, 0)).contains("\"model\":\"b\"");
        }
    }

    @Test
    void holdsEachTargetToItsOwnTime() throws IOException {
        a.setSpec(MockSpec.parse("stall_after_head=1"));
        var impatient = Timeouts.DEFAULT.with(t -> t.ttft = Duration.ofMillis(150));
        var targets = List.of(Route.Target.of("a").with(r -> r.timeouts = impatient), Route.Target.of("b"));
        try (var relay = twoTargets(route -> route.with(r -> r.retry = ONCE).with(r -> r.targets = targets))) {
            assertThat(stream(relay).header("x-millrace-upstream")).isEqualTo("b");
            await().until(() -> a.stats().openConnections() == 0);
        }
    }

    @Test
    void givesTheLastTargetsAnswerWhenAllFail() throws IOException {
        a.setSpec(MockSpec.parse("status=503"));
        b.setSpec(MockSpec.parse("status=529"));
        try (var relay = twoTargets(route -> route.with(r -> r.retry = ONCE))) {
            RawClient.Response response = stream(relay);
            assertThat(response.status()).isEqualTo(529);
            assertThat(response.header("x-millrace-upstream")).isEqualTo("b");
            assertThat(response.header("x-should-retry")).isEqualTo("false");
        }
    }

    @Test
    void leavesATargetThatHasAllTheRequestsItMayHave() throws IOException {
        a.setSpec(MockSpec.parse("stall_after_head=1"));
        try (var relay = relay(
                        Map.of(
                                "a",
                                Upstream.of("a", a.uri()).with(u -> u.maxConcurrent = 1),
                                "b",
                                Upstream.of("b", b.uri())),
                        Route.of("r", Match.ALL, List.of(Route.Target.of("a"), Route.Target.of("b"))));
                var busy = new RawClient(port(relay))) {
            busy.post(CHAT, "m", "");
            await().until(() -> a.stats().requests() == 1);
            assertThat(stream(relay).header("x-millrace-upstream")).isEqualTo("b");
        }
    }

    @Test
    void leavesATargetWhoseRetryBudgetIsSpent() throws IOException {
        a.setSpec(MockSpec.parse("status=503"));
        Upstream poor = Upstream.of("a", a.uri()).with(u -> u.retryBudget = new RetryBudget(0, 0));
        try (var relay = relay(
                Map.of("a", poor, "b", Upstream.of("b", b.uri())),
                Route.of("r", Match.ALL, List.of(Route.Target.of("a"), Route.Target.of("b")))
                        .with(r -> r.retry = SLOW))) {
            assertThat(stream(relay).header("x-millrace-attempts")).isEqualTo("2");
            assertThat(a.stats().requests()).isEqualTo(1);
        }
    }

    @Test
    void leavesATargetWhoseConnectionsAreAllInUse() throws IOException {
        a.setSpec(MockSpec.parse("stall_after_head=1"));
        Upstream narrow = Upstream.of("a", a.uri()).with(u -> u.maxConnections = 1);
        try (var relay = relay(
                        Map.of("a", narrow, "b", Upstream.of("b", b.uri())),
                        Route.of("r", Match.ALL, List.of(Route.Target.of("a"), Route.Target.of("b"))));
                var busy = new RawClient(port(relay))) {
            busy.post(CHAT, "m", "");
            await().until(() -> a.stats().requests() == 1);
            assertThat(stream(relay).header("x-millrace-upstream")).isEqualTo("b");
        }
    }

    @Test
    void triesAnotherOriginAtOnce() throws IOException {
        a.setSpec(MockSpec.parse("status=503"));
        try (var relay = twoOrigins(route -> route.with(r -> r.retry = SLOW))) {
            var tookNs = new long[8];
            for (int i = 0; i < tookNs.length; i++) {
                long startNs = System.nanoTime();
                assertThat(stream(relay).status()).isEqualTo(200);
                tookNs[i] = System.nanoTime() - startNs;
            }
            Arrays.sort(tookNs);
            assertThat(Duration.ofNanos(tookNs[tookNs.length / 2])).isLessThan(Duration.ofSeconds(2));
            assertThat(b.stats().requests()).isEqualTo(8);
        }
    }

    @Test
    void sendsWhatHasAHeaderInCommonToOneOrigin() throws IOException {
        try (var relay = twoOrigins(route -> route.with(r -> r.balance = Balance.header("x-session")))) {
            for (int i = 0; i < 6; i++) {
                try (var client = new RawClient(port(relay))) {
                    client.send("POST", CHAT, "{\"model\":\"m\"}", "x-session: one");
                    assertThat(client.readAll().status()).isEqualTo(200);
                }
            }
            assertThat(Set.of(a.stats().requests(), b.stats().requests())).containsExactlyInAnyOrder(0L, 6L);
        }
    }

    @Test
    void sendsWhatBeginsAlikeToOneOrigin() throws IOException {
        try (var relay = twoOrigins(route -> route.with(r -> r.balance = Balance.promptPrefix(16)))) {
            var served = new HashSet<Long>();
            for (int i = 0; i < 6; i++) {
                assertThat(stream(relay).status()).isEqualTo(200);
            }
            served.add(a.stats().requests());
            served.add(b.stats().requests());
            assertThat(served).containsExactlyInAnyOrder(0L, 6L);
        }
    }

    @Test
    void takesTheFirstOutputOfTwoAndCancelsTheOther() throws IOException {
        a.setSpec(MockSpec.parse("stall_after=0"));
        try (var relay = twoOrigins(route -> route.with(r -> r.hedge = new Hedge(Duration.ofMillis(100), 1)))) {
            for (int i = 0; i < 6; i++) {
                RawClient.Response response = stream(relay);
                assertThat(response.text()).endsWith("data: [DONE]\n\n");
                assertThat(response.header("x-millrace-attempts")).isIn("1", "2");
            }
            await().until(() -> a.stats().openConnections() == 0);
            assertThat(b.stats().requests()).isEqualTo(6);
            await().untilAsserted(() -> assertThat(metrics(relay))
                    .contains("millrace_hedges_total " + a.stats().requests() + ".0"));
        }
    }

    @Test
    void makesNoSecondAttemptBeyondItsShare() throws IOException {
        a.setSpec(MockSpec.parse("ttft_ms=200"));
        b.setSpec(MockSpec.parse("ttft_ms=200"));
        try (var relay = twoOrigins(route -> route.with(r -> r.hedge = new Hedge(Duration.ofMillis(20), 0)))) {
            assertThat(stream(relay).header("x-millrace-attempts")).isEqualTo("1");
        }
    }

    @Test
    void failsWhenBothOfTwoFail() throws IOException {
        a.setSpec(MockSpec.parse("status=503,head_ms=500"));
        b.setSpec(MockSpec.parse("status=503,head_ms=500"));
        Hedge hedge = new Hedge(Duration.ofMillis(30), 1);
        try (var relay =
                twoOrigins(route -> route.with(r -> r.retry = Retry.OFF).with(r -> r.hedge = hedge))) {
            RawClient.Response response = stream(relay);
            assertThat(response.status()).isEqualTo(503);
            assertThat(response.header("x-millrace-attempts")).isEqualTo("2");
            await().until(() -> relay.metrics().activeExchanges() == 0);
        }
    }

    private RelayServer twoTargets(UnaryOperator<Route> change) {
        var upstreams = Map.of("a", Upstream.of("a", a.uri()), "b", Upstream.of("b", b.uri()));
        return relay(
                upstreams, change.apply(Route.of("r", Match.ALL, List.of(Route.Target.of("a"), Route.Target.of("b")))));
    }

    private RelayServer twoOrigins(UnaryOperator<Route> change) {
        var upstream = Upstream.of("both", List.of(a.uri(), b.uri()));
        return relay(Map.of("both", upstream), change.apply(Route.of("r", Match.ALL, "both")));
    }

    private RelayServer relay(Map<String, Upstream> upstreams, Route route) {
        return RelayHarness.serve(RelayConfig.relayTo(a.uri())
                .with(c -> c.accessLog = AccessLog.OFF)
                .with(c -> c.eventLoops = 1)
                .with(c -> c.routes = List.of())
                .with(c -> c.upstreams = upstreams)
                .with(c -> c.routes = List.of(route)));
    }

    private static RawClient.Response stream(RelayServer relay) throws IOException {
        try (var client = new RawClient(port(relay))) {
            client.post(CHAT, "m", "");
            return client.readAll();
        }
    }

    private static String body(MockServer mock, int index) {
        return new String(mock.requests().get(index).body(), StandardCharsets.UTF_8);
    }

    private static String metrics(RelayServer relay) {
        return new String(relay.metrics().text(), StandardCharsets.UTF_8);
    }

    private static int port(RelayServer relay) {
        return relay.addresses().get(0).getPort();
    }
}
