package io.millrace.server.config;

import io.millrace.codec.dialect.Dialect;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Where requests of one kind go, and how they are treated. Routes are tried in order. The first match takes the
 * request.
 *
 * @param name shown in logs
 * @param match which requests it takes
 * @param targets where they go, at least one: the first, and each other one when those before it cannot serve
 * @param dialect of their streams; null finds it by path
 * @param timeouts the route's own, else the relay's
 * @param heartbeat the route's own, else the relay's
 * @param retry how often each target is tried
 * @param hedge when a second attempt joins the first; null is never
 * @param disconnect what becomes of an answer whose client leaves
 * @param includeUsage whether Chat streams are made to tell their usage, also for clients that did not ask for it
 * @param balance how one of an upstream's origins is chosen
 * @param translation what becomes of a field that no translation knows
 */
public record Route(
        String name,
        Match match,
        List<RouteTarget> targets,
        @Nullable Dialect dialect,
        Timeouts timeouts,
        Heartbeat heartbeat,
        Retry retry,
        @Nullable Hedge hedge,
        Disconnect disconnect,
        boolean includeUsage,
        Balance balance,
        TranslationMode translation)
        implements Settings<Route, Route.Builder> {
    public Route {
        Checks.notBlank("name", name);
        targets = List.copyOf(targets);
        if (targets.isEmpty()) {
            throw new IllegalArgumentException("targets: [] (expected: at least one)");
        }
    }

    /** A route with defaults to one target. */
    public static Route of(String name, Match match, String upstream) {
        return of(name, match, List.of(RouteTarget.of(upstream)));
    }

    /** A route with defaults. */
    public static Route of(String name, Match match, List<RouteTarget> targets) {
        var route = new Builder();
        route.name = name;
        route.match = match;
        route.targets = targets;
        return Builders.build(Route.class, route);
    }

    /** The name of the first target's upstream. */
    public String upstream() {
        return targets.get(0).upstream();
    }

    /** The model that replaces the client's for the first target, or null. */
    public @Nullable String rewriteModel() {
        return targets.get(0).rewriteModel();
    }

    /** The timeouts that apply at {@code target}. */
    public Timeouts timeouts(RouteTarget target) {
        return target.timeouts() == null ? timeouts : target.timeouts();
    }

    /** This with {@code rewriteModel} for every target. */
    public Route withRewriteModel(String rewriteModel) {
        return with(r -> r.targets = targets.stream()
                .map(target -> target.with(t -> t.rewriteModel = rewriteModel))
                .toList());
    }

    /** The components by name; the values of a new one are the defaults. */
    public static final class Builder {
        public String name = "";
        public Match match = Match.ALL;
        public List<RouteTarget> targets = List.of();
        public @Nullable Dialect dialect;
        public Timeouts timeouts = Timeouts.DEFAULT;
        public Heartbeat heartbeat = Heartbeat.DEFAULT;
        public Retry retry = Retry.DEFAULT;
        public @Nullable Hedge hedge;
        public Disconnect disconnect = Disconnect.CANCEL;
        public boolean includeUsage;
        public Balance balance = Balance.P2C;
        public TranslationMode translation = TranslationMode.LENIENT;
    }
}
