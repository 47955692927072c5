package io.millrace.server.config.file;

import io.millrace.server.config.Match;
import io.millrace.server.config.RelayConfig;
import io.millrace.server.config.Route;
import io.millrace.server.config.Timeouts;
import io.millrace.server.config.Upstream;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/** A configuration that is not complete yet. */
final class Draft {
    final Map<String, Upstream> upstreams = new LinkedHashMap<>();
    final List<Route> routes = new ArrayList<>();
    /** Everything except the upstreams and routes. */
    RelayConfig relay = Tables.RELAY.defaults();
    /** The settings with which each route begins: the relay's heartbeat. */
    private Route common = Tables.ROUTE.defaults();

    /** The place of {@code listen}, for an error message. */
    String listenSource = "listen";

    /** The place of {@code cors}, for an error message. */
    String corsSource = "cors";

    /** The place of {@code ownPaths}, for an error message. */
    String ownPathsSource = "ownPaths";

    /** Replaces all upstreams and routes by one upstream that gets every request. */
    void relayEverythingTo(Upstream upstream) {
        upstreams.clear();
        routes.clear();
        upstreams.put(upstream.name(), upstream);
        route("all", Match.ALL, upstream.name());
    }

    /** Reads the settings of the relay, and those with which all routes begin. */
    void read(Section root) {
        relay = Tables.RELAY.read(root, relay);
        var slot = new Setting.Slot<>(common);
        Tables.ROUTE_HEARTBEAT.reader().read(root, slot, new ArrayList<>());
        common = slot.settings;
    }

    /** Adds a route with the relay's timeouts and heartbeat. */
    void route(String name, Match match, String upstream) {
        routes.add(route(name).with(r -> {
            r.match = match;
            r.targets = List.of(Route.Target.of(upstream));
        }));
    }

    /** A route without targets yet, with the relay's timeouts and heartbeat. */
    Route route(String name) {
        return common.with(r -> {
            r.name = name;
            r.timeouts = relay.timeouts();
        });
    }

    /** Changes the timeouts of the relay and of all routes. */
    void timeouts(Consumer<Timeouts.Builder> change) {
        relay = relay.with(c -> c.timeouts = relay.timeouts().with(change));
        routes.replaceAll(route -> route.with(r -> r.timeouts = route.timeouts().with(change)));
    }

    /** The configuration, after the checks of the whole. */
    RelayConfig build() {
        return relay.with(c -> {
            c.upstreams = upstreams;
            c.routes = routes;
        });
    }
}
