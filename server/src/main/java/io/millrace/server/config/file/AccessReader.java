package io.millrace.server.config.file;

import io.millrace.server.config.RedisSettings;
import io.millrace.server.config.RelayConfig.ClientAccess;
import io.millrace.server.config.RelayConfig.Resume;
import io.millrace.server.config.ResumeStore;
import io.millrace.server.config.file.Node.Scalar;
import java.nio.file.Path;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** Reads what concerns the clients: their file, where their limits are shared, and where their streams are. */
final class AccessReader {
    private final Draft draft;
    private final Path directory;
    private final RedisReader reader;

    /** Relative file names are resolved in {@code directory}. */
    AccessReader(Draft draft, Problems problems, Secrets secrets, Path directory) {
        this.draft = draft;
        this.directory = directory;
        reader = new RedisReader(problems, secrets, directory);
    }

    /** Reads {@code resume}, and where nodes share their streams. */
    void readResume(Section root) {
        root.readSection("resume", section -> {
            Resume resume = Tables.RESUME.read(section, draft.relay.resume());
            draft.relay = draft.relay.with(c -> c.resume = resume);
            section.readSection("redis", inner -> {
                ResumeStore store = reader.readStore(inner, StoreTables.STORE.read(inner, null));
                draft.relay = draft.relay.with(c -> c.resume = resume.with(r -> r.redis = store));
            });
        });
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
            a.onStoreFailure = access.onStoreFailure();
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
        clients.readSection(
                "redis", section -> redis[0] = reader.read(section, ClientTables.REDIS.read(section, null)));
        return redis[0];
    }
}
