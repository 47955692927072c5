package io.millrace.server.own;

import io.millrace.server.chat.ChatSide;
import io.millrace.server.config.RelayConfig;
import io.millrace.server.config.Route;
import io.millrace.server.config.Upstream;
import org.jspecify.annotations.Nullable;

/** The model that answers a request to {@code /chat} that names none, for the page to show. */
final class DefaultModel {
    /** It depends on headers of the request. */
    static final String UNKNOWN = "default";

    private DefaultModel() {}

    /** Its name, {@link #UNKNOWN}, or an empty text if such a request is refused. */
    static String of(RelayConfig config) {
        for (Route route : config.routes()) {
            if (route.match().matchesPath(ChatSide.PATH) && route.match().matchesModel(null)) {
                if (route.match().header() != null) {
                    return UNKNOWN;
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
