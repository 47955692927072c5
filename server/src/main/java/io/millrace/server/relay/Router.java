package io.millrace.server.relay;

import io.millrace.server.config.RelayConfig;
import io.millrace.server.config.Route;
import io.netty.handler.codec.http.HttpHeaders;
import java.util.List;

/** Finds the route of a request: the first in the configuration's order that matches. */
final class Router {
    private final List<Route> routes;

    Router(RelayConfig config) {
        routes = config.routes();
    }

    /**
     * Whether the first routes that match this path look at the model, so that the body must be read before the choice.
     */
    boolean needsModel(CharSequence path, HttpHeaders headers) {
        for (int i = 0; i < routes.size(); i++) {
            Route route = routes.get(i);
            if (matches(route, path, headers)) {
                return route.match().needsModel();
            }
        }
        return false;
    }

    /** The route, or null if none matches; {@code model} is null where it is not known or there is none. */
    Route route(CharSequence path, HttpHeaders headers, String model) {
        for (int i = 0; i < routes.size(); i++) {
            Route route = routes.get(i);
            if (matches(route, path, headers) && route.match().matchesModel(model)) {
                return route;
            }
        }
        return null;
    }

    /** Whether some route takes this path, whatever the model. */
    boolean knowsPath(CharSequence path, HttpHeaders headers) {
        for (int i = 0; i < routes.size(); i++) {
            if (matches(routes.get(i), path, headers)) {
                return true;
            }
        }
        return false;
    }

    private static boolean matches(Route route, CharSequence path, HttpHeaders headers) {
        var match = route.match();
        return match.matchesPath(path) && (match.header() == null || headers.contains(match.header()));
    }
}
