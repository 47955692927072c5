package io.millrace.server.relay;

import io.millrace.server.balance.OriginState;
import io.millrace.server.relay.RelaySettings.Destination;
import io.millrace.server.relay.RelaySettings.Endpoint;
import io.millrace.server.upstream.OriginCheck;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** The active checks of all origins that want them, each on one event loop only. Confined to that event loop. */
final class ActiveChecks {
    private final RelayLoop loop;
    private final Map<OriginState, OriginCheck> running = new HashMap<>();

    ActiveChecks(RelayLoop loop) {
        this.loop = loop;
    }

    /** Checks the origins of {@code destinations} and no others; those that were checked already go on. */
    void follow(Collection<Destination> destinations) {
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
    void close() {
        follow(List.of());
    }

    private OriginCheck start(Endpoint endpoint) {
        var check = new OriginCheck(
                endpoint.upstream(), endpoint.origin(), loop.upstreams(), loop.eventLoop(), endpoint.state());
        check.start();
        return check;
    }
}
