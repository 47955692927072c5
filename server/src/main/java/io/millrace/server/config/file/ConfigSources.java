package io.millrace.server.config.file;

import java.net.URI;
import java.nio.file.Path;
import java.util.Map;
import java.util.Objects;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The sources of a configuration. Flags win over the environment, and both win over the file.
 *
 * @param file YAML, or JSON if its name ends in {@code .json}; null for none
 * @param environment variables of the process
 * @param flags the texts of the flags by {@link ConfigKey}
 * @param mock called if nothing names an upstream; starts the mock and gives its address
 */
public record ConfigSources(
        @Nullable Path file, Map<String, String> environment, Map<ConfigKey, String> flags, Supplier<URI> mock) {
    public ConfigSources {
        environment = Map.copyOf(environment);
        flags = Map.copyOf(flags);
        Objects.requireNonNull(mock, "mock");
    }
}
