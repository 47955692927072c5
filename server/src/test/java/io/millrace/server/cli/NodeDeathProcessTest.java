package io.millrace.server.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.millrace.server.config.Credential.Secret;
import io.millrace.server.config.RedisSettings;
import io.millrace.server.config.ResumeStore;
import io.millrace.server.config.Route.Disconnect;
import io.millrace.server.redis.RedisServer;
import io.millrace.server.test.RawClient;
import io.millrace.server.test.RelayHarness;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The process of a node is killed, with the default lease: the clients are told by another node. */
@Tag("sockets")
class NodeDeathProcessTest {
    private static final Pattern PORT = Pattern.compile("listening on http://127\\.0\\.0\\.1:(\\d+)");
    private static final String KEY = "Authorization: Bearer sk-one";
    private static final String SECRET = "a secret of thirty-two characters or more";
    private static final int STREAMS = 20;

    @TempDir
    private Path directory;

    private LauncherProcess start(RedisServer redis, URI upstream) throws IOException {
        Path secret = directory.resolve("secret");
        Files.writeString(secret, SECRET);
        Files.setPosixFilePermissions(secret, PosixFilePermissions.fromString("rw-------"));
        Path file = directory.resolve("millrace.yaml");
        Files.writeString(file, """
                listen: 127.0.0.1:0
                eventLoops: 2
                upstreams: {mock: {url: '%s'}}
                routes: [{upstream: mock, disconnect: detach}]
                resume: {redis: {url: 'redis://127.0.0.1:%d', secret: {file: secret}}}
                """.formatted(upstream, redis.port()));
        return LauncherProcess.start("serve", file.toString());
    }

    private static RelayHarness other(RedisServer redis) {
        RedisSettings at = RedisSettings.DEFAULT.with(r -> r.url = URI.create("redis://127.0.0.1:" + redis.port()));
        ResumeStore store =
                ResumeStore.DEFAULT.with(s -> s.redis = at).with(s -> s.secret = Secret.of(SECRET, "file: secret"));
        return RelayHarness.start(config -> config.with(c -> c.resume = c.resume.with(r -> r.redis = store))
                .with(c -> c.routes = config.routes().stream()
                        .map(route -> route.with(r -> r.disconnect = Disconnect.DETACH))
                        .toList()));
    }

    private static RawClient.Response follow(RelayHarness relay, String id, int offset) throws IOException {
        try (var client = relay.client()) {
            client.send("GET", "/millrace/streams/" + id + "?offset=" + offset, "", KEY);
            return client.readAll();
        }
    }

    @Test
    void aKilledNodeIsToldWithinTenSeconds() throws Exception {
        try (var redis = RedisServer.start(directory);
                var two = other(redis);
                var one = start(redis, two.mock.uri())) {
            Matcher port = PORT.matcher(one.awaitErr(line -> PORT.matcher(line).find()));
            assertThat(port.find()).isTrue();
            await().until(() -> isUp(two));
            var clients = new ArrayList<RawClient>();
            var readers = new ArrayList<RawClient>();
            var ids = new ArrayList<String>();
            for (int i = 0; i < STREAMS; i++) {
                var client = new RawClient(Integer.parseInt(port.group(1)));
                clients.add(client);
                client.send(
                        "POST",
                        RelayHarness.withSpec("/v1/chat/completions", "tokens=5000,gap_ms=20"),
                        "{\"model\":\"m\",\"stream\":true,\"messages\":[]}",
                        KEY);
                ids.add(RawClient.header(client.readHead(), "x-millrace-stream"));
                client.readUntil("\n\n");
                RawClient reader = two.client();
                readers.add(reader);
                reader.send("GET", "/millrace/streams/" + ids.get(i), "", KEY);
                String head = reader.readHead();
                assertThat(head).startsWith("HTTP/1.1 200");
                reader.readUntil("\n\n");
            }
            one.signal("KILL");
            long killedNs = System.nanoTime();
            for (int i = 0; i < STREAMS; i++) {
                // The rest of a response whose first chunk was begun: the end must be an error event and a clean end.
                String rest = readers.get(i).readUntil("\r\n0\r\n\r\n");
                assertThat(rest).contains("relay_lost").doesNotContain("[DONE]");
            }
            assertThat(Duration.ofNanos(System.nanoTime() - killedNs)).isLessThan(Duration.ofSeconds(10));
            for (int i = 0; i < STREAMS; i++) {
                RawClient.Response again = follow(two, ids.get(i), 0);
                assertThat(again.end()).isEqualTo(RawClient.End.COMPLETE);
                assertThat(again.text()).contains("relay_lost");
                clients.get(i).close();
                readers.get(i).close();
            }
            await().until(() -> two.mock.stats().activeStreams() == 0);
        }
    }

    private static boolean isUp(RelayHarness relay) {
        return new String(relay.relay.metrics().text(), StandardCharsets.UTF_8)
                .contains("millrace_replay_store_up 1.0");
    }
}
