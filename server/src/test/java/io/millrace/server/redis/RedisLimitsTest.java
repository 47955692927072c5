package io.millrace.server.redis;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import io.millrace.server.config.Credential.Secret;
import io.millrace.server.config.RedisSettings;
import io.millrace.server.config.RelayConfig;
import io.millrace.server.config.RelayConfig.ClientAccess.OnStoreFailure;
import io.millrace.server.test.Certificates;
import io.millrace.server.test.ClientFile;
import io.millrace.server.test.RawClient;
import io.millrace.server.test.RelayHarness;
import io.millrace.server.transport.Transport;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Several relays share the limits of their clients in a real Redis. What they do when it is lost. */
@Tag("sockets")
class RedisLimitsTest {
    private static final String CHAT = "/v1/chat/completions";
    private static final Logger LOG = (Logger) org.slf4j.LoggerFactory.getLogger(RedisLimits.class);
    /** A bucket of 10 that does not refill while a test runs. */
    private static final String TEN = "limits: {requestsPerSecond: 0.001, burst: 10}";
    /** A relay hears of the other when it tells what it used itself. So each can be one request behind the other. */
    private static final int OVERSHOOT = 2;

    private final ListAppender<ILoggingEvent> lines = new ListAppender<>();

    @TempDir
    private Path directory;

    private ClientFile clients;
    private String key;
    private String other;

    @BeforeEach
    void listen() {
        lines.setContext(LOG.getLoggerContext());
        lines.start();
        LOG.addAppender(lines);
        LOG.setLevel(Level.INFO);
        clients = new ClientFile(directory);
        key = clients.add("web", TEN);
        other = clients.add("batch", TEN);
    }

    @AfterEach
    void listenNoMore() {
        LOG.detachAppender(lines);
        LOG.setLevel(null);
    }

    private RelayHarness relay(RedisSettings redis) {
        return relay(redis, Transport.best());
    }

    private RelayHarness relay(RedisSettings redis, Transport transport) {
        return RelayHarness.start(config -> shared(clients.in(config), redis).with(c -> c.transport = transport));
    }

    private static RelayConfig shared(RelayConfig config, RedisSettings redis) {
        return config.with(c -> c.clients = c.clients.with(a -> a.redis = redis));
    }

    private static RedisSettings at(RedisServer redis) {
        return RedisSettings.DEFAULT.with(r -> r.url = URI.create("redis://127.0.0.1:" + redis.port()));
    }

    private static int ask(RelayHarness relay, String key) throws IOException {
        int status = response(relay, key).status();
        assertThat(status).isIn(200, 429);
        return status;
    }

    private static RawClient.Response response(RelayHarness relay, String key) throws IOException {
        try (var client = relay.client()) {
            client.send(
                    "POST",
                    RelayHarness.withSpec(CHAT, "tokens=1"),
                    "{\"model\":\"m\",\"stream\":true,\"messages\":[{\"role\":\"user\",\"content\":\"Hello\"}]}",
                    "x-api-key: " + key);
            return client.readAll();
        }
    }

    /** Asks, and waits until Redis has been told of a request that was granted. */
    private static int askAndTell(RelayHarness relay, String key) throws IOException {
        double told = exchanges(relay);
        int status = ask(relay, key);
        if (status == 200) {
            await().until(() -> exchanges(relay) > told);
        }
        return status;
    }

    private static double exchanges(RelayHarness relay) {
        return Double.parseDouble(metric(relay, "exchanges_total{result=\"taken\"}"));
    }

    /** How many of 12 requests were granted. */
    private static int granted(RelayHarness relay, String key) throws IOException {
        int granted = 0;
        for (int i = 0; i < 12; i++) {
            granted += ask(relay, key) == 200 ? 1 : 0;
        }
        return granted;
    }

    private static String metric(RelayHarness relay, String name) {
        String text = new String(relay.relay.metrics().text(), StandardCharsets.UTF_8);
        return text.lines()
                .filter(line -> line.startsWith("millrace_shared_limits_" + name + " "))
                .map(line -> line.substring(line.indexOf(' ') + 1))
                .collect(Collectors.joining());
    }

    private static void awaitShared(boolean shared, RelayHarness... relays) {
        for (RelayHarness relay : relays) {
            await().until(() -> metric(relay, "up").equals(shared ? "1.0" : "0.0"));
        }
    }

    private List<String> lines(Level level) {
        return Stream.of(lines.list.toArray(ILoggingEvent[]::new))
                .filter(line -> line.getLevel() == level)
                .map(ILoggingEvent::getFormattedMessage)
                .toList();
    }

    @Test
    void twoRelaysGrantOneLimit() throws Exception {
        try (var redis = RedisServer.start(directory);
                var one = relay(at(redis));
                var two = relay(at(redis))) {
            awaitShared(true, one, two);
            await().until(() -> metric(one, "nodes").equals("2.0"));
            int granted = 0;
            for (int i = 0; i < 10; i++) {
                granted += (askAndTell(one, key) == 200 ? 1 : 0) + (askAndTell(two, key) == 200 ? 1 : 0);
            }
            assertThat(granted).isBetween(10, 10 + OVERSHOOT);
            assertThat(granted(one, key) + granted(two, key)).isZero();
            assertThat(granted(two, other)).isEqualTo(10);
            await().until(() -> ask(one, other) == 429);
            assertThat(redis.command("KEYS *")).isEqualTo("*3");
            RelayConfig alone = clients.in(RelayConfig.relayTo(one.mock.uri()));
            assertThat(one.relay.reload(alone)).containsExactly("clients.redis");
        }
    }

    @Test
    void requestsGoOnWithoutRedisEachNodeWithItsPart() throws Exception {
        try (var redis = RedisServer.start(directory);
                var one = relay(at(redis));
                var two = relay(at(redis))) {
            awaitShared(true, one, two);
            await().until(() -> metric(one, "nodes").equals("2.0"));
            redis.kill();
            awaitShared(false, one, two);
            assertThat(granted(one, key)).isEqualTo(5);
            assertThat(granted(two, key)).isEqualTo(5);
            assertThat(lines(Level.WARN))
                    .hasSize(2)
                    .allMatch(line -> line.contains("not shared: redis://127.0.0.1")
                            && line.endsWith("each of 2 nodes has its part"));
            redis.start();
            awaitShared(true, one, two);
            assertThat(lines(Level.INFO)).hasSize(4);
            assertThat(ask(one, key) + ask(two, key)).isEqualTo(429 + 429);
            assertThat(metric(one, "losses_total")).isEqualTo("1.0");
            assertThat(lines(Level.WARN)).hasSize(2);
        }
    }

    /** Streams go on, and a client without such limits is served. */
    @Test
    void requestsWithLimitsAreRefusedWithoutRedisWhereTheyMustBeShared() throws Exception {
        String free = clients.add("free", "limits: {requestsPerSecond: 0}");
        try (var redis = RedisServer.start(directory);
                var relay = RelayHarness.start(config -> {
                    RelayConfig shared = shared(clients.in(config), at(redis));
                    return shared.with(
                            c -> c.clients = shared.clients().with(a -> a.onStoreFailure = OnStoreFailure.REFUSE));
                })) {
            awaitShared(true, relay);
            assertThat(response(relay, key).status()).isEqualTo(200);
            redis.kill();
            awaitShared(false, relay);
            RawClient.Response refused = response(relay, key);
            assertThat(refused.status()).isEqualTo(503);
            assertThat(refused.header("retry-after")).isEqualTo("1");
            assertThat(refused.text()).contains("relay_overloaded");
            assertThat(response(relay, free).status()).isEqualTo(200);
            assertThat(lines(Level.WARN)).singleElement().asString().endsWith("clients with such limits are refused");
            redis.start();
            awaitShared(true, relay);
            assertThat(response(relay, key).status()).isEqualTo(200);
        }
    }

    @Test
    void aRedisThatDoesNotAnswerSlowsNothing() throws Exception {
        try (var redis = RedisServer.start(directory);
                var relay = relay(at(redis))) {
            awaitShared(true, relay);
            ask(relay, other);
            redis.pause();
            int answered = 0;
            for (ask(relay, key); metric(relay, "up").equals("1.0"); ask(relay, key)) {
                answered++;
            }
            // One that waited for Redis would be answered when Redis counts as lost.
            assertThat(answered).isPositive();
            assertThat(lines(Level.WARN)).singleElement().asString().contains("no answer for 500 ms");
            assertThat(ask(relay, other)).isEqualTo(200);
            redis.resume();
            awaitShared(true, relay);
        }
    }

    @Test
    void aWrongPasswordIsToldAndNotShown() throws Exception {
        try (var redis = RedisServer.start(directory)) {
            // What docs/edge.md says a user needs.
            assertThat(redis.command("ACL SETUSER relay on >right-horse ~millrace:limits:* +eval +time +get +set +zadd"
                            + " +zremrangebyscore +zcard +expire +ping"))
                    .isEqualTo("+OK");
            RedisSettings wrong = at(redis)
                    .with(r -> r.user = "relay")
                    .with(r -> r.password = Secret.of("wrong-horse", "env: REDIS"));
            try (var relay = relay(wrong)) {
                await().until(() -> lines(Level.WARN).stream().anyMatch(line -> line.contains("WRONGPASS")));
                assertThat(granted(relay, key)).isEqualTo(10);
                assertThat(metric(relay, "up")).isEqualTo("0.0");
            }
            try (var relay = relay(wrong.with(r -> r.password = Secret.of("right-horse", "env: REDIS")))) {
                awaitShared(true, relay);
                assertThat(ask(relay, key)).isEqualTo(200);
                await().until(() ->
                        redis.command("EXISTS millrace:limits:requests:web").equals(":1"));
                awaitShared(true, relay);
            }
            // Lettuce may say first that the connection was closed.
            assertThat(lines(Level.WARN)).hasSizeBetween(1, 2);
            assertThat(lines.list)
                    .extracting(ILoggingEvent::getFormattedMessage)
                    .noneMatch(line -> line.contains("horse"));
        }
    }

    @Test
    void aFullRedisIsAsGoodAsNone() throws Exception {
        try (var redis = RedisServer.start(directory);
                var relay = relay(at(redis))) {
            awaitShared(true, relay);
            redis.command("CONFIG SET maxmemory 1");
            assertThat(granted(relay, key)).isEqualTo(10);
            awaitShared(false, relay);
            assertThat(lines(Level.WARN)).singleElement().asString().contains("it answers OOM");
            redis.command("CONFIG SET maxmemory 0");
            awaitShared(true, relay);
            assertThat(ask(relay, key)).isEqualTo(429);
            await().until(() ->
                    redis.command("EXISTS millrace:limits:requests:web").equals(":1"));
        }
    }

    @ParameterizedTest
    @MethodSource("io.millrace.server.test.RelayHarness#transports")
    void unixSocketsOfAllTransports(Transport transport) throws Exception {
        Path socket = directory.resolve("redis.sock");
        try (var redis = RedisServer.start(directory, "--port", "0", "--unixsocket", socket.toString());
                var relay = relay(RedisSettings.DEFAULT.with(r -> r.url = URI.create("unix:" + socket)), transport)) {
            assertThat(redis.port()).isPositive();
            awaitShared(true, relay);
        }
    }

    @Test
    void tlsWithACertificateOfAnOwnAuthority() throws Exception {
        var certificates = Certificates.in(directory);
        var own = certificates.server("redis", "redis.test");
        String ca = certificates.ca().toString();
        String[] tls = {
            "--port",
            "0",
            "--tls-port",
            "PORT",
            "--tls-cert-file",
            own.cert().toString(),
            "--tls-key-file",
            own.key().toString(),
            "--tls-ca-cert-file",
            ca,
            "--tls-auth-clients",
            "no"
        };
        try (var redis = RedisServer.start(directory, tls)) {
            RedisSettings strange =
                    RedisSettings.DEFAULT.with(r -> r.url = URI.create("rediss://127.0.0.1:" + redis.port()));
            try (var relay = relay(strange.with(r -> r.ca = Path.of(ca)))) {
                awaitShared(true, relay);
            }
            try (var relay = relay(strange)) {
                await().until(() -> !lines(Level.WARN).isEmpty());
                assertThat(lines(Level.WARN)).singleElement().asString().contains("unable to find valid certification");
                assertThat(metric(relay, "up")).isEqualTo("0.0");
            }
        }
    }
}
