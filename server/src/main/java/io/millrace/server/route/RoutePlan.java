package io.millrace.server.route;

import io.millrace.codec.dialect.Dialect;
import io.millrace.server.balance.Backoff;
import io.millrace.server.balance.HedgeBudget;
import io.millrace.server.balance.KeyHash;
import io.millrace.server.config.Route;
import io.millrace.server.config.Route.Balance;
import io.netty.buffer.ByteBuf;
import io.netty.handler.codec.http.HttpHeaders;
import java.util.List;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * The places for the requests of one route, prepared for use.
 *
 * @param route its configuration
 * @param targets the upstreams of its targets, in their order
 * @param backoff the waits between two attempts at one origin
 * @param hedges the budget of hedges; null if there are no hedges
 */
public record RoutePlan(
        Route route,
        List<RouteTable.Destination> targets,
        Backoff backoff,
        @Nullable HedgeBudget hedges) {
    RoutePlan(Route route, List<RouteTable.Destination> targets) {
        this(
                route,
                targets,
                new Backoff(route.retry()),
                route.hedge() == null ? null : new HedgeBudget(route.hedge().maxShare()));
    }

    /** Whether a request may need a second attempt. Its body must then be kept. */
    public boolean mayRetry() {
        return route.retry().attempts() > 1 || targets.size() > 1 || hedges != null;
    }

    /**
     * The key that picks the origin of a request, null if there is none.
     *
     * @param body of the request, null if it is not kept; remains with the caller
     */
    public @Nullable Long balanceKey(HttpHeaders headers, @Nullable ByteBuf body) {
        Balance balance = route.balance();
        if (!hasChoice()) {
            return null;
        }
        if (balance.kind() == Balance.Kind.HEADER) {
            String value = headers.get(balance.header());
            return value == null ? null : KeyHash.of(value);
        }
        return balance.kind() == Balance.Kind.PROMPT_PREFIX && body != null
                ? (Long) KeyHash.ofPrompt(body, balance.prefixBytes())
                : null;
    }

    /** Whether the origin depends on the body. The body must then be complete before an origin is picked. */
    public boolean picksByBody() {
        return route.balance().kind() == Balance.Kind.PROMPT_PREFIX && hasChoice();
    }

    /**
     * Whether a path that this relay and the upstream read differently could reach a resource that the route does not
     * allow, or that only the relay's key may read.
     */
    public boolean guardsPaths() {
        return !route.match().paths().isEmpty()
                || any(target -> target.upstream().credential() != null);
    }

    /** Whether a request of this dialect can be translated for one of the targets. */
    public boolean mayTranslate(Dialect dialect) {
        return any(target -> target.upstream().translates(dialect) != null);
    }

    /** Whether a target has this dialect or may have it. */
    public boolean speaks(Dialect dialect) {
        return any(target -> target.upstream().translates(dialect) == null);
    }

    private boolean hasChoice() {
        return any(target -> target.endpoints().size() > 1);
    }

    private boolean any(Predicate<RouteTable.Destination> wanted) {
        for (int i = 0; i < targets.size(); i++) {
            if (wanted.test(targets.get(i))) {
                return true;
            }
        }
        return false;
    }
}
