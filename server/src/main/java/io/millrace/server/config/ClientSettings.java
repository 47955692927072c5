package io.millrace.server.config;

import io.millrace.server.address.AddressSet;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * One client of the relay, and what it may do.
 *
 * @param name shown in logs and metrics
 * @param keys any of these is the client; several at once let one be replaced by another without a gap
 * @param certificate the name in a TLS certificate that is the client, too; null is none
 * @param from the addresses that it may ask from; none stands for all
 * @param routes patterns of route names, one of which must match; empty allows all
 * @param models patterns of the model that is asked for, one of which must match; empty allows all
 * @param metrics whether it may read {@code /metrics}, which names all clients
 * @param disabled whether it is refused like an unknown one
 */
public record ClientSettings(
        String name,
        List<Key> keys,
        @Nullable String certificate,
        AddressSet from,
        List<String> routes,
        List<String> models,
        ClientLimits limits,
        boolean metrics,
        boolean disabled)
        implements Settings<ClientSettings, ClientSettings.Builder> {
    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._@:/-]{0,63}");

    /**
     * A key, in the form in which it is stored.
     *
     * @param sha256 the SHA-256 of the key's text, as 64 hex digits in lower case
     * @param expires from when on it is refused; null is never
     */
    public record Key(String sha256, @Nullable Instant expires) {
        private static final Pattern DIGEST = Pattern.compile("[0-9a-f]{64}");

        public Key {
            sha256 = sha256.toLowerCase(Locale.ROOT);
            if (!DIGEST.matcher(sha256).matches()) {
                // Someone may have pasted a key here, so the message does not repeat the value.
                throw new IllegalArgumentException(
                        "sha256: is no hash (expected: 64 hex digits, such as millrace key hash prints)");
            }
        }
    }

    public ClientSettings {
        if (!NAME.matcher(name).matches()) {
            throw new IllegalArgumentException("name: '" + name
                    + "' (expected: up to 64 letters, digits and . _ @ : / -, the first a letter or digit)");
        }
        keys = List.copyOf(keys);
        routes = List.copyOf(routes);
        models = List.copyOf(models);
        routes.forEach(route -> Checks.notBlank("routes", route));
        models.forEach(model -> Checks.notBlank("models", model));
    }

    /** A client without a key. */
    public static ClientSettings of(String name) {
        var client = new Builder();
        client.name = name;
        return Builders.build(ClientSettings.class, client);
    }

    /** Whether it may use the route of this name. */
    public boolean allowsRoute(String route) {
        return routes.isEmpty() || Match.anyMatches(routes, route);
    }

    /** Whether it may use this model. */
    public boolean allowsModel(String model) {
        return models.isEmpty() || Match.anyMatches(models, model);
    }

    /** The components by name; the values of a new one are the defaults. */
    public static final class Builder {
        public String name = "";
        public List<Key> keys = List.of();
        public @Nullable String certificate;
        public AddressSet from = AddressSet.NONE;
        public List<String> routes = List.of();
        public List<String> models = List.of();
        public ClientLimits limits = ClientLimits.DEFAULT;
        public boolean metrics;
        public boolean disabled;
    }
}
