package io.millrace.server.relay;

import io.millrace.server.config.RelayConfig;
import io.millrace.server.config.Route;
import io.millrace.server.config.Upstream;
import io.millrace.server.upstream.Origin;
import io.millrace.server.upstream.UpstreamTls;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Map;
import javax.net.ssl.SSLException;

/** A configuration made ready to serve: immutable, replaced as a whole by a reload. */
final class RelaySettings {
    private final RelayConfig config;
    private final Router router;
    private final Map<String, Destination> destinations;

    /** An upstream and how to connect to it. */
    record Destination(Upstream upstream, Origin origin) {}

    private RelaySettings(RelayConfig config, Map<String, Destination> destinations) {
        this.config = config;
        this.destinations = destinations;
        router = new Router(config);
    }

    /**
     * Makes {@code config} ready. An upstream that {@code previous} has too, unchanged, keeps its connections.
     *
     * @param previous what is served until now, or null
     * @throws IllegalArgumentException if an upstream's trusted certificates cannot be read
     */
    static RelaySettings of(RelayConfig config, RelaySettings previous) {
        var destinations = new LinkedHashMap<String, Destination>();
        for (Upstream upstream : config.upstreams().values()) {
            Destination known = previous == null ? null : previous.destinations.get(upstream.name());
            boolean unchanged = known != null
                    && known.upstream().equals(upstream)
                    && previous.config
                            .timeouts()
                            .connect()
                            .equals(config.timeouts().connect());
            destinations.put(upstream.name(), unchanged ? known : new Destination(upstream, origin(upstream, config)));
        }
        return new RelaySettings(config, destinations);
    }

    RelayConfig config() {
        return config;
    }

    Router router() {
        return router;
    }

    Destination destination(Route route) {
        return destinations.get(route.upstream());
    }

    Collection<Destination> destinations() {
        return destinations.values();
    }

    private static Origin origin(Upstream upstream, RelayConfig config) {
        try {
            return new Origin(
                    upstream.name(),
                    upstream.host(),
                    upstream.port(),
                    upstream.tls() ? UpstreamTls.context(upstream.ca()) : null,
                    upstream.maxConnections(),
                    upstream.idle().toNanos(),
                    Math.toIntExact(config.timeouts().connect().toMillis()));
        } catch (SSLException | IllegalArgumentException e) {
            throw new IllegalArgumentException(
                    "upstream " + upstream.name() + ": TLS cannot be set up: " + e.getMessage(), e);
        }
    }
}
