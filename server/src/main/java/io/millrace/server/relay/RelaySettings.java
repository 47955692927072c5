package io.millrace.server.relay;

import io.millrace.server.access.CrossOrigin;
import io.millrace.server.balance.OriginState;
import io.millrace.server.balance.UpstreamState;
import io.millrace.server.config.RelayConfig;
import io.millrace.server.config.Route;
import io.millrace.server.config.Upstream;
import io.millrace.server.upstream.Origin;
import io.millrace.server.upstream.UpstreamTls;
import io.netty.handler.ssl.SslContext;
import java.util.ArrayList;
import java.util.Collection;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import javax.net.ssl.SSLException;

/** A configuration made ready to serve: immutable, replaced as a whole by a reload. */
final class RelaySettings {
    private final RelayConfig config;
    private final Router router;
    private final Map<String, Destination> destinations;
    private final IdentityHashMap<Route, RoutePlan> plans = new IdentityHashMap<>();

    /** One origin of an upstream: where it is, how it is connected to, and what is known of it. */
    record Endpoint(Upstream upstream, Origin origin, OriginState state) {}

    /** An upstream, its origins, and what is known of it. */
    record Destination(Upstream upstream, List<Endpoint> endpoints, UpstreamState state) {
        /** The endpoint of one of its states. */
        @SuppressWarnings("ReferenceEquality")
        Endpoint endpoint(OriginState wanted) {
            for (int i = 0; i < endpoints.size(); i++) {
                if (endpoints.get(i).state() == wanted) {
                    return endpoints.get(i);
                }
            }
            throw new IllegalArgumentException("origin: " + wanted.name() + " (expected: one of " + upstream.name());
        }

        /** The TLS context of its origins, or null. */
        SslContext tls() {
            return endpoints.get(0).origin().tls();
        }
    }

    private RelaySettings(RelayConfig config, Map<String, Destination> destinations) {
        this.config = config;
        this.destinations = destinations;
        router = new Router(config);
        for (Route route : config.routes()) {
            var targets = route.targets().stream()
                    .map(target -> destinations.get(target.upstream()))
                    .toList();
            plans.put(route, new RoutePlan(route, targets));
        }
    }

    /**
     * Makes {@code config} ready. An upstream that {@code previous} has too, unchanged, keeps its connections and what is
     * known of it.
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
            destinations.put(upstream.name(), unchanged ? known : destination(upstream, config));
        }
        return new RelaySettings(config, destinations);
    }

    RelayConfig config() {
        return config;
    }

    Router router() {
        return router;
    }

    /** Where the requests of one of the configuration's own routes may go. */
    RoutePlan plan(Route route) {
        return plans.get(route);
    }

    Collection<Destination> destinations() {
        return destinations.values();
    }

    /** What is known of the upstreams at the moment, by name. */
    Map<String, UpstreamState> upstreams() {
        var upstreams = new LinkedHashMap<String, UpstreamState>();
        destinations.forEach((name, destination) -> upstreams.put(name, destination.state()));
        return upstreams;
    }

    /** All origins of all upstreams. */
    List<Origin> origins() {
        return destinations.values().stream()
                .flatMap(destination -> destination.endpoints().stream())
                .map(Endpoint::origin)
                .toList();
    }

    private static Destination destination(Upstream upstream, RelayConfig config) {
        var state = new UpstreamState(upstream);
        var endpoints = new ArrayList<Endpoint>();
        SslContext tls = tls(upstream);
        for (int i = 0; i < upstream.urls().size(); i++) {
            Upstream alone = upstream.origin(i);
            var origin = new Origin(
                    upstream.name(),
                    alone.host(),
                    alone.port(),
                    tls,
                    upstream.maxConnections(),
                    upstream.idle().toNanos(),
                    Math.toIntExact(config.timeouts().connect().toMillis()));
            endpoints.add(new Endpoint(alone, origin, state.origins().get(i)));
        }
        return new Destination(upstream, List.copyOf(endpoints), state);
    }

    private static SslContext tls(Upstream upstream) {
        try {
            return upstream.tls() ? UpstreamTls.context(upstream.ca()) : null;
        } catch (SSLException | IllegalArgumentException e) {
            throw new IllegalArgumentException(
                    "upstream " + upstream.name() + ": TLS cannot be set up: " + e.getMessage(), e);
        }
    }
}
