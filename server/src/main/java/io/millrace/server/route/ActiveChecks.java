package io.millrace.server.route;

import io.millrace.server.balance.OriginState;
import io.millrace.server.route.RouteTable.Destination;
import io.millrace.server.route.RouteTable.Endpoint;
import io.millrace.server.upstream.Upstreams;
import io.netty.channel.EventLoop;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** The active checks of all origins. Each origin is checked on one event loop only. Confined to that event loop. */
public final class ActiveChecks {
    private final EventLoop loop;
    private final Upstreams upstreams;
    private final Map<OriginState, OriginCheck> running = new HashMap<>();

    /**
     * Creates the checks of one event loop, without origins.
     *
     * @param upstreams the connections of {@code loop}
     */
    public ActiveChecks(EventLoop loop, Upstreams upstreams) {
        this.loop = loop;
        this.upstreams = upstreams;
    }

    /** Checks the origins of {@code destinations} and no others. Checks that are running continue. */
    public void follow(Collection<Destination> destinations) {
        Map<OriginState, Endpoint> wanted = new HashMap<>();
        for (Destination destination : destinations) {
            if (destination.upstream().health().probePath() != null) {
                destination.endpoints().forEach(endpoint -> wanted.put(endpoint.state(), endpoint));
            }
        }
        running.entrySet().removeIf(check -> {
            boolean gone = !wanted.containsKey(check.getKey());
            if (gone) {
                check.getValue().close();
            }
            return gone;
        });
        wanted.forEach((state, endpoint) -> running.computeIfAbsent(state, key -> start(endpoint)));
    }

    /** Ends all checks. */
    public void close() {
        follow(List.of());
    }

    private OriginCheck start(Endpoint endpoint) {
        var check = new OriginCheck(endpoint.upstream(), endpoint.origin(), upstreams, loop, endpoint.state());
        check.start();
        return check;
    }
}
