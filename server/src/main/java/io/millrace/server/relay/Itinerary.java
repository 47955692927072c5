package io.millrace.server.relay;

import io.millrace.server.balance.Backoff;
import io.millrace.server.balance.Balancer;
import io.millrace.server.balance.KeyHash;
import io.millrace.server.balance.OriginState;
import io.millrace.server.config.Balance;
import io.millrace.server.config.RouteTarget;
import io.millrace.server.relay.RelaySettings.Destination;
import io.millrace.server.relay.RelaySettings.Endpoint;
import java.util.concurrent.ThreadLocalRandom;

/**
 * Where the attempts of one exchange go, and when: the origins of a target, then the next target. It keeps to the route's
 * number of attempts and its time in all, and to the upstreams' budgets. Confined to the exchange's event loop.
 */
final class Itinerary {
    private final RoutePlan plan;
    private final ClientRequest request;
    private String failures;
    private int target = -1;
    private int attemptsAtTarget;
    private long tried;
    private Endpoint last;
    private int attempts;
    private int retries;
    private int fallbacks;

    /** One place to go. */
    record Stop(Destination destination, RouteTarget target, Endpoint endpoint) {}

    /**
     * What to do after a failure.
     *
     * @param endpoint to try; null is to be picked when the wait is over
     */
    record Next(Endpoint endpoint, long delayNs) {}

    Itinerary(RoutePlan plan, ClientRequest request) {
        this.plan = plan;
        this.request = request;
    }

    /** Attempts begun. */
    int attempts() {
        return attempts;
    }

    /** Attempts at the same target as the one before. */
    int retries() {
        return retries;
    }

    /** Attempts at the target after the one before. */
    int fallbacks() {
        return fallbacks;
    }

    /** Why attempts failed, such as {@code main:503,main:reset}; null if none did. */
    String failures() {
        return failures;
    }

    /** Notes a failure at {@code upstream}. */
    void onFailure(String upstream, String reason) {
        String failure = upstream + ':' + reason;
        failures = failures == null ? failure : failures + ',' + failure;
    }

    /** Where to go first: the first target that takes requests; null if all have as many as they may. */
    Stop first(long nowNs) {
        if (!enterNext(nowNs)) {
            return null;
        }
        return stop(pick(Balancer.NONE, nowNs));
    }

    /** Whether there is anything left to try, so that an answer that has failed need not be given. */
    boolean mayGoOn(long requestNs, long nowNs) {
        boolean inTime = nowNs - requestNs < plan.route().retry().total().toNanos();
        return inTime
                && (attemptsAtTarget < plan.route().retry().attempts()
                        || target + 1 < plan.targets().size());
    }

    /** What to do after {@code failure}; null is to give up. */
    Next after(Failure failure, long requestNs, long nowNs) {
        if (!mayGoOn(requestNs, nowNs)) {
            return null;
        }
        boolean resting = target + 1 < plan.targets().size()
                && !plan.targets().get(target).state().admits(nowNs);
        Next here = failure.sameTarget() && !resting ? again(failure, requestNs, nowNs) : null;
        if (here != null) {
            return here;
        }
        if (enterNext(nowNs)) {
            fallbacks++;
            return new Next(pick(Balancer.NONE, nowNs), 0);
        }
        // Better an origin that was ejected than none.
        return failure.sameTarget() && resting ? again(failure, requestNs, nowNs) : null;
    }

    /**
     * The place that {@code next} means, now that its wait is over. Others may have taken its target's last request
     * meanwhile: then it is the next target, or null if that has none left either.
     */
    Stop resolve(Next next, long nowNs) {
        if (next.endpoint() != null) {
            return stop(next.endpoint());
        }
        if (plan.targets().get(target).state().isFull()) {
            retries--;
            if (!enterNext(nowNs)) {
                return null;
            }
            fallbacks++;
        }
        return stop(pick(Balancer.NONE, nowNs));
    }

    /** Whether the upstream's budget has another attempt, for a request that met a connection that was dead already. */
    boolean afresh(long nowNs) {
        if (!plan.targets().get(target).state().retries().tryRetry(nowNs)) {
            return false;
        }
        attempts++;
        attemptsAtTarget++;
        retries++;
        return true;
    }

    /** Another origin than the last for an attempt beside it, or null. */
    Stop beside(long nowNs) {
        Destination here = plan.targets().get(target);
        OriginState other = here.endpoints().size() < 2
                ? null
                : Balancer.pick(here.state().origins(), only(here, last), nowNs, ThreadLocalRandom.current());
        if (other != null && !here.state().isFull()) {
            return new Stop(here, plan.route().targets().get(target), begin(here.endpoint(other)));
        }
        int next = target + 1;
        if (next < plan.targets().size() && plan.targets().get(next).state().admits(nowNs)) {
            Destination there = plan.targets().get(next);
            OriginState origin =
                    Balancer.pick(there.state().origins(), Balancer.NONE, nowNs, ThreadLocalRandom.current());
            attempts++;
            return new Stop(there, plan.route().targets().get(next), there.endpoint(origin));
        }
        return null;
    }

    private Next again(Failure failure, long requestNs, long nowNs) {
        Destination here = plan.targets().get(target);
        if (attemptsAtTarget >= plan.route().retry().attempts()) {
            return null;
        }
        Endpoint other = untried(here, nowNs);
        long delayNs = other != null
                ? 0
                : plan.backoff().delayNs(attemptsAtTarget, failure.retryAfterNs(), ThreadLocalRandom.current());
        boolean tooLate = delayNs == Backoff.TOO_LONG
                || nowNs + delayNs - requestNs > plan.route().retry().total().toNanos();
        if (tooLate || !here.state().retries().tryRetry(nowNs)) {
            return null;
        }
        retries++;
        return new Next(other, delayNs);
    }

    /** An origin of the target that takes requests and was not asked yet. */
    private Endpoint untried(Destination here, long nowNs) {
        if (here.endpoints().size() < 2) {
            return null;
        }
        return pick(tried, nowNs);
    }

    /** Goes to the next target that takes requests; if none does, to the next that is only ejected. */
    private boolean enterNext(long nowNs) {
        int count = plan.targets().size();
        int next = -1;
        for (int i = target + 1; i < count; i++) {
            var state = plan.targets().get(i).state();
            if (state.isFull()) {
                continue;
            }
            if (count == 1 || state.admits(nowNs)) {
                next = i;
                break;
            }
            next = next < 0 ? i : next;
        }
        if (next < 0) {
            return false;
        }
        target = next;
        attemptsAtTarget = 0;
        tried = Balancer.NONE;
        plan.targets().get(next).state().retries().onRequest(nowNs);
        return true;
    }

    private Stop stop(Endpoint endpoint) {
        attemptsAtTarget++;
        return new Stop(plan.targets().get(target), plan.route().targets().get(target), begin(endpoint));
    }

    private Endpoint begin(Endpoint endpoint) {
        attempts++;
        last = endpoint;
        tried |= only(plan.targets().get(target), endpoint);
        return endpoint;
    }

    private static long only(Destination here, Endpoint endpoint) {
        return Balancer.with(Balancer.NONE, here.endpoints().indexOf(endpoint));
    }

    private Endpoint pick(long exclude, long nowNs) {
        Destination here = plan.targets().get(target);
        if (here.endpoints().size() == 1) {
            return here.endpoints().get(0);
        }
        var origins = here.state().origins();
        Balance balance = plan.route().balance();
        String value = balance.kind() == Balance.Kind.HEADER ? request.headers().get(balance.header()) : null;
        OriginState picked;
        if (value != null) {
            picked = Balancer.pickByHash(KeyHash.of(value), origins, exclude, nowNs);
        } else if (balance.kind() == Balance.Kind.PROMPT_PREFIX
                && request.body().isKept()) {
            long hash = KeyHash.ofPrompt(request.body().bytes(), balance.prefixBytes());
            picked = Balancer.pickByHash(hash, origins, exclude, nowNs);
        } else {
            picked = Balancer.pick(origins, exclude, nowNs, ThreadLocalRandom.current());
        }
        return picked == null ? null : here.endpoint(picked);
    }
}
