package io.millrace.server.config;

import io.millrace.server.address.AddressSet;
import io.millrace.server.config.ListenAddress.HostAndPort;
import io.millrace.server.config.ListenAddress.UnixPath;
import io.millrace.server.transport.Transport;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Collections;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The whole configuration of a relay. It is immutable and checked: each instance can be served.
 *
 * @param listeners the listeners, at least one, each with its own address
 * @param transport the kernel interface for sockets
 * @param eventLoops the threads that relay; 0 means one per two processors
 * @param timeouts the time limits of everything that belongs to no route (a request's head, keep-alive, drain)
 * @param limits limits of sizes and counts
 * @param http2 the limits of clients that speak HTTP/2
 * @param upstreams the upstreams by name, in the order of the configuration
 * @param routes the routes in the order in which they are tried
 * @param accessLog the log with one line per request
 * @param telemetry what else others are told about the relay and its requests
 * @param ownPaths the paths that the relay answers itself
 * @param takeover the control socket at which another process may take over the listeners; null for none
 * @param trustedProxies the proxies whose fields about a request's client are believed
 * @param cors the pages of other origins that may call; {@link Cors#OFF} leaves that to the upstreams
 * @param clients who may use the relay
 * @param resume how answers are kept for readers, on routes that do so
 */
public record RelayConfig(
        List<Listener> listeners,
        Transport transport,
        int eventLoops,
        Timeouts timeouts,
        Limits limits,
        Http2 http2,
        Map<String, Upstream> upstreams,
        List<Route> routes,
        AccessLog accessLog,
        Telemetry telemetry,
        OwnPaths ownPaths,
        @Nullable UnixPath takeover,
        AddressSet trustedProxies,
        Cors cors,
        ClientAccess clients,
        Resume resume)
        implements Settings<RelayConfig, RelayConfig.Builder> {
    public RelayConfig {
        listeners = List.copyOf(listeners);
        routes = List.copyOf(routes);
        upstreams = Collections.unmodifiableMap(new LinkedHashMap<>(upstreams));
        Checks.range("eventLoops", eventLoops, 0, 1024);
        checkListeners(listeners);
        for (var route : routes) {
            for (var target : route.targets()) {
                if (!upstreams.containsKey(target.upstream())) {
                    throw new IllegalArgumentException("routes: '" + route.name() + "' goes to '" + target.upstream()
                            + "' (expected: one of " + upstreams.keySet() + ")");
                }
            }
        }
        if (!ownPaths.streams() && detaches(routes)) {
            throw new IllegalArgumentException("ownPaths: streams: false, beside a route with disconnect: detach"
                    + " (expected: true, because its streams are read there)");
        }
        if (!clients.allowOpen() && !clients.on()) {
            checkClosed(listeners, upstreams);
            checkClosed(cors, upstreams);
        }
    }

    /**
     * A configuration without routes. It has a free loopback port, the best transport, one event loop per two
     * processors and all other defaults.
     */
    public static RelayConfig defaults() {
        return Builders.build(RelayConfig.class, new Builder());
    }

    /** Relays every path to one upstream, with the client's own credentials. */
    public static RelayConfig relayTo(URI upstream) {
        return relayTo(Upstream.of("default", upstream));
    }

    /** Relays every path to one upstream. */
    public static RelayConfig relayTo(Upstream upstream) {
        return defaults().with(c -> {
            c.upstreams = Map.of(upstream.name(), upstream);
            c.routes = List.of(Route.of("all", Match.ALL, upstream.name()));
        });
    }

    /** Whether everyone who can reach the relay can spend its keys. Such a relay must not be reachable by others. */
    public boolean mustBeClosed() {
        return injectsCredentials() && !clients.on();
    }

    /** Whether addresses other than loopback may use upstreams for which the relay adds a key. */
    public boolean allowOpen() {
        return clients.allowOpen();
    }

    /** Whether the relay adds its own key for some upstream. */
    public boolean injectsCredentials() {
        return injects(upstreams);
    }

    /** Whether some route keeps its answers for readers. */
    public boolean detaches() {
        return detaches(routes);
    }

    private static boolean injects(Map<String, Upstream> upstreams) {
        for (Upstream upstream : upstreams.values()) { // runs for each request
            if (upstream.credential() != null) {
                return true;
            }
        }
        return false;
    }

    private static boolean detaches(List<Route> routes) {
        for (Route route : routes) { // runs for requests
            if (route.disconnect().detaches()) {
                return true;
            }
        }
        return false;
    }

    private static void checkListeners(List<Listener> listeners) {
        if (listeners.isEmpty()) {
            throw new IllegalArgumentException("listen: [] (expected: at least one address)");
        }
        var addresses = new HashSet<ListenAddress>();
        for (Listener listener : listeners) {
            ListenAddress address = listener.address();
            boolean any = address instanceof HostAndPort tcp && tcp.port() == 0;
            if (!addresses.add(address) && !any) {
                throw new IllegalArgumentException("listen: " + address + " twice (expected: each address once)");
            }
        }
    }

    private static void checkClosed(List<Listener> listeners, Map<String, Upstream> upstreams) {
        for (Listener listener : listeners) {
            if (!listener.address().isLocal() && listener.spendsKeys() && injects(upstreams)) {
                throw new IllegalArgumentException("listen: " + listener.address()
                        + " would let anyone who reaches it use the relay's keys"
                        + " (expected: a loopback address such as 127.0.0.1, keys for clients, or --allow-open)");
            }
        }
    }

    private static void checkClosed(Cors cors, Map<String, Upstream> upstreams) {
        if (cors.any() && injects(upstreams)) {
            throw new IllegalArgumentException("cors: origins: * would let any web page use the relay's keys"
                    + " (expected: the origins of your pages, or --allow-open)");
        }
    }

    /**
     * The log of requests, one line each.
     *
     * @param format of a line
     * @param file to append to; null is standard output
     * @param fields those that a line has; all if there are none
     */
    public record AccessLog(Format format, @Nullable Path file, List<LogField> fields)
            implements Settings<AccessLog, AccessLog.Builder> {
        /** JSON lines on standard output. */
        public static final AccessLog DEFAULT = Builders.build(AccessLog.class, new Builder());

        /** No access log. */
        public static final AccessLog OFF = DEFAULT.with(a -> a.format = Format.OFF);

        public AccessLog {
            Objects.requireNonNull(format, "format");
            fields = List.copyOf(fields);
        }

        /** A log with all fields. */
        public AccessLog(Format format, @Nullable Path file) {
            this(format, file, List.of());
        }

        /** The format of a line. */
        public enum Format {
            /** One JSON object. */
            JSON,
            /** {@code key=value} pairs. */
            TEXT,
            /** No lines. */
            OFF
        }

        /** The components by name; the values of a new one are the defaults. */
        public static final class Builder {
            public Format format = Format.JSON;
            public @Nullable Path file;
            public List<LogField> fields = List.of();
        }
    }

    /**
     * The paths that the relay answers itself. A path that is switched off is relayed like any other path.
     *
     * @param healthz {@code /healthz}
     * @param readyz {@code /readyz}
     * @param metrics {@code /metrics}
     * @param streams {@code DELETE /millrace/streams/{id}}, and the header with a stream's id
     * @param chat {@code /chat}
     * @param openapi {@code /openapi.json}
     * @param page {@code GET /}, the playground, and the files that it loads
     */
    public record OwnPaths(
            boolean healthz,
            boolean readyz,
            boolean metrics,
            boolean streams,
            boolean chat,
            boolean openapi,
            boolean page)
            implements Settings<OwnPaths, OwnPaths.Builder> {
        /** All of them. */
        public static final OwnPaths ALL = Builders.build(OwnPaths.class, new Builder());

        /** The components by name; the values of a new one are the defaults. */
        public static final class Builder {
            public boolean healthz = true;
            public boolean readyz = true;
            public boolean metrics = true;
            public boolean streams = true;
            public boolean chat = true;
            public boolean openapi = true;
            public boolean page = true;
        }
    }

    /**
     * The rule whether each client needs its own key.
     *
     * @param allowOpen whether clients without one may reach the relay's keys from other machines
     * @param file the file with the clients and the hashes of their keys; null if no keys are required
     * @param onRemoval what happens to the requests in progress of a key that is removed from the file
     * @param redis the store in which several nodes share the limits of their clients; null if each node has its own
     * @param onStoreFailure what happens to requests of clients with shared limits while Redis is lost
     * @param nodes the number of nodes that share the limits, used until Redis has told it
     */
    public record ClientAccess(
            boolean allowOpen,
            @Nullable Path file,
            OnRemoval onRemoval,
            @Nullable RedisSettings redis,
            OnStoreFailure onStoreFailure,
            int nodes)
            implements Settings<ClientAccess, ClientAccess.Builder> {
        /** What happens to a request in progress. */
        public enum OnRemoval {
            /** It ends by itself. */
            FINISH,
            /** It is ended with an error. */
            CUT
        }

        /** What happens to requests whose limits cannot be shared. */
        public enum OnStoreFailure {
            /** Each node grants its equal part of each limit. */
            LOCAL,
            /** They are refused. */
            REFUSE
        }

        /** Everyone who can reach the relay may use it. */
        public static final ClientAccess OPEN = Builders.build(ClientAccess.class, new Builder());

        /** The same, and other machines may reach it although it adds its keys. */
        public static final ClientAccess ALLOW_OPEN = OPEN.with(c -> c.allowOpen = true);

        public ClientAccess {
            Checks.range("nodes", nodes, 1, 10_000);
        }

        /** The clients of this file. */
        public static ClientAccess of(Path file) {
            return OPEN.with(c -> c.file = file);
        }

        /** Whether a request needs a key. */
        public boolean on() {
            return file != null;
        }

        /** The components by name; the values of a new one are the defaults. */
        public static final class Builder {
            public boolean allowOpen;
            public @Nullable Path file;
            public OnRemoval onRemoval = OnRemoval.FINISH;
            public @Nullable RedisSettings redis;
            public OnStoreFailure onStoreFailure = OnStoreFailure.LOCAL;
            public int nodes = 1;
        }
    }

    /**
     * How answers are kept for readers, on routes with {@link Route.Disconnect.Policy#DETACH}. A change holds for streams
     * that begin after it.
     *
     * @param keep for how long after the end
     * @param bytes of one answer; the oldest are dropped first
     * @param memory bytes of all answers; 0 is an eighth of the largest heap. A change needs a restart
     * @param readers of one answer at once
     * @param redis the store in which several nodes share their streams; null if each node has its own. A change needs a
     *     restart
     */
    public record Resume(
            Duration keep,
            int bytes,
            long memory,
            int readers,
            @Nullable ResumeStore redis) implements Settings<Resume, Resume.Builder> {
        /** 120 s, 4 MiB, an eighth of the largest heap, 8. */
        public static final Resume DEFAULT = Builders.build(Resume.class, new Builder());

        private static final int LEAST = 64 * 1024;

        public Resume {
            Checks.positive("keep", keep);
            Checks.range("bytes", bytes, LEAST, 1 << 30);
            Checks.range("memory", memory, 0, 1L << 50);
            if (memory > 0 && memory < LEAST) {
                throw new IllegalArgumentException("memory: " + memory + " (expected: 0, or >= " + LEAST + ")");
            }
            Checks.range("readers", readers, 1, 10_000);
        }

        /** The components by name; the values of a new one are the defaults. */
        public static final class Builder {
            public Duration keep = Duration.ofMinutes(2);
            public int bytes = 4 << 20;
            public long memory;
            public int readers = 8;
            public @Nullable ResumeStore redis;
        }
    }

    /** The components by name; the values of a new one are the defaults. */
    public static final class Builder {
        public List<Listener> listeners = Listener.at(List.of(new HostAndPort("127.0.0.1", 0)));
        public Transport transport = Transport.best();
        public int eventLoops;
        public Timeouts timeouts = Timeouts.DEFAULT;
        public Limits limits = Limits.DEFAULT;
        public Http2 http2 = Http2.DEFAULT;
        public Map<String, Upstream> upstreams = Map.of();
        public List<Route> routes = List.of();
        public AccessLog accessLog = AccessLog.DEFAULT;
        public Telemetry telemetry = Telemetry.DEFAULT;
        public OwnPaths ownPaths = OwnPaths.ALL;
        public @Nullable UnixPath takeover;
        public AddressSet trustedProxies = AddressSet.NONE;
        public Cors cors = Cors.OFF;
        public ClientAccess clients = ClientAccess.OPEN;
        public Resume resume = Resume.DEFAULT;
    }
}
