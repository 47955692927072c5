package io.millrace.server.config;

import io.millrace.codec.dialect.Dialect;
import java.util.Objects;

/**
 * Where requests of one kind go, and how they are treated there. Routes are tried in order, the first match takes it.
 *
 * @param name shown in logs
 * @param match which requests it takes
 * @param upstream the name of the upstream they go to
 * @param rewriteModel what the body's model is replaced by; null leaves it
 * @param dialect of their streams; null finds it by path
 * @param timeouts the route's own, else the relay's
 * @param heartbeat the route's own, else the relay's
 */
public record Route(
        String name,
        Match match,
        String upstream,
        String rewriteModel,
        Dialect dialect,
        Timeouts timeouts,
        Heartbeat heartbeat) {
    public Route {
        Checks.notBlank("name", name);
        Objects.requireNonNull(match, "match");
        Checks.notBlank("upstream", upstream);
        if (rewriteModel != null) {
            Checks.notBlank("rewriteModel", rewriteModel);
        }
        Objects.requireNonNull(timeouts, "timeouts");
        Objects.requireNonNull(heartbeat, "heartbeat");
    }

    /** A route with defaults. */
    public static Route of(String name, Match match, String upstream) {
        return new Route(name, match, upstream, null, null, Timeouts.DEFAULT, Heartbeat.DEFAULT);
    }

    /** This with another {@code rewriteModel}. */
    public Route withRewriteModel(String rewriteModel) {
        return new Route(name, match, upstream, rewriteModel, dialect, timeouts, heartbeat);
    }

    /** This with another {@code dialect}. */
    public Route withDialect(Dialect dialect) {
        return new Route(name, match, upstream, rewriteModel, dialect, timeouts, heartbeat);
    }

    /** This with other {@code timeouts}. */
    public Route withTimeouts(Timeouts timeouts) {
        return new Route(name, match, upstream, rewriteModel, dialect, timeouts, heartbeat);
    }

    /** This with another {@code heartbeat}. */
    public Route withHeartbeat(Heartbeat heartbeat) {
        return new Route(name, match, upstream, rewriteModel, dialect, timeouts, heartbeat);
    }
}
