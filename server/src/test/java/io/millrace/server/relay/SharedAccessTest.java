package io.millrace.server.relay;

import static io.millrace.server.relay.SharedStreamsTest.ask;
import static io.millrace.server.relay.SharedStreamsTest.follow;
import static io.millrace.server.relay.SharedStreamsTest.metric;
import static io.millrace.server.relay.SharedStreamsTest.send;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import io.millrace.server.config.Credential.Secret;
import io.millrace.server.config.RedisSettings;
import io.millrace.server.config.RelayConfig;
import io.millrace.server.redis.RedisServer;
import io.millrace.server.redis.RedisStreams;
import io.millrace.server.relay.ResumeBed.Part;
import io.millrace.server.test.Certificates;
import io.millrace.server.test.RawClient;
import io.millrace.server.test.RelayHarness;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Two relays that share their streams over TLS, with the Redis user of docs/resume.md: what it may do is enough for
 * everything that they do. And what they do where Redis does not let them in.
 */
@Tag("sockets")
class SharedAccessTest {
    private static final Logger LOG = (Logger) org.slf4j.LoggerFactory.getLogger(RedisStreams.class);
    private static final Pattern USER = Pattern.compile("`ACL SETUSER (relay on >PASSWORD [^`]*)`");
    private static final String KEY = "Authorization: Bearer sk-one";
    private static final String OTHER = "Authorization: Bearer sk-two";
    private static final String ONCE = "Idempotency-Key: 6f1c2a34-0b1e-4d7e-9c55";
    private static final int MEMORY = 2 << 20;

    private final ListAppender<ILoggingEvent> lines = new ListAppender<>();
    private final List<RelayHarness> relays = new ArrayList<>();

    @TempDir
    private Path directory;

    private RedisServer redis;
    private RedisSettings at;

    @BeforeEach
    void start() throws Exception {
        lines.setContext(LOG.getLoggerContext());
        lines.start();
        LOG.addAppender(lines);
        var certificates = Certificates.in(directory);
        var own = certificates.server("redis", "redis.test");
        String ca = certificates.ca().toString();
        var settings = new ArrayList<>(List.of("--port", "0", "--tls-port", "PORT", "--tls-auth-clients", "no"));
        settings.addAll(List.of("--maxmemory-policy", "volatile-lru"));
        settings.addAll(List.of("--tls-cert-file", own.cert().toString(), "--tls-key-file"));
        settings.addAll(List.of(own.key().toString(), "--tls-ca-cert-file", ca));
        settings.addAll(List.of("--user", "default", "off", "--user"));
        settings.addAll(List.of(user().replace("PASSWORD", "right-horse").split("\\s+")));
        redis = RedisServer.start(directory, settings.toArray(String[]::new));
        at = RedisSettings.DEFAULT
                .with(r -> r.url = URI.create("rediss://127.0.0.1:" + redis.port()))
                .with(r -> r.ca = Path.of(ca))
                .with(r -> r.user = "relay")
                .with(r -> r.password = Secret.of("right-horse", "env: REDIS"));
    }

    private static String user() throws IOException {
        Matcher user = USER.matcher(Files.readString(Path.of("../docs/resume.md")));
        assertThat(user.find()).isTrue();
        return user.group(1);
    }

    @AfterEach
    void stop() {
        LOG.detachAppender(lines);
        relays.forEach(RelayHarness::close);
        redis.close();
    }

    private RelayHarness relay(RedisSettings settings, UnaryOperator<RelayConfig> change) {
        RelayHarness relay = SharedStreamsTest.relay(settings, change);
        relays.add(relay);
        return relay;
    }

    private RelayHarness up(UnaryOperator<RelayConfig> change) {
        RelayHarness relay = relay(at, change);
        await().until(() -> metric(relay, "store_up") == 1);
        return relay;
    }

    private static String idOf(Part begun) {
        assertThat(begun.status()).isEqualTo(200);
        return begun.header("x-millrace-stream");
    }

    private static Part get(RelayHarness relay, String uri, String... headers) throws IOException {
        RawClient client = relay.client();
        client.send("GET", uri, "", headers);
        return new Part(client);
    }

    @Test
    void anotherNodeKnowsAStreamByItsNames() throws Exception {
        RelayHarness one = up(config -> config);
        RelayHarness two = up(config -> config);
        readsByTheIdOfItsAnswer(one, two);
        readsByTheLastEvent(one, two);
        for (RelayHarness node : List.of(one, two, one)) {
            await().untilAsserted(() -> {
                try (var fails = ask(node, Api.CHAT, "status=400", ONCE)) {
                    assertThat(fails.status())
                            .as("the failure before has freed the name")
                            .isEqualTo(400);
                }
            });
        }
        assertThat(metric(one, "store_errors_total") + metric(two, "store_errors_total"))
                .as("refusals, such as NOPERM")
                .isZero();
    }

    private static void readsByTheIdOfItsAnswer(RelayHarness one, RelayHarness two) throws IOException {
        try (var client = ask(one, Api.RESPONSES, "tokens=40,gap_ms=10")) {
            client.read(900);
            String answer = client.text().replaceAll("(?s).*?\"id\":\"(resp_[^\"]*)\".*", "$1");
            String path = "/v1/responses/" + answer;
            String[] found = new String[1];
            await().untilAsserted(() -> {
                try (var rest = get(two, path + "?stream=true&starting_after=2", KEY)) {
                    assertThat(rest.header("x-millrace-stream"))
                            .as("from the provider until Redis has the name")
                            .isEqualTo(idOf(client));
                    assertThat(rest.readAll()).isTrue();
                    found[0] = rest.text();
                }
            });
            assertThat(client.readAll()).isTrue();
            assertThat(found[0]).startsWith("event: ").contains("\"sequence_number\":3,");
            assertThat(client.text()).endsWith(found[0]).doesNotStartWith(found[0]);
            long before = two.mock.stats().requests() + one.mock.stats().requests();
            get(two, path + "?stream=true", OTHER).close();
            get(two, path, KEY).close();
            get(two, "/v1/responses/resp_other?stream=true", KEY).close();
            assertThat(two.mock.stats().requests() + one.mock.stats().requests())
                    .as("others, and other requests, are the provider's")
                    .isEqualTo(before + 3);
            try (var all = get(two, path + "?stream=true", KEY)) {
                assertThat(all.readAll()).isTrue();
                assertThat(all.text()).isEqualTo(client.text());
            }
        }
    }

    private static void readsByTheLastEvent(RelayHarness one, RelayHarness two) throws IOException {
        String uri = "/chat?prompt=Hello&model=mock:tokens=4";
        try (var first = get(one, uri, KEY)) {
            assertThat(first.readAll()).isTrue();
            String whole = first.text();
            String id = whole.replaceAll("(?s).*?\\nid: ([^\\n]*)\\n.*", "$1");
            await().untilAsserted(() -> {
                try (var rest = get(two, uri, KEY, "Last-Event-ID: " + id)) {
                    assertThat(rest.status())
                            .as("204 until Redis has the stream")
                            .isEqualTo(200);
                    assertThat(rest.readAll()).isTrue();
                    assertThat(whole).isEqualTo(whole.substring(0, whole.indexOf("\n\n") + 2) + rest.text());
                }
            });
        }
    }

    /** Where memory is short, a node drops what Redis has, and reads it from there if it is asked for. */
    @Test
    void whatANodeHasDroppedComesFromRedis() throws Exception {
        RelayHarness one = up(config -> config.with(c -> c.resume = c.resume.with(r -> r.memory = MEMORY)));
        try (var live = ask(one, Api.CHAT, "tokens=600,stall_after=500")) {
            live.read(60_000);
            var ended = new ArrayList<Part>();
            long bytes = 0;
            while (bytes < MEMORY * 3 / 2) {
                Part next = ask(one, Api.CHAT, "tokens=450");
                assertThat(next.readAll()).isTrue();
                next.close();
                ended.add(next);
                bytes += next.body().length;
                await().pollInterval(Duration.ofMillis(10)).until(() -> metric(one, "store_unshipped_bytes") == 0);
            }
            assertThat(metric(one, "given_up_total")).isZero();
            assertThat(metric(one, "bytes ")).isLessThanOrEqualTo(MEMORY);
            Part first = ended.get(0);
            try (var head = send(one, "HEAD", idOf(first), KEY);
                    var other = send(one, "GET", idOf(first), OTHER)) {
                assertThat(head.header("x-millrace-tail")).isEqualTo(Integer.toString(first.body().length));
                assertThat(other.status()).isEqualTo(404);
            }
            for (Part each : ended.subList(0, 4)) {
                try (var again = follow(one, idOf(each))) {
                    assertThat(again.status()).isEqualTo(200);
                    assertThat(again.readAll()).isTrue();
                    assertThat(again.text()).isEqualTo(each.text());
                }
            }
            try (var again = follow(one, idOf(live))) {
                again.read(60_000);
                try (var stop = send(one, "DELETE", idOf(live), KEY)) {
                    assertThat(stop.status()).isEqualTo(204);
                }
                assertThat(live.readAll()).isTrue();
                assertThat(again.readAll()).isTrue();
                assertThat(again.text()).isEqualTo(live.text());
            }
        }
    }

    @Test
    void aNodeThatRedisDoesNotLetInSaysWhy() throws Exception {
        RelayHarness one = up(config -> config);
        await().untilAsserted(() -> assertThat(List.copyOf(lines.list))
                .extracting(ILoggingEvent::getFormattedMessage)
                .anyMatch(line -> line.contains("maxmemory-policy is volatile-lru")));
        RedisSettings wrong = at.with(r -> r.password = Secret.of("wrong-horse", "env: REDIS"));
        RedisSettings strange = at.with(r -> r.ca = null);
        RedisSettings plain = at.with(r -> r.url = URI.create("redis://127.0.0.1:" + redis.port()));
        try (var client = ask(one, Api.CHAT, "tokens=3")) {
            assertThat(client.readAll()).isTrue();
            Map<RedisSettings, String> reasons =
                    Map.of(wrong, "WRONGPASS", strange, "certification path", plain, "(closed|reset by peer)");
            for (RedisSettings each : List.of(wrong, strange, plain)) {
                lines.list.clear();
                RelayHarness two = relay(each, config -> config);
                await().untilAsserted(() -> assertThat(List.copyOf(lines.list))
                        .extracting(ILoggingEvent::getFormattedMessage)
                        .anyMatch(line -> line.matches("streams are not shared: .*" + reasons.get(each) + ".*")));
                assertThat(List.copyOf(lines.list))
                        .extracting(ILoggingEvent::getFormattedMessage)
                        .noneMatch(line -> line.contains("horse"));
                assertThat(metric(two, "store_up")).isZero();
                try (var own = ask(two, Api.CHAT, "tokens=3");
                        var again = follow(two, idOf(own));
                        var elsewhere = follow(two, idOf(client))) {
                    assertThat(own.readAll()).isTrue();
                    assertThat(again.readAll()).isTrue();
                    assertThat(again.text()).isEqualTo(own.text());
                    assertThat(elsewhere.status()).isEqualTo(503);
                }
            }
        }
    }
}
