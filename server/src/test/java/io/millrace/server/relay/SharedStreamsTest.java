package io.millrace.server.relay;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.millrace.server.config.Credential.Secret;
import io.millrace.server.config.RedisSettings;
import io.millrace.server.config.RelayConfig;
import io.millrace.server.config.ResumeStore;
import io.millrace.server.config.Route.Disconnect;
import io.millrace.server.redis.RedisServer;
import io.millrace.server.relay.ResumeBed.Part;
import io.millrace.server.test.Forwarder;
import io.millrace.server.test.RawClient;
import io.millrace.server.test.RelayHarness;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Two relays that share their streams in a real Redis, and what becomes of that when Redis or a relay fails. */
@Tag("sockets")
class SharedStreamsTest {
    private static final String KEY = "Authorization: Bearer sk-one";
    private static final String OTHER = "Authorization: Bearer sk-two";
    private static final int AT_ONCE = 50;
    private static final String BODY = "{\"model\":\"m\",\"stream\":true,\"messages\":[],\"input\":\"a\"}";

    @TempDir
    private Path directory;

    private RedisServer redis;
    private Forwarder toRedis;
    private RelayHarness one;
    private RelayHarness two;

    @BeforeEach
    void start() throws IOException {
        redis = RedisServer.start(directory);
        toRedis = new Forwarder(redis.port());
        one = relay(toRedis.port());
        two = relay(redis.port());
    }

    @AfterEach
    void stop() throws IOException {
        one.close();
        two.close();
        toRedis.close();
        redis.close();
    }

    private static RelayHarness relay(int redis) {
        RelayHarness relay = relay(
                RedisSettings.DEFAULT.with(r -> r.url = URI.create("redis://127.0.0.1:" + redis)), config -> config);
        await().until(() -> metric(relay, "store_up") == 1);
        return relay;
    }

    /** A relay that keeps its streams there. */
    static RelayHarness relay(RedisSettings at, UnaryOperator<RelayConfig> change) {
        ResumeStore store = ResumeStore.DEFAULT
                .with(s -> s.redis = at)
                .with(s -> s.secret = Secret.of("a secret of thirty-two characters or more", "env: SECRET"))
                .with(s -> s.lease = Duration.ofSeconds(5));
        return RelayHarness.start(config -> change.apply(shared(config, store)));
    }

    private static RelayConfig shared(RelayConfig config, ResumeStore store) {
        return config.with(c -> c.eventLoops = 2)
                .with(c -> c.timeouts = c.timeouts.with(t -> t.drain = Duration.ofMillis(500)))
                .with(c -> c.resume = c.resume.with(r -> r.redis = store))
                .with(c -> c.routes = config.routes().stream()
                        .map(route -> route.with(r -> r.disconnect = Disconnect.DETACH))
                        .toList());
    }

    static double metric(RelayHarness relay, String name) {
        String text = new String(relay.relay.metrics().text(), StandardCharsets.UTF_8);
        return text.lines()
                .filter(line -> line.startsWith("millrace_replay_" + name))
                .mapToDouble(line -> Double.parseDouble(line.substring(line.lastIndexOf(' ') + 1)))
                .sum();
    }

    static Part ask(RelayHarness relay, Api api, String spec, String... fields) throws IOException {
        RawClient client = relay.client();
        var headers = new ArrayList<>(List.of(fields));
        headers.add(KEY);
        client.send("POST", RelayHarness.withSpec(api.path, spec), BODY, headers.toArray(String[]::new));
        return new Part(client);
    }

    static Part send(RelayHarness relay, String method, String what, String... fields) throws IOException {
        RawClient client = relay.client();
        client.send(method, "/millrace/streams/" + what, "", fields);
        return new Part(client);
    }

    static Part follow(RelayHarness relay, String what) throws IOException {
        return send(relay, "GET", what, KEY);
    }

    /** The id of a stream that the other node can find from now on: the store does not have it as soon as its client. */
    private String idOf(Part begun) {
        assertThat(begun.status()).isEqualTo(200);
        String id = begun.header("x-millrace-stream");
        await().pollInterval(Duration.ofMillis(5))
                .until(() -> redis.command("EXISTS millrace:m:" + id).equals(":1"));
        return id;
    }

    /** The status of the answer, once the other node gave one: it does not wait longer than a second. */
    private int settled(String method, String id, String key) {
        var status = new AtomicInteger();
        await().until(() -> {
            try (var answer = send(two, method, id, key)) {
                status.set(answer.status());
            }
            return status.get() != 503;
        });
        return status.get();
    }

    @Test
    void aStreamIsReadFromTheOtherNodeWhileItRunsAndAfterItsEnd() throws Exception {
        try (var client = ask(one, Api.CHAT, "tokens=40,gap_ms=20")) {
            String id = idOf(client);
            client.read(500);
            try (var live = follow(two, id);
                    var rest = follow(two, id + "?offset=500");
                    var head = send(two, "HEAD", id, KEY)) {
                assertThat(live.status()).isEqualTo(200);
                assertThat(live.header("content-type")).isEqualTo(client.header("content-type"));
                assertThat(live.header("x-request-id")).isEqualTo(client.header("x-request-id"));
                assertThat(head.header("x-millrace-state")).isEqualTo("live");
                assertThat(client.readAll()).isTrue();
                assertThat(live.readAll()).isTrue();
                assertThat(rest.readAll()).isTrue();
                assertThat(live.text()).isEqualTo(client.text());
                assertThat(rest.text()).isEqualTo(client.text().substring(500));
            }
            int length = client.body().length;
            try (var after = follow(two, id + "?ids");
                    var whole = follow(two, id + "?offset=" + length);
                    var ahead = follow(two, id + "?offset=" + (length + 1));
                    var head = send(two, "HEAD", id, KEY)) {
                assertThat(after.readAll()).isTrue();
                assertThat(after.text().replaceAll("(?m)^id: \\d+\n", "")).isEqualTo(client.text());
                assertThat(whole.status()).isEqualTo(204);
                assertThat(ahead.status()).isEqualTo(416);
                assertThat(head.header("x-millrace-state")).isEqualTo("clean");
                assertThat(head.header("x-millrace-tail")).isEqualTo(Integer.toString(length));
            }
        }
        assertThat(one.mock.stats().requests()).isEqualTo(1);
    }

    @Test
    void onlyItsClientReadsOrStopsAStreamOfTheOtherNode() throws Exception {
        try (var client = ask(one, Api.CHAT, "tokens=9,stall_after=3")) {
            String id = idOf(client);
            var random = new Random(1);
            var wrong = new ArrayList<>(List.of("x", id + "0", id.replace('.', '-'), "../" + id, id + "%0d%0aDEL"));
            for (int i = 0; i < 20; i++) {
                int at = id.indexOf('-') + 1 + random.nextInt(24);
                wrong.add(id.substring(0, at) + (id.charAt(at) == '0' ? '1' : '0') + id.substring(at + 1));
            }
            wrong.add("aaaaaaaa" + id.substring(8));
            for (String method : List.of("GET", "DELETE")) {
                for (String each : wrong) {
                    assertThat(settled(method, each, KEY))
                            .as(method + " " + each)
                            .isEqualTo(404);
                }
                for (String key : List.of(OTHER, "x-nothing: 1")) {
                    // Equal answers, once both are of the other node: it has a second for them.
                    await().untilAsserted(() -> {
                        try (var refused = send(two, method, id, key);
                                var unknown = send(two, method, wrong.get(9), KEY)) {
                            assertThat(refused.status()).as(method).isEqualTo(404);
                            assertThat(refused.client.readUntil("}}"))
                                    .isEqualTo(unknown.client.readUntil("}}"))
                                    .contains("stream_not_found");
                        }
                    });
                }
            }
            assertThat(settled("DELETE", id, KEY)).isEqualTo(204);
            assertThat(client.readAll()).isTrue();
            // The first stops it, and one that comes behind its end forgets it.
            await().untilAsserted(() -> {
                settled("DELETE", id, KEY);
                try (var gone = follow(two, id);
                        var here = follow(one, id)) {
                    assertThat(gone.status()).isEqualTo(404);
                    assertThat(here.status()).isEqualTo(404);
                }
            });
            assertThat(redis.command("KEYS millrace:?:" + id)).isEqualTo("*0");
        }
    }

    /** Fifty at once, at two nodes with two event loops each. */
    @Test
    void equalRequestsAtBothNodesAskTheUpstreamOnce() throws Exception {
        String name = "Idempotency-Key: 6f1c2a34-0b1e-4d7e-9c55";
        String spec = RelayHarness.withSpec(Api.CHAT.path, "tokens=20,gap_ms=10,ttft_ms=300");
        var clients = new ArrayList<RawClient>();
        for (int i = 0; i < AT_ONCE; i++) {
            clients.add((i % 2 == 0 ? one : two).client());
            clients.get(i).send("POST", spec, BODY, name, KEY);
        }
        var texts = new HashSet<String>();
        int replayed = 0;
        for (RawClient client : clients) {
            try (var part = new Part(client)) {
                assertThat(part.status()).isEqualTo(200);
                replayed += "true".equals(part.header("idempotent-replayed")) ? 1 : 0;
                assertThat(part.readAll()).isTrue();
                texts.add(part.text());
            }
        }
        assertThat(texts).hasSize(1).allMatch(text -> text.endsWith("data: [DONE]\n\n"));
        assertThat(replayed).isEqualTo(AT_ONCE - 1);
        try (var third = ask(two, Api.CHAT, "tokens=20,gap_ms=10,ttft_ms=300", name);
                var other = ask(two, Api.CHAT, "tokens=21", name)) {
            assertThat(third.header("idempotent-replayed")).isEqualTo("true");
            assertThat(other.status()).isEqualTo(422);
        }
        assertThat(one.mock.stats().requests() + two.mock.stats().requests()).isEqualTo(1);
        try (var started = ask(one, Api.RESPONSES, "tokens=9,ttft_ms=500", "Prefer: respond-async")) {
            assertThat(started.status()).isEqualTo(202);
            try (var followed = follow(two, started.header("location").substring("/millrace/streams/".length()))) {
                assertThat(followed.readAll()).isTrue();
                assertThat(followed.text()).contains("response.completed");
            }
        }
    }

    /** A stream of the first node that its client and one at the other node read. */
    private record Followed(Api api, Part client, String id, Part live) implements AutoCloseable {
        @Override
        public void close() throws IOException {
            client.close();
            live.close();
        }
    }

    private Followed followed(Api api) throws IOException {
        Part client = ask(one, api, "tokens=300,gap_ms=40");
        String id = idOf(client);
        client.read(2_000);
        Part live = follow(two, id);
        assertThat(live.status()).isEqualTo(200);
        live.read(1_000);
        return new Followed(api, client, id, live);
    }

    /** A node that cannot say that it lives counts as dead. What it says later is not taken. */
    @Test
    void theEndOfANodeIsToldAtTheOther() throws Exception {
        try (var chat = followed(Api.CHAT);
                var responses = followed(Api.RESPONSES)) {
            List<Followed> both = List.of(chat, responses);
            long cutNs = System.nanoTime();
            toRedis.cut();
            await().until(() -> metric(one, "store_up") == 0);
            for (Followed each : both) {
                assertThat(each.live().readAll()).isTrue();
            }
            assertThat(Duration.ofNanos(System.nanoTime() - cutNs)).isLessThan(Duration.ofSeconds(10));
            for (Followed each : both) {
                assertLost(each);
            }
            toRedis.mend();
            await().until(() -> metric(one, "store_fenced_total") == 2);
            await().until(() -> metric(one, "store_up") == 1);
            for (Followed each : both) {
                try (var own = follow(one, each.id())) {
                    assertThat(own.read(3_000)).isFalse();
                }
                try (var stop = send(one, "DELETE", each.id(), KEY)) {
                    assertThat(stop.status()).isEqualTo(204);
                }
                assertThat(each.client().readAll())
                        .as("its own client has the whole")
                        .isTrue();
            }
        }
        assertThat(metric(two, "store_lost_total")).isEqualTo(2);
    }

    private void assertLost(Followed stream) throws IOException {
        String text = stream.live().text();
        int error = text.lastIndexOf(stream.api() == Api.CHAT ? "data: {" : "event: error");
        assertThat(text.substring(error)).contains("relay_lost");
        assertThat(text.length() - error).isLessThan(500);
        // It knew no more than the client of the first node has, or will have.
        Part client = stream.client();
        client.read(error);
        assertThat(client.text())
                .startsWith(text.substring(0, Math.min(error, client.text().length())));
        try (var ahead = follow(two, stream.id() + "?offset=" + (text.length() + 1_000));
                var head = send(two, "HEAD", stream.id(), KEY)) {
            assertThat(ahead.status()).isEqualTo(200);
            assertThat(ahead.readAll()).isTrue();
            assertThat(ahead.text()).isEqualTo(text.substring(error));
            assertThat(head.header("x-millrace-state")).isEqualTo("lost");
        }
    }

    /** Redis is killed, flushed, full, silent and killed again, while streams run that clients read at both nodes. */
    @Test
    void liveStreamsLoseNothingWhateverRedisDoes() throws Exception {
        var clients = new ArrayList<Part>();
        var readers = new ArrayList<Part>();
        var ids = new ArrayList<String>();
        for (int i = 0; i < 20; i++) {
            clients.add(ask(one, Api.CHAT, "tokens=" + (180 + i) + ",gap_ms=30"));
            ids.add(idOf(clients.get(i)));
            readers.add(follow(two, ids.get(i)));
            assertThat(readers.get(i).status()).isEqualTo(200);
            readers.get(i).read(300);
        }
        redis.command("FLUSHALL");
        readers.get(0).read(8_000);
        redis.command("CONFIG SET maxmemory 1");
        clients.get(0).read(14_000);
        redis.command("CONFIG SET maxmemory 0");
        readers.get(1).read(15_000);
        redis.kill();
        clients.get(1).read(20_000);
        redis.start();
        for (int i = 0; i < clients.size(); i++) {
            assertThat(clients.get(i).readAll()).isTrue();
            String whole = clients.get(i).text();
            StringBuilder read = new StringBuilder();
            Part reader = readers.get(i);
            boolean ended = reader.readAll();
            read.append(reader.text());
            reader.close();
            while (!ended) {
                reader = again(ids.get(i), read.length());
                ended = reader.status() == 204 || reader.readAll();
                read.append(reader.status() == 204 ? "" : reader.text());
                reader.close();
            }
            assertThat(read.toString()).isEqualTo(whole).endsWith("data: [DONE]\n\n");
            clients.get(i).close();
        }
        assertThat(metric(one, "store_errors_total")).isPositive();
    }

    private Part again(String id, int offset) throws IOException {
        var found = new Part[1];
        await().pollInterval(Duration.ofMillis(100)).until(() -> {
            found[0] = follow(two, id + "?offset=" + offset);
            boolean read = found[0].status() == 200 || found[0].status() == 204;
            if (!read) {
                assertThat(found[0].status()).isIn(503, 404);
                found[0].close();
            }
            return read;
        });
        return found[0];
    }

    /** A deploy: what has ended stays readable, and what is cut at the drain limit says so at each node. */
    @Test
    void aNodeThatStopsLeavesItsStreamsToTheOthers() throws Exception {
        try (var ended = ask(one, Api.CHAT, "tokens=9");
                var client = ask(one, Api.CHAT, "tokens=9,stall_after=3")) {
            assertThat(ended.readAll()).isTrue();
            client.read(500);
            try (var live = follow(two, idOf(client))) {
                live.read(100);
                one.relay.drain().get(20, TimeUnit.SECONDS);
                assertThat(client.readAll()).isTrue();
                assertThat(live.readAll()).isTrue();
                assertThat(live.text()).isEqualTo(client.text()).contains("relay_draining");
            }
            one.relay.close();
            try (var after = follow(two, idOf(ended));
                    var cut = follow(two, idOf(client))) {
                assertThat(after.readAll()).isTrue();
                assertThat(after.text()).isEqualTo(ended.text());
                assertThat(cut.readAll()).isTrue();
                assertThat(cut.text()).isEqualTo(client.text());
            }
            assertThat(redis.command("KEYS millrace:n:*")).isEqualTo("*1");
        }
    }

    @Test
    void withoutRedisTheOwnNodeGoesOnAndTheOtherSaysSo() throws Exception {
        try (var client = ask(one, Api.CHAT, "tokens=60,gap_ms=20")) {
            String id = idOf(client);
            client.read(500);
            redis.kill();
            await().until(() -> metric(two, "store_up") == 0);
            try (var own = follow(one, id);
                    var elsewhere = follow(two, id);
                    var source = follow(two, id + "?ids");
                    var stop = send(two, "DELETE", id, KEY)) {
                assertThat(elsewhere.status()).isEqualTo(503);
                assertThat(elsewhere.header("retry-after")).isEqualTo("1");
                assertThat(source.status()).isEqualTo(200);
                assertThat(source.readAll()).isTrue();
                assertThat(source.text()).isEqualTo("retry: 2000\n\n");
                assertThat(stop.status()).isEqualTo(503);
                assertThat(own.readAll()).isTrue();
                assertThat(client.readAll()).isTrue();
                assertThat(own.text()).isEqualTo(client.text());
            }
        }
    }
}
