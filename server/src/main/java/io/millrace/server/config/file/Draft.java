package io.millrace.server.config.file;

import io.millrace.server.config.AccessLog;
import io.millrace.server.config.Cors;
import io.millrace.server.config.Heartbeat;
import io.millrace.server.config.HostAndPort;
import io.millrace.server.config.Limits;
import io.millrace.server.config.Match;
import io.millrace.server.config.OwnPaths;
import io.millrace.server.config.RelayConfig;
import io.millrace.server.config.Route;
import io.millrace.server.config.Timeouts;
import io.millrace.server.config.Upstream;
import io.millrace.server.transport.Transport;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** A configuration that is still being put together. */
final class Draft {
    final Map<String, Upstream> upstreams = new LinkedHashMap<>();
    final List<Route> routes = new ArrayList<>();
    List<HostAndPort> listen = List.of(new HostAndPort("127.0.0.1", 8080));
    /** Where {@link #listen} was said, for the message that refuses it. */
    String listenSource = "listen";

    Transport transport = Transport.best();
    int eventLoops;
    Timeouts timeouts = Timeouts.DEFAULT;
    Heartbeat heartbeat = Heartbeat.DEFAULT;
    Limits limits = Limits.DEFAULT;
    AccessLog accessLog = AccessLog.DEFAULT;
    OwnPaths ownPaths = OwnPaths.ALL;
    Cors cors = Cors.OFF;
    /** Where {@link #cors} was said, for the message that refuses it. */
    String corsSource = "cors";

    boolean allowOpen;

    /** Replaces all upstreams and routes by one that takes everything. */
    void relayEverythingTo(Upstream upstream) {
        upstreams.clear();
        routes.clear();
        upstreams.put(upstream.name(), upstream);
        route("all", Match.ALL, upstream.name());
    }

    /** Adds a route with the relay's timeouts and heartbeat. */
    void route(String name, Match match, String upstream) {
        routes.add(Route.of(name, match, upstream).withTimeouts(timeouts).withHeartbeat(heartbeat));
    }

    /** The configuration, checked as a whole. */
    RelayConfig build() {
        return new RelayConfig(
                listen,
                transport,
                eventLoops,
                timeouts,
                limits,
                upstreams,
                routes,
                accessLog,
                allowOpen,
                ownPaths,
                cors);
    }
}
