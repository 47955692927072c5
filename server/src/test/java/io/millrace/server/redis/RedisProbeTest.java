package io.millrace.server.redis;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.server.config.Credential.Secret;
import io.millrace.server.config.RedisSettings;
import java.net.URI;
import java.nio.file.Path;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@Tag("sockets")
class RedisProbeTest {
    @TempDir
    private Path directory;

    @Test
    void saysWhatIsWrongWithRedis() throws Exception {
        RedisSettings at;
        try (var redis = RedisServer.start(directory)) {
            at = RedisSettings.DEFAULT.with(r -> r.url = URI.create("redis://127.0.0.1:" + redis.port()));
            assertThat(RedisProbe.of(at)).isEqualTo(new RedisProbe(null, null));
            redis.command("CONFIG SET maxmemory-policy allkeys-lru");
            assertThat(RedisProbe.of(at).failure()).isNull();
            assertThat(RedisProbe.of(at).warning()).startsWith("maxmemory-policy is allkeys-lru: ");
            redis.command("ACL SETUSER relay on >right-horse ~* +ping");
            RedisSettings user = at.with(r -> r.user = "relay");
            assertThat(RedisProbe.of(user.with(r -> r.password = Secret.of("wrong-horse", "env: REDIS")))
                            .failure())
                    .contains("WRONGPASS")
                    .doesNotContain("horse");
            assertThat(RedisProbe.of(user.with(r -> r.password = Secret.of("right-horse", "env: REDIS"))))
                    .as("may not ask")
                    .isEqualTo(new RedisProbe(null, null));
        }
        assertThat(RedisProbe.of(at).failure()).contains("refused");
    }
}
