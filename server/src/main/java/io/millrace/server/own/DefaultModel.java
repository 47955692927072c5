package io.millrace.server.own;

import io.millrace.server.chat.ChatSide;
import io.millrace.server.config.RelayConfig;
import io.millrace.server.config.Route;
import io.millrace.server.config.Upstream;
import org.jspecify.annotations.Nullable;

/** The model that answers a request to {@code /chat} that names none, for the page to show. */
final class DefaultModel {
    private DefaultModel() {}

    /**
     * Its name, or an empty text if such a request is refused. Null if it is not told: it depends on headers of the
     * request, or only clients with a key may know it, and the page is served without one.
     */
    static @Nullable String of(RelayConfig config) {
        if (config.clients().on()) {
            return null;
        }
        for (Route route : config.routes()) {
            if (route.match().matchesPath(ChatSide.PATH) && route.match().matchesModel(null)) {
                if (route.match().header() != null) {
                    return null;
                }
                String model = of(route.targets().get(0), config);
                return model == null ? "" : model;
            }
        }
        return "";
    }

    private static @Nullable String of(Route.Target first, RelayConfig config) {
        if (first.rewriteModel() != null) {
            return first.rewriteModel();
        }
        Upstream upstream = config.upstreams().get(first.upstream());
        return upstream == null ? null : upstream.model();
    }
}
