package io.millrace.server.relay;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.millrace.codec.dialect.Dialect;
import io.millrace.server.config.Limits;
import io.millrace.server.config.Match;
import io.millrace.server.config.RelayConfig;
import io.millrace.server.config.RelayConfig.AccessLog;
import io.millrace.server.config.Route;
import io.millrace.server.memory.Held;
import io.millrace.server.mock.MockConfig;
import io.millrace.server.test.RawClient;
import io.millrace.server.test.RelayHarness;
import io.millrace.server.test.ScriptedUpstream;
import io.millrace.server.transport.Transport;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The memory that all clients together may make the relay hold. */
@Tag("sockets")
@Tag("h2")
class MemoryTest {
    private static final int MEMORY = 8 << 20;
    /** A quarter of what all may hold is the share of one; two fit, a third does not. */
    private static final int BIG = 3 << 19;
    /** So many that do not read hold 3/2 MiB, were it only the low watermark each. */
    private static final int CROWD = 50;

    private static final String QUESTION = "{\"model\":\"m\",\"max_tokens\":9,\"messages\":[]}";
    private static final String OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

    @Test
    void servesSmallRequestsWhileUnfinishedOnesHoldAllThatBodiesMay() throws IOException {
        try (var harness = byModel(MEMORY);
                var one = unfinished(harness, BIG);
                var two = unfinished(harness, BIG)) {
            await().until(() -> harness.relay.metrics().held(Held.REQUESTS) > 2 * BIG - 100);
            for (int size : new int[] {0, 1000, 60_000}) {
                try (var small = harness.client()) {
                    small.send("POST", "/v1/embeddings", "{\"model\":\"m\",\"input\":\"" + "a".repeat(size) + "\"}");
                    assertThat(small.readAll().status()).isEqualTo(200);
                }
            }
            assertThat(one.socket().isClosed()).isFalse();
            assertThat(two.socket().isClosed()).isFalse();
        }
    }

    @Test
    void endsTheSlowestWhereABigBodyFindsNoRoom() throws IOException {
        try (var harness = byModel(MEMORY);
                var slowest = unfinished(harness, BIG)) {
            await().until(() -> harness.relay.metrics().held(Held.REQUESTS) > BIG - 100);
            try (var other = unfinished(harness, BIG)) {
                await().until(() -> harness.relay.metrics().held(Held.REQUESTS) > 2 * BIG - 100);
                try (var third = harness.client()) {
                    third.send("POST", "/v1/embeddings", "{\"model\":\"m\",\"input\":\"" + "a".repeat(BIG) + "\"}");
                    assertThat(third.readAll().status()).isEqualTo(200);
                }
                RawClient.Response refused = slowest.readAll();
                assertThat(refused.status()).isEqualTo(503);
                assertThat(refused.header("retry-after")).isEqualTo("1");
                assertThat(refused.text()).contains("relay_overloaded");
                other.sendRaw("xx\"}");
                assertThat(other.readAll().status()).isEqualTo(200);
            }
            await().until(() -> harness.relay.metrics().exchanges("overloaded") == 1);
        }
    }

    @Test
    void endsTheSlowestOfAnotherEventLoopBeforeTheClientTriesAgain() throws IOException {
        // By Java's own transport one event loop accepts for all, which get the connections in turn.
        try (var harness = byModel(
                        config -> config.with(c -> c.transport = Transport.NIO).with(c -> c.eventLoops = 2));
                var slowest = unfinished(harness, BIG)) {
            await().until(() -> harness.relay.metrics().held(Held.REQUESTS) > BIG - 100);
            try (var between = harness.client();
                    var other = unfinished(harness, BIG);
                    var third = harness.client()) {
                await().until(() -> harness.relay.metrics().held(Held.REQUESTS) > 2 * BIG - 100);
                String body = "{\"model\":\"m\",\"input\":\"" + "a".repeat(BIG) + "\"}";
                third.send("POST", "/v1/embeddings", body);
                assertThat(third.readAll().status()).isIn(200, 503);
                assertThat(slowest.readAll().status()).isEqualTo(503);
                between.send("POST", "/v1/embeddings", body);
                assertThat(between.readAll().status()).isEqualTo(200);
                other.sendRaw("xx\"}");
                assertThat(other.readAll().status()).isEqualTo(200);
            }
        }
    }

    @Test
    void refusesABodyThatIsMoreThanTheShareOfOne() throws IOException {
        try (var harness = byModel(MEMORY);
                var client = unfinished(harness, (2 << 20) + 1000)) {
            RawClient.Response refused = client.readAll();
            assertThat(refused.status()).as("to try again would not help").isEqualTo(413);
            assertThat(refused.text()).contains("request_too_large", "2097152 bytes");
            await().until(() -> harness.relay.metrics().held(Held.REQUESTS) == 0);
        }
    }

    @Test
    void dropsBodiesThatAreKeptForAnotherAttemptFirst() throws IOException {
        var answer = new CountDownLatch(1);
        try (var upstream = ScriptedUpstream.start(connection -> {
                    connection.readRequest();
                    awaitUninterruptibly(answer);
                    connection.send(OK);
                });
                var harness = to(upstream, config -> config)) {
            var clients = new ArrayList<RawClient>();
            for (int i = 1; i <= 4; i++) {
                var client = harness.client();
                clients.add(client);
                client.send("POST", "/v1/embeddings", "{\"model\":\"m\",\"input\":\"" + "a".repeat(BIG) + "\"}");
                int sent = i;
                await().until(() -> upstream.requests().size() == sent);
            }
            assertThat(harness.relay.metrics().held(Held.REQUESTS)).isLessThanOrEqualTo(MEMORY / 2);
            answer.countDown();
            for (RawClient client : clients) {
                assertThat(client.readAll().text()).isEqualTo("ok");
                client.close();
            }
            await().until(() -> harness.relay.metrics().held(Held.REQUESTS) == 0);
        }
    }

    @Tag("h1") // pipelined
    @Test
    void countsWhatClientsSendAhead() throws IOException {
        try (var harness = RelayHarness.start(config -> config.with(c -> c.eventLoops = 1));
                var client = harness.client()) {
            client.post(RelayHarness.withSpec(Api.CHAT.path, "tokens=20,gap_ms=20"), "m", "");
            client.readHead();
            client.sendRaw("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 60000\r\n\r\n" + "a".repeat(60_000));
            await().until(() -> harness.relay.metrics().held(Held.REQUESTS) > 60_000);
        }
    }

    @Test
    void refusesNewStreamsWhileClientsThatDoNotReadHoldTooMuchAndServesOnWhenTheyLeave() throws IOException {
        try (var harness = stalled(1 << 20)) {
            var crowd = crowd(harness, 30);
            await().until(() -> harness.relay.metrics().held(Held.CLIENTS) > (3 << 18));
            try (var client = harness.client()) {
                client.post(Api.MESSAGES.path, "m", "");
                RawClient.Response refused = client.readAll();
                assertThat(refused.status()).isEqualTo(503);
                assertThat(refused.header("retry-after")).isEqualTo("1");
                assertThat(refused.text()).startsWith("{\"type\":\"error\"").contains("short of memory");
                client.send("GET", "/healthz", "");
                assertThat(client.readAll().status()).isEqualTo(200);
                client.send("GET", "/metrics", "");
                assertThat(client.readAll().text())
                        .contains("millrace_held_bytes{kind=\"clients\",pool=\"buffers\"}")
                        .contains("millrace_held_bytes_limit{pool=\"buffers\"} 1048576");
            }
            assertThat(harness.relay.metrics().held(Held.CLIENTS)).isLessThan(2 << 20);
            for (RawClient client : crowd) {
                client.reset();
            }
            await().until(() -> harness.stream(Api.CHAT.path, "tokens=5").status() == 200);
            await().until(() -> harness.relay.metrics().held(Held.CLIENTS) == 0);
        }
    }

    @Tag("h1") // slow; Http2ReliefTest has the same over HTTP/2
    @Test
    void cutsTheLargestWhenMuchTooMuchIsHeldAndTellsItTheLog() throws IOException {
        try (var harness = stalled(64 << 20)) {
            var crowd = crowd(harness, CROWD);
            await().until(() -> harness.relay.metrics().held(Held.CLIENTS) > (3 << 19));
            harness.relay.reload(RelayConfig.relayTo(harness.mock.uri())
                    .with(c -> c.accessLog = AccessLog.OFF)
                    .with(c -> c.eventLoops = 1)
                    .with(c -> c.limits = Limits.DEFAULT.with(l -> l.memory = 1 << 20)));
            await().until(() -> harness.relay.metrics().held(Held.CLIENTS) <= (3 << 18));
            await().until(() -> harness.relay.metrics().exchanges("overloaded") > 0);
            assertThat(harness.relay.metrics().exchanges("overloaded")).isLessThan(CROWD);
            for (RawClient client : crowd) {
                client.reset();
            }
            await().until(() -> harness.relay.metrics().held(Held.CLIENTS) == 0);
        }
    }

    @Tag("h1") // a head in parts
    @Test
    void cutsWhereMuchIsHeldThoughAnotherEventLoopPassesTheMark() throws IOException {
        // By Java's own transport one event loop accepts for all, which get the connections in turn.
        UnaryOperator<RelayConfig> two =
                config -> config.with(c -> c.transport = Transport.NIO).with(c -> c.eventLoops = 2);
        try (var harness = RelayHarness.start(two)) {
            var crowd = new ArrayList<RawClient>();
            var idle = new ArrayList<RawClient>();
            for (int i = 0; i < CROWD; i++) {
                crowd.addAll(crowd(harness, 1));
                idle.add(harness.client());
            }
            await().until(() -> harness.relay.metrics().held(Held.CLIENTS) > 1 << 20);
            harness.relay.reload(two.apply(RelayConfig.relayTo(harness.mock.uri()))
                    .with(c -> c.accessLog = AccessLog.OFF)
                    .with(c -> c.limits = Limits.DEFAULT.with(l -> l.memory = 1 << 20)));
            for (RawClient client : idle) {
                client.sendRaw("GET /healthz HTTP/1.1\r\nHost: ");
            }
            await().until(() -> harness.relay.metrics().held(Held.CLIENTS) <= (3 << 18));
            for (RawClient client : idle) {
                client.sendRaw("a\r\n\r\n");
                assertThat(client.readAll().status()).isEqualTo(200);
            }
            for (RawClient client : crowd) {
                client.reset();
            }
            await().until(() -> harness.relay.metrics().held(Held.CLIENTS) == 0);
        }
    }

    @Test
    void countsAnswersThatAreTranslatedAndEndsWhatHoldsTooMuch() throws IOException {
        String json = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 9000000\r\n\r\n{\"x\":\"";
        String stream = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: {\"x\":\"";
        try (var upstream = ScriptedUpstream.start(connection -> {
                    String request = connection.readRequest();
                    connection.send((request.contains("\"stream\":true") ? stream : json) + "a".repeat(3 << 20));
                    connection.read();
                });
                var harness = to(
                        upstream,
                        config -> config.with(c -> c.limits = Limits.DEFAULT.with(l -> l.memory = 2 << 20))
                                .with(c -> c.upstreams = Map.of(
                                        "default",
                                        config.upstreams()
                                                .get("default")
                                                .with(u -> u.dialects = List.of(Dialect.CHAT)))))) {
            try (var client = harness.client()) {
                client.send("POST", Api.MESSAGES.path, QUESTION);
                await().until(() -> harness.relay.metrics().held(Held.ANSWERS) >= 3 << 20);
            }
            await().until(() -> harness.relay.metrics().held(Held.ANSWERS) == 0);
            try (var client = harness.client()) {
                client.send("POST", Api.MESSAGES.path, QUESTION.replaceFirst("\\{", "{\"stream\":true,"));
                RawClient.Response refused = client.readAll();
                assertThat(refused.status()).isEqualTo(503);
                assertThat(refused.text()).startsWith("{\"type\":\"error\"").contains("short of memory");
            }
            await().until(() -> harness.relay.metrics().exchanges("overloaded") == 1);
            await().until(() -> harness.relay.metrics().held(Held.FRAMES) == 0);
        }
    }

    private static RelayHarness stalled(int memory) {
        return RelayHarness.start(config ->
                config.with(c -> c.eventLoops = 1).with(c -> c.limits = Limits.DEFAULT.with(l -> l.memory = memory)));
    }

    private static List<RawClient> crowd(RelayHarness harness, int count) throws IOException {
        var crowd = new ArrayList<RawClient>();
        for (int i = 0; i < count; i++) {
            var client = harness.client();
            client.post(RelayHarness.withSpec(Api.CHAT.path, "tokens=200000"), "m", "");
            crowd.add(client);
        }
        return crowd;
    }

    /** A client whose request lacks its last bytes. */
    private static RawClient unfinished(RelayHarness harness, int size) throws IOException {
        var client = harness.client();
        String start = "{\"model\":\"m\",\"input\":\"";
        client.sendRaw("POST /v1/embeddings HTTP/1.1\r\nHost: a\r\nContent-Length: " + (start.length() + size)
                + "\r\n\r\n" + start + "a".repeat(size - 4));
        return client;
    }

    private static RelayHarness byModel(int memory) {
        return byModel(config ->
                config.with(c -> c.eventLoops = 1).with(c -> c.limits = Limits.DEFAULT.with(l -> l.memory = memory)));
    }

    private static RelayHarness byModel(UnaryOperator<RelayConfig> change) {
        return RelayHarness.start(config -> change.apply(
                        config.with(c -> c.limits = Limits.DEFAULT.with(l -> l.memory = MEMORY)))
                .with(c -> c.routes = List.of(Route.of("m", Match.models("m"), "default"))));
    }

    private static RelayHarness to(ScriptedUpstream upstream, UnaryOperator<RelayConfig> change) {
        RelayConfig config = RelayConfig.relayTo(upstream.uri())
                .with(c -> c.accessLog = AccessLog.OFF)
                .with(c -> c.eventLoops = 1)
                .with(c -> c.limits = Limits.DEFAULT.with(l -> l.memory = MEMORY));
        return RelayHarness.start(MockConfig.defaults(), ignored -> change.apply(config));
    }

    private static void awaitUninterruptibly(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }
}
