package io.millrace.server.config;

import io.millrace.server.address.AddressSet;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * One client of the relay, with its permissions and limits.
 *
 * @param name its name in logs and metrics
 * @param keys each of these identifies the client; with several, one can be replaced without an interruption
 * @param certificate the name in a TLS certificate that also identifies the client; null for none
 * @param from the addresses from which it may ask; none means all
 * @param routes patterns of route names, one of which must match; empty allows all
 * @param models patterns of the requested model, one of which must match; empty allows all
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
     * @param expires the time from which it is refused; null means never
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

    /** The patterns of its {@link #routes} that match none of these names. */
    public List<String> routesNotIn(List<String> names) {
        return routes.stream()
                .filter(pattern -> names.stream().noneMatch(name -> Match.matches(pattern, name)))
                .toList();
    }

    /** Whether it may use this model. */
    public boolean allowsModel(String model) {
        return models.isEmpty() || Match.anyMatches(models, model);
    }

    /**
     * The limits of one client. All of its keys share them.
     *
     * @param streams the most requests in progress
     * @param requestsPerSecond the mean rate of requests per second; 0 means no limit
     * @param burst the most requests that may come at once after a pause
     * @param requestsPerMinute the mean rate of requests per minute; as many may come at once after a pause; 0 means no
     *     limit
     * @param tokensPerMinute the mean rate of input and output tokens per minute; as many may be used at once after a
     *     pause; 0 means no limit
     * @param tokensPerDay the most tokens of a day in UTC; 0 means no limit
     * @param tokensPerMonth the most tokens of a month in UTC; 0 means no limit
     */
    public record ClientLimits(
            int streams,
            double requestsPerSecond,
            int burst,
            int requestsPerMinute,
            long tokensPerMinute,
            long tokensPerDay,
            long tokensPerMonth)
            implements Settings<ClientLimits, ClientLimits.Builder> {
        /** 512 at once, 50 a second, 200 after a pause, and no limit for tokens. */
        public static final ClientLimits DEFAULT = Builders.build(ClientLimits.class, new Builder());

        private static final long MOST_TOKENS = 1_000_000_000_000L;

        public ClientLimits {
            Checks.range("streams", streams, 1, 10_000_000);
            if (!(requestsPerSecond == 0 || (requestsPerSecond >= 0.001 && requestsPerSecond <= 1_000_000))) {
                throw new IllegalArgumentException(
                        "requestsPerSecond: " + requestsPerSecond + " (expected: 0, or 0.001 to 1000000)");
            }
            Checks.range("burst", burst, 1, 10_000_000);
            Checks.range("requestsPerMinute", requestsPerMinute, 0, 60_000_000);
            Checks.range("tokensPerMinute", tokensPerMinute, 0, MOST_TOKENS);
            Checks.range("tokensPerDay", tokensPerDay, 0, MOST_TOKENS);
            Checks.range("tokensPerMonth", tokensPerMonth, 0, MOST_TOKENS);
        }

        /** Whether tokens are counted. */
        public boolean ofTokens() {
            return tokensPerMinute > 0 || tokensPerDay > 0 || tokensPerMonth > 0;
        }

        /** The components by name; the values of a new one are the defaults. */
        public static final class Builder {
            public int streams = 512;
            public double requestsPerSecond = 50;
            public int burst = 200;
            public int requestsPerMinute;
            public long tokensPerMinute;
            public long tokensPerDay;
            public long tokensPerMonth;
        }
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
