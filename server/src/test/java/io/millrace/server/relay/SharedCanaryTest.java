package io.millrace.server.relay;

import static io.millrace.server.relay.SharedStreamsTest.metric;
import static io.millrace.server.relay.SharedStreamsTest.send;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import io.millrace.server.config.Credential.Secret;
import io.millrace.server.config.RedisSettings;
import io.millrace.server.config.RelayConfig.AccessLog;
import io.millrace.server.redis.RedisServer;
import io.millrace.server.relay.ResumeBed.Part;
import io.millrace.server.test.AccessLines;
import io.millrace.server.test.RawClient;
import io.millrace.server.test.RelayHarness;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Two relays that share their streams, through all that clients may ask of a kept stream, and with a Redis that fails:
 * nothing of a key, a prompt, an answer or a password is in a log, a metric or an error. Redis has the answer, and no key,
 * prompt or name.
 */
@Tag("sockets")
class SharedCanaryTest {
    private static final String KEY = "Authorization: Bearer sk-CANARYKEY";
    private static final String OTHER = "Authorization: Bearer sk-CANARYOTHER";
    private static final String PASSWORD = "CANARYPASSWORD";
    private static final String ONCE = "Idempotency-Key: CANARYNAME-0123456789";
    private static final String BODY =
            "{\"model\":\"m\",\"stream\":true,\"input\":\"CANARYPROMPT\",\"messages\":[{\"role\":\"user\",\"content\":\"CANARYPROMPT\"}]}";
    /** What the mock's answers have in them. */
    private static final Pattern ANSWER = Pattern.compile("@\\d+@\\d{19}@");

    private static final Pattern TEXT_KEY = Pattern.compile("(?m)^(millrace:[^s]:\\S+)$");
    private static final Pattern STREAM_KEY = Pattern.compile("(?m)^(millrace:s:\\S+)$");

    private final List<String> errors = new ArrayList<>();

    @TempDir
    private Path directory;

    private static RelayHarness relay(RedisServer redis, String password) {
        RedisSettings at = RedisSettings.DEFAULT
                .with(r -> r.url = URI.create("redis://127.0.0.1:" + redis.port()))
                .with(r -> r.password = Secret.of(password, "env: REDIS"));
        return SharedStreamsTest.relay(
                at,
                config ->
                        config.with(c -> c.accessLog = AccessLog.DEFAULT.with(a -> a.format = AccessLog.Format.JSON)));
    }

    @Test
    void nothingThatIsSecretIsTold() throws Exception {
        var root = (Logger) org.slf4j.LoggerFactory.getLogger(Logger.ROOT_LOGGER_NAME);
        var own = (Logger) org.slf4j.LoggerFactory.getLogger("io.millrace");
        var logged = new ListAppender<ILoggingEvent>();
        logged.setContext(root.getLoggerContext());
        logged.start();
        Level before = own.getLevel();
        root.addAppender(logged);
        own.setLevel(Level.DEBUG);
        try (var lines = new AccessLines();
                var redis = RedisServer.start(directory, "--requirepass", PASSWORD);
                var one = relay(redis, PASSWORD);
                var two = relay(redis, PASSWORD);
                var three = relay(redis, "CANARYWRONG")) {
            await().until(() -> metric(one, "store_up") + metric(two, "store_up") == 2);
            String id = everyRequest(redis, one, two);
            redis.kill();
            await().until(() -> metric(two, "store_up") == 0);
            refused(503, two, "GET", id, KEY);
            refused(503, three, "GET", id, KEY);
            assertThat(errors).hasSize(13).allMatch(text -> text.contains("\"error\""));
            await().until(() -> Stream.of(one, two, three)
                    .allMatch(each -> each.relay.metrics().activeExchanges() == 0));
            var told = new ArrayList<>(errors);
            for (RelayHarness each : List.of(one, two, three)) {
                told.add(new String(each.relay.metrics().text(), StandardCharsets.UTF_8));
            }
            List.copyOf(logged.list)
                    .forEach(event -> told.add(event.getFormattedMessage() + event.getThrowableProxy()));
            assertThat(told).hasSizeGreaterThan(20);
            told.addAll(lines.all());
            assertThat(told).noneMatch(text -> text.contains("CANARY") || text.contains(id));
            assertThat(told).noneMatch(text -> ANSWER.matcher(text).find());
        } finally {
            root.detachAppender(logged);
            own.setLevel(before);
        }
    }

    /** Asks all that can be asked, rightly and wrongly. */
    private String everyRequest(RedisServer redis, RelayHarness one, RelayHarness two) throws IOException {
        String id;
        try (var first = post(one, Api.RESPONSES, "tokens=6,stamp=1", ONCE)) {
            id = first.header("x-millrace-stream");
            assertThat(first.readAll()).isTrue();
            assertThat(ANSWER.matcher(first.text()).find()).isTrue();
            await().until(() -> metric(one, "store_unshipped_bytes") == 0);
            holdsNoSecret(redis);
            try (var again = send(two, "GET", id, KEY);
                    var joined = post(two, Api.RESPONSES, "tokens=6,stamp=1", ONCE)) {
                assertThat(again.readAll() && joined.readAll()).isTrue();
                assertThat(again.text()).isEqualTo(first.text()).isEqualTo(joined.text());
            }
        }
        for (RelayHarness node : List.of(one, two)) {
            refused(404, node, "GET", id, OTHER);
            refused(404, node, "DELETE", id, OTHER);
            refused(404, node, "GET", id + "CANARY", KEY);
            refused(416, node, "GET", id + "?offset=999999", KEY);
            refused(400, node, "GET", id + "?offset=CANARY", KEY);
        }
        try (var reused = post(two, Api.RESPONSES, "tokens=7", ONCE)) {
            error(422, reused);
        }
        return id;
    }

    private void refused(int status, RelayHarness node, String method, String what, String key) {
        // 503 is the answer of a node that has waited for the other one for a second.
        await().until(() -> {
            try (var answer = send(node, method, what, key)) {
                boolean late = answer.status() == 503 && status != 503;
                if (!late) {
                    error(status, answer);
                }
                return !late;
            }
        });
    }

    private void error(int status, Part answer) throws IOException {
        assertThat(answer.status()).isEqualTo(status);
        errors.add(answer.head.replaceAll("(?i)x-millrace-stream: .*\r\n", "")
                + answer.client.readBody(answer.head).text());
    }

    private static void holdsNoSecret(RedisServer redis) throws IOException {
        String login = "AUTH " + PASSWORD;
        String names = redis.answers(login, "KEYS *");
        List<String> texts = asks(login, TEXT_KEY, names, "GET %s");
        List<String> streams = asks(login, STREAM_KEY, names, "XRANGE %s - +");
        assertThat(texts).hasSizeGreaterThan(3);
        assertThat(streams).hasSizeGreaterThan(1);
        String all = redis.answers(streams.toArray(String[]::new));
        assertThat(ANSWER.matcher(all).find()).as("the answer is there").isTrue();
        assertThat(names + redis.answers(texts.toArray(String[]::new)) + all).doesNotContain("CANARY");
    }

    /** The login, then a command for each key of this kind. */
    private static List<String> asks(String login, Pattern key, String names, String command) {
        var asks = new ArrayList<>(List.of(login));
        key.matcher(names).results().forEach(found -> asks.add(command.formatted(found.group(1))));
        return asks;
    }

    private static Part post(RelayHarness relay, Api api, String spec, String name) throws IOException {
        RawClient client = relay.client();
        client.send("POST", RelayHarness.withSpec(api.path, spec), BODY, KEY, name);
        return new Part(client);
    }
}
