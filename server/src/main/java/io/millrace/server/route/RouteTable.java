package io.millrace.server.route;

import io.millrace.server.balance.OriginState;
import io.millrace.server.balance.UpstreamState;
import io.millrace.server.config.Match;
import io.millrace.server.config.RelayConfig;
import io.millrace.server.config.Route;
import io.millrace.server.config.Upstream;
import io.millrace.server.tls.UpstreamTls;
import io.millrace.server.upstream.Origin;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.ssl.SslContext;
import io.netty.util.ReferenceCountUtil;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;

/** A configuration that is prepared for use. Immutable. A reload replaces it as a whole. */
public final class RouteTable {
    private final RelayConfig config;
    private final Map<String, Destination> destinations;
    private final List<RoutePlan> plans;

    /** One origin of an upstream, its address and its state. */
    public record Endpoint(Upstream upstream, Origin origin, OriginState state) {}

    /** An upstream, its origins and its state. */
    public record Destination(Upstream upstream, List<Endpoint> endpoints, UpstreamState state) {
        /** The endpoint with this state. */
        @SuppressWarnings("ReferenceEquality")
        public Endpoint endpoint(OriginState wanted) {
            for (int i = 0; i < endpoints.size(); i++) {
                if (endpoints.get(i).state() == wanted) {
                    return endpoints.get(i);
                }
            }
            throw new IllegalArgumentException("origin: " + wanted.name() + " (expected: one of " + upstream.name());
        }

        /** Releases the TLS contexts of its origins, which share them. */
        public void releaseTls() {
            Origin any = endpoints.get(0).origin();
            ReferenceCountUtil.release(any.tls());
            ReferenceCountUtil.release(any.http1Tls());
        }
    }

    private RouteTable(RelayConfig config, Map<String, Destination> destinations) {
        this.config = config;
        this.destinations = destinations;
        plans = config.routes().stream()
                .map(route -> new RoutePlan(route, targets(route, destinations)))
                .toList();
    }

    private static List<Destination> targets(Route route, Map<String, Destination> destinations) {
        return route.targets().stream()
                .map(target -> destinations.get(target.upstream()))
                .toList();
    }

    /**
     * Prepares {@code config}. An upstream that is unchanged since {@code previous} keeps its connections and its
     * state.
     *
     * @param previous the current table, or null
     * @throws IllegalArgumentException if an upstream's trusted certificates cannot be read
     */
    public static RouteTable of(RelayConfig config, @Nullable RouteTable previous) {
        var destinations = new LinkedHashMap<String, Destination>();
        for (Upstream upstream : config.upstreams().values()) {
            Destination known = previous == null ? null : previous.unchanged(upstream, config);
            destinations.put(upstream.name(), known == null ? destination(upstream, config) : known);
        }
        return new RouteTable(config, destinations);
    }

    /** The destination of {@code upstream} in this table, if {@code next} connects to it in the same way. */
    private @Nullable Destination unchanged(Upstream upstream, RelayConfig next) {
        Destination known = destinations.get(upstream.name());
        boolean same = known != null && known.upstream().equals(upstream);
        return same && config.timeouts().connect().equals(next.timeouts().connect()) ? known : null;
    }

    public RelayConfig config() {
        return config;
    }

    /** Whether a route matches this path with any model. */
    public boolean knowsPath(CharSequence path, HttpHeaders headers) {
        return first(path, headers, match -> true) != null;
    }

    /**
     * Whether the first route that matches this path depends on the model. The body must then be read before a route is
     * chosen.
     */
    public boolean needsModel(CharSequence path, HttpHeaders headers) {
        RoutePlan first = first(path, headers, match -> true);
        return first != null && first.route().match().needsModel();
    }

    /**
     * The first matching route, in the order of the configuration; null if there is none.
     *
     * @param model null if it is not known or there is none
     */
    public @Nullable RoutePlan find(CharSequence path, HttpHeaders headers, @Nullable String model) {
        return first(path, headers, match -> match.matchesModel(model));
    }

    private @Nullable RoutePlan first(CharSequence path, HttpHeaders headers, Predicate<Match> wanted) {
        for (int i = 0; i < plans.size(); i++) {
            Match match = plans.get(i).route().match();
            boolean known = match.header() == null || headers.contains(match.header());
            if (known && match.matchesPath(path) && wanted.test(match)) {
                return plans.get(i);
            }
        }
        return null;
    }

    public Collection<Destination> destinations() {
        return destinations.values();
    }

    /** The states of the upstreams, by name. */
    public Map<String, UpstreamState> upstreams() {
        var upstreams = new LinkedHashMap<String, UpstreamState>();
        destinations.forEach((name, destination) -> upstreams.put(name, destination.state()));
        return upstreams;
    }

    /** All origins of all upstreams. */
    public List<Origin> origins() {
        return destinations.values().stream()
                .flatMap(destination -> destination.endpoints().stream())
                .map(Endpoint::origin)
                .toList();
    }

    private static Destination destination(Upstream upstream, RelayConfig config) {
        var state = new UpstreamState(upstream);
        var endpoints = new ArrayList<Endpoint>();
        Upstream.Http.Version version = upstream.http().version();
        SslContext tls = tls(upstream, version);
        SslContext http1Tls =
                version == Upstream.Http.Version.AUTO ? tls(upstream, Upstream.Http.Version.HTTP_1_1) : null;
        for (int i = 0; i < upstream.urls().size(); i++) {
            Upstream alone = upstream.origin(i);
            var origin = new Origin(
                    upstream.name(),
                    alone.host(),
                    alone.port(),
                    tls,
                    http1Tls,
                    upstream.maxConnections(),
                    upstream.idle().toNanos(),
                    Math.toIntExact(config.timeouts().connect().toMillis()),
                    upstream.http());
            endpoints.add(new Endpoint(alone, origin, state.origins().get(i)));
        }
        return new Destination(upstream, List.copyOf(endpoints), state);
    }

    /**
     * Creates a TLS context. After a reload has dropped it, it frees itself with its last connection, because Netty's
     * contexts have a finalizer.
     */
    private static @Nullable SslContext tls(Upstream upstream, Upstream.Http.Version version) {
        try {
            return upstream.tls() ? UpstreamTls.context(upstream.ca(), version) : null;
        } catch (SSLException | IllegalArgumentException e) {
            throw new IllegalArgumentException(
                    "upstream " + upstream.name() + ": TLS cannot be set up: " + e.getMessage(), e);
        }
    }
}
