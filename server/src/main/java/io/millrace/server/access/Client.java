package io.millrace.server.access;

import io.millrace.server.config.ClientSettings;
import io.millrace.server.limit.ClientUse;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** A known client: what it may do, and what it has used. Immutable except for its use. */
final class Client {
    private final ClientSettings settings;
    private final ClientUse use;
    private final byte[] owner;
    private volatile @Nullable Shared shared;

    @SuppressWarnings("ArrayRecordComponent") // not compared
    private record Shared(byte[] salt, byte[] owner) {}

    Client(ClientSettings settings, ClientUse use) {
        this.settings = settings;
        this.use = use;
        owner = ClientKey.ofName(settings.name().getBytes(StandardCharsets.UTF_8));
    }

    /** Its name in logs and metrics. */
    String name() {
        return settings.name();
    }

    /** What it may do. */
    ClientSettings settings() {
        return settings;
    }

    /** What it has used. */
    ClientUse use() {
        return use;
    }

    /** Distinguishes its streams from those of others, for all its keys. */
    byte[] owner() {
        return owner;
    }

    /** The same for nodes that share a salt. */
    byte[] owner(byte[] salt) {
        Shared known = shared;
        if (known == null || !Arrays.equals(known.salt(), salt)) {
            known = new Shared(salt, ClientKey.ofName(name().getBytes(StandardCharsets.UTF_8), salt));
            shared = known;
        }
        return known.owner();
    }
}
