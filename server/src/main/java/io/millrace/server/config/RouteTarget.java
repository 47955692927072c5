package io.millrace.server.config;

import org.jspecify.annotations.Nullable;

/**
 * One of the targets of a route. The next target is taken when this one has failed, is ejected or is over its limit.
 *
 * @param upstream the name of the upstream
 * @param rewriteModel what the body's model is replaced by; null leaves it
 * @param timeouts the target's own; null are the route's
 */
public record RouteTarget(
        String upstream,
        @Nullable String rewriteModel,
        @Nullable Timeouts timeouts) implements Settings<RouteTarget, RouteTarget.Builder> {
    public RouteTarget {
        Checks.notBlank("upstream", upstream);
        if (rewriteModel != null) {
            Checks.notBlank("rewriteModel", rewriteModel);
        }
    }

    /** A target that gets the model unchanged, with the route's timeouts. */
    public static RouteTarget of(String upstream) {
        return new RouteTarget(upstream, null, null);
    }

    /** The components by name; the values of a new one are the defaults. */
    public static final class Builder {
        public String upstream = "";
        public @Nullable String rewriteModel;
        public @Nullable Timeouts timeouts;
    }
}
