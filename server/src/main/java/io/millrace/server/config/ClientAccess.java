package io.millrace.server.config;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * Whether each client needs a key of its own.
 *
 * @param file the clients with the hashes of their keys; null asks for no key
 */
public record ClientAccess(@Nullable Path file) implements Settings<ClientAccess, ClientAccess.Builder> {
    /** Everyone who can reach the relay may use it. */
    public static final ClientAccess OPEN = Builders.build(ClientAccess.class, new Builder());

    /** Whether a request needs a key. */
    public boolean on() {
        return file != null;
    }

    /** The components by name; the values of a new one are the defaults. */
    public static final class Builder {
        public @Nullable Path file;
    }
}
