package io.millrace.server.config;

/**
 * One of the places where a route's requests go: the next is taken when this one has failed, is ejected or is over its
 * limit.
 *
 * @param upstream the name of the upstream
 * @param rewriteModel what the body's model is replaced by; null leaves it
 * @param timeouts the target's own; null are the route's
 */
public record RouteTarget(String upstream, String rewriteModel, Timeouts timeouts) {
    public RouteTarget {
        Checks.notBlank("upstream", upstream);
        if (rewriteModel != null) {
            Checks.notBlank("rewriteModel", rewriteModel);
        }
    }

    /** A target that gets the model as it came, with the route's timeouts. */
    public static RouteTarget of(String upstream) {
        return new RouteTarget(upstream, null, null);
    }

    /** This with another {@code upstream}. */
    public RouteTarget withUpstream(String upstream) {
        return new RouteTarget(upstream, rewriteModel, timeouts);
    }

    /** This with another {@code rewriteModel}. */
    public RouteTarget withRewriteModel(String rewriteModel) {
        return new RouteTarget(upstream, rewriteModel, timeouts);
    }

    /** This with other {@code timeouts}; null are the route's. */
    public RouteTarget withTimeouts(Timeouts timeouts) {
        return new RouteTarget(upstream, rewriteModel, timeouts);
    }
}
