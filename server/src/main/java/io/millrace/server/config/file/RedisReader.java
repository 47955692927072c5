package io.millrace.server.config.file;

import io.millrace.server.config.Credential.Secret;
import io.millrace.server.config.RedisSettings;
import io.millrace.server.config.ResumeStore;
import io.millrace.server.config.file.Node.Scalar;
import java.nio.file.Path;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** Reads what a table cannot of a Redis server: its password, its certificates, and a secret beside it. */
final class RedisReader {
    private final Problems problems;
    private final Secrets secrets;
    private final Path directory;

    /** Relative file names are resolved in {@code directory}. */
    RedisReader(Problems problems, Secrets secrets, Path directory) {
        this.problems = problems;
        this.secrets = secrets;
        this.directory = directory;
    }

    /** The server whose other settings are {@code placed}. */
    RedisSettings read(Section section, RedisSettings placed) {
        if (section.node("url") == null) {
            problems.add(section.place(), "redis: has no url (expected: such as url: redis://redis:6379)");
        }
        return placed.with(r -> {
            readCredential(section, r);
            section.read("ca", directory::resolve, file -> {
                if (!placed.tls()) {
                    throw new IllegalArgumentException("of no use without TLS (expected: a url with rediss)");
                }
                r.caDigest = ConfigReader.certificates(file);
                r.ca = file;
            });
        });
    }

    /** The store of streams whose other settings are {@code placed}. */
    ResumeStore readStore(Section section, ResumeStore placed) {
        RedisSettings redis = read(section, placed.redis());
        var store = new ResumeStore[] {placed.with(s -> s.redis = redis)};
        if (section.node("secret") == null) {
            problems.add(
                    section.place(),
                    "redis: has no secret (expected: secret: {env: NAME} or {file: /path}, the same on all nodes)");
            return store[0];
        }
        readSecret(section, "secret", secret -> store[0] = store[0].with(s -> s.secret = secret), null);
        return store[0];
    }

    private void readCredential(Section redis, RedisSettings.Builder settings) {
        readSecret(redis, "credential", secret -> settings.password = secret, user -> settings.user = user);
    }

    private void readSecret(Section redis, String key, Consumer<Secret> take, @Nullable Consumer<String> user) {
        String what = key.equals("credential") ? "a password" : "a secret";
        if (redis.node(key) instanceof Scalar scalar) {
            problems.add(
                    scalar.place(),
                    key + ": " + what + " is never written here (expected: " + key + ": {env: NAME} or " + key
                            + ": {file: /path})");
            return;
        }
        redis.readSection(key, section -> {
            section.read("env", secrets::fromEnvironment, take);
            section.read("file", secrets::fromFile, take);
            if (user != null) {
                section.read("user", Form.TEXT::read, user);
            }
            if ((section.node("env") == null) == (section.node("file") == null)) {
                problems.add(section.place(), key + ": expected: one of env or file");
            }
        });
    }
}
