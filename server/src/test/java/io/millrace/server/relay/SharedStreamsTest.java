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
import io.millrace.server.test.RawClient;
import io.millrace.server.test.RelayHarness;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Two relays that share their streams in a real Redis, and what becomes of that when Redis or a relay fails. */
@Tag("sockets")
class SharedStreamsTest {
    private static final String CHAT = "/v1/chat/completions";
    private static final String KEY = "Authorization: Bearer sk-one";
    private static final String SECRET = "a secret of thirty-two characters or more";

    @TempDir
    private Path directory;

    private static ResumeStore at(RedisServer redis) {
        return ResumeStore.DEFAULT
                .with(s -> s.redis =
                        RedisSettings.DEFAULT.with(r -> r.url = URI.create("redis://127.0.0.1:" + redis.port())))
                .with(s -> s.secret = Secret.of(SECRET, "env: SECRET"));
    }

    private static RelayHarness relay(ResumeStore store) {
        RelayHarness relay = RelayHarness.start(config -> shared(config, store));
        await().until(() -> metric(relay, "store_up").equals("1.0"));
        return relay;
    }

    private static RelayConfig shared(RelayConfig config, ResumeStore store) {
        return config.with(c -> c.eventLoops = 2)
                .with(c -> c.resume = c.resume.with(r -> r.redis = store))
                .with(c -> c.routes = config.routes().stream()
                        .map(route -> route.with(r -> r.disconnect = Disconnect.DETACH))
                        .toList());
    }

    private static String metric(RelayHarness relay, String name) {
        String text = new String(relay.relay.metrics().text(), StandardCharsets.UTF_8);
        return text.lines()
                .filter(line -> line.startsWith("millrace_replay_" + name + " "))
                .map(line -> line.substring(line.indexOf(' ') + 1))
                .collect(Collectors.joining());
    }

    private static Part ask(RelayHarness relay, String spec) throws IOException {
        RawClient client = relay.client();
        client.send(
                "POST", RelayHarness.withSpec(CHAT, spec), "{\"model\":\"m\",\"stream\":true,\"messages\":[]}", KEY);
        return new Part(client);
    }

    private static Part send(RelayHarness relay, String method, String what, String key) throws IOException {
        RawClient client = relay.client();
        client.send(method, "/millrace/streams/" + what, "", key);
        return new Part(client);
    }

    private static Part follow(RelayHarness relay, String what) throws IOException {
        return send(relay, "GET", what, KEY);
    }

    private static String idOf(Part begun) {
        assertThat(begun.status()).isEqualTo(200);
        return begun.header("x-millrace-stream");
    }

    @Test
    void aStreamIsReadFromTheOtherNodeWhileItRunsAndAfterItsEnd() throws Exception {
        try (var redis = RedisServer.start(directory);
                var one = relay(at(redis));
                var two = relay(at(redis))) {
            try (var client = ask(one, "tokens=40,gap_ms=20")) {
                String id = idOf(client);
                client.read(500);
                try (var live = follow(two, id);
                        var rest = follow(two, id + "?offset=500")) {
                    assertThat(live.status()).isEqualTo(200);
                    assertThat(client.readAll()).isTrue();
                    assertThat(live.readAll()).isTrue();
                    assertThat(rest.readAll()).isTrue();
                    assertThat(live.text()).isEqualTo(client.text());
                    assertThat(rest.text()).isEqualTo(client.text().substring(500));
                }
                try (var after = follow(two, id)) {
                    assertThat(after.readAll()).isTrue();
                    assertThat(after.text()).isEqualTo(client.text());
                }
                try (var whole = follow(two, id + "?offset=" + client.body().length)) {
                    assertThat(whole.status()).isEqualTo(204);
                }
            }
        }
    }
}
