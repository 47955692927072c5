package io.millrace.server.config.file;

import io.millrace.server.config.Credential.Secret;
import io.millrace.server.config.RedisSettings;
import io.millrace.server.config.RelayConfig.ClientAccess;
import io.millrace.server.config.file.Node.Scalar;
import java.nio.file.Path;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** Reads {@code clients}: the file of clients, and where their limits are shared. */
final class AccessReader {
    private final Draft draft;
    private final Problems problems;
    private final Secrets secrets;
    private final Path directory;

    /** Relative file names are resolved in {@code directory}. */
    AccessReader(Draft draft, Problems problems, Secrets secrets, Path directory) {
        this.draft = draft;
        this.problems = problems;
        this.secrets = secrets;
        this.directory = directory;
    }

    /** Reads the section, or the name of the file that stands for it. */
    void read(Section root) {
        Node node = root.node("clients");
        if (node instanceof Scalar) {
            root.read("clients", directory::resolve, file -> change(access -> access.file = file));
        } else {
            root.readSection("clients", this::readAccess);
        }
    }

    private void readAccess(Section section) {
        ClientAccess access = ClientTables.CLIENTS.read(section, draft.relay.clients());
        RedisSettings redis = redis(section);
        change(a -> {
            a.file = access.file() == null ? null : directory.resolve(access.file());
            a.redis = redis;
            a.onRemoval = access.onRemoval();
            a.nodes = access.nodes();
        });
    }

    private void change(Consumer<ClientAccess.Builder> change) {
        ClientAccess changed = draft.relay.clients().with(change);
        draft.relay = draft.relay.with(c -> c.clients = changed);
    }

    /** The server, or null if none is named. */
    private @Nullable RedisSettings redis(Section clients) {
        var redis = new RedisSettings[1];
        clients.readSection("redis", section -> {
            RedisSettings placed = ClientTables.REDIS.read(section, null);
            if (section.node("url") == null) {
                problems.add(section.place(), "redis: has no url (expected: such as url: redis://redis:6379)");
            }
            redis[0] = placed.with(r -> {
                readCredential(section, r);
                section.read("ca", directory::resolve, file -> {
                    if (!placed.tls()) {
                        throw new IllegalArgumentException("of no use without TLS (expected: a url with rediss)");
                    }
                    r.caDigest = ConfigReader.certificates(file);
                    r.ca = file;
                });
            });
        });
        return redis[0];
    }

    private void readCredential(Section redis, RedisSettings.Builder settings) {
        if (redis.node("credential") instanceof Scalar scalar) {
            problems.add(
                    scalar.place(),
                    "credential: a password is never written here (expected: credential: {env: NAME}"
                            + " or credential: {file: /path})");
            return;
        }
        redis.readSection("credential", section -> {
            Consumer<Secret> take = secret -> settings.password = secret;
            section.read("env", secrets::fromEnvironment, take);
            section.read("file", secrets::fromFile, take);
            section.read("user", Form.TEXT::read, user -> settings.user = user);
            if ((section.node("env") == null) == (section.node("file") == null)) {
                problems.add(section.place(), "credential: expected: one of env or file");
            }
        });
    }
}
