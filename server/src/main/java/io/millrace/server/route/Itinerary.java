package io.millrace.server.route;

import static java.util.Objects.requireNonNull;

import io.millrace.server.balance.AttemptCounts;
import io.millrace.server.balance.Backoff;
import io.millrace.server.balance.Balancer;
import io.millrace.server.balance.OriginState;
import io.millrace.server.config.Route;
import io.millrace.server.route.RouteTable.Destination;
import io.millrace.server.route.RouteTable.Endpoint;
import io.millrace.server.telemetry.Summary;
import java.util.ArrayList;
import java.util.List;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * Decides where and when the attempts of one exchange are made: at the origins of a target, then at the next target. It
 * respects the route's number of attempts and its total time, and the upstreams' budgets. Confined to the exchange's
 * event loop.
 */
public final class Itinerary {
    private final RoutePlan plan;
    private final @Nullable Long balanceKey;
    private final RandomGenerator random;
    private AttemptCounts.Kind why = AttemptCounts.Kind.FIRST;
    private @Nullable List<Summary.Failed> failures;
    private int target = -1;
    private int attemptsAtTarget;
    private long tried;

    @SuppressWarnings("NullAway.Init") // set by the first attempt
    private Endpoint last;

    private int attempts;
    private int retries;
    private int fallbacks;

    /**
     * The place of one attempt.
     *
     * @param destination the upstream and its origins
     * @param target the settings of the route for this upstream
     * @param endpoint the origin that is asked
     */
    public record Place(RouteTable.Destination destination, Route.Target target, RouteTable.Endpoint endpoint) {}

    /**
     * The step after a failure.
     *
     * @param endpoint the origin to try; null if it is picked after the wait
     */
    public record Next(@Nullable Endpoint endpoint, long delayNs) {}

    /**
     * Creates an itinerary without attempts.
     *
     * @param balanceKey the key that picks the origin, if the route balances by a key; null if it does not, or there is
     *     none
     * @param random decides between equally good origins, and spreads waits
     */
    public Itinerary(RoutePlan plan, @Nullable Long balanceKey, RandomGenerator random) {
        this.plan = plan;
        this.balanceKey = balanceKey;
        this.random = random;
    }

    /** The number of attempts that have begun. */
    public int attempts() {
        return attempts;
    }

    /** The number of attempts at the same target as the attempt before. */
    public int retries() {
        return retries;
    }

    /** The number of attempts at the next target. */
    public int fallbacks() {
        return fallbacks;
    }

    /**
     * The summary of the attempts.
     *
     * @param answered the upstream of the attempt that became the answer, otherwise of the last one
     * @param hedged whether one of them was made in parallel with another
     */
    public Summary.Attempts summary(Summary.Asked answered, boolean hedged) {
        List<Summary.Failed> failed = failures == null ? List.of() : failures;
        return new Summary.Attempts(plan.route().name(), answered, attempts, retries, fallbacks, hedged, failed);
    }

    /** Notes that the attempt at {@code place}, which began at {@code startNs}, failed at {@code nowNs}. */
    public void onFailure(Place place, String reason, long startNs, long nowNs) {
        place.destination().state().attempts(place.endpoint().state()).onFailure(reason);
        if (failures == null) {
            failures = new ArrayList<>(1);
        }
        String upstream = place.destination().upstream().name();
        failures.add(new Summary.Failed(upstream, place.endpoint().state().name(), reason, startNs, nowNs));
    }

    /** The first place: the first target that takes requests; null if all targets are at their limits. */
    public @Nullable Place first(long nowNs) {
        if (!enterNext(nowNs)) {
            return null;
        }
        return place(best(nowNs));
    }

    /** Whether there is another place to try, so that a failed answer need not be given to the client. */
    public boolean mayGoOn(long requestNs, long nowNs) {
        boolean inTime = nowNs - requestNs < plan.route().retry().total().toNanos();
        return inTime
                && (attemptsAtTarget < plan.route().retry().attempts()
                        || target + 1 < plan.targets().size());
    }

    /** The step after {@code failure}; null to give up. */
    public @Nullable Next after(Failure failure, long requestNs, long nowNs) {
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
            why = AttemptCounts.Kind.FALLBACK;
            return new Next(best(nowNs), 0);
        }
        // An ejected origin is better than none.
        return failure.sameTarget() && resting ? again(failure, requestNs, nowNs) : null;
    }

    /**
     * The place of {@code next} after its wait. Meanwhile its target may have reached its limit. Then the place is at
     * the next target, or null if that is at its limit, too.
     */
    public @Nullable Place resolve(Next next, long nowNs) {
        if (next.endpoint() != null) {
            return place(next.endpoint());
        }
        if (plan.targets().get(target).state().isFull()) {
            retries--;
            if (!enterNext(nowNs)) {
                return null;
            }
            fallbacks++;
            why = AttemptCounts.Kind.FALLBACK;
        }
        return place(best(nowNs));
    }

    /** Whether the upstream's budget allows another attempt for a request whose connection was already dead. */
    public boolean afresh(long nowNs) {
        if (!plan.targets().get(target).state().retries().tryRetry(nowNs)) {
            return false;
        }
        attempts++;
        attemptsAtTarget++;
        retries++;
        count(plan.targets().get(target), last, AttemptCounts.Kind.RETRY);
        return true;
    }

    /** Another origin than the last one, for a parallel attempt; null if there is none. */
    public @Nullable Place beside(long nowNs) {
        Destination here = plan.targets().get(target);
        OriginState other = here.endpoints().size() < 2
                ? null
                : Balancer.pick(here.state().origins(), only(here, last), nowNs, random);
        if (other != null && !here.state().isFull()) {
            why = AttemptCounts.Kind.HEDGE;
            return new Place(here, plan.route().targets().get(target), begin(here.endpoint(other)));
        }
        int next = target + 1;
        if (next < plan.targets().size() && plan.targets().get(next).state().admits(nowNs)) {
            Destination there = plan.targets().get(next);
            OriginState origin = Balancer.pick(there.state().origins(), Balancer.NONE, nowNs, random);
            attempts++;
            Endpoint endpoint = there.endpoint(requireNonNull(origin));
            count(there, endpoint, AttemptCounts.Kind.HEDGE);
            return new Place(there, plan.route().targets().get(next), endpoint);
        }
        return null;
    }

    private @Nullable Next again(Failure failure, long requestNs, long nowNs) {
        Destination here = plan.targets().get(target);
        if (attemptsAtTarget >= plan.route().retry().attempts()) {
            return null;
        }
        Endpoint other = untried(here, nowNs);
        long delayNs = other != null ? 0 : plan.backoff().delayNs(attemptsAtTarget, failure.retryAfterNs(), random);
        boolean tooLate = delayNs == Backoff.TOO_LONG
                || nowNs + delayNs - requestNs > plan.route().retry().total().toNanos();
        if (tooLate || !here.state().retries().tryRetry(nowNs)) {
            return null;
        }
        retries++;
        why = AttemptCounts.Kind.RETRY;
        return new Next(other, delayNs);
    }

    /** An origin of the target that takes requests and was not asked yet. */
    private @Nullable Endpoint untried(Destination here, long nowNs) {
        if (here.endpoints().size() < 2) {
            return null;
        }
        return pick(tried, nowNs);
    }

    /** Goes to the next target that takes requests. If none does, goes to the next target that is only ejected. */
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

    private Place place(Endpoint endpoint) {
        attemptsAtTarget++;
        return new Place(plan.targets().get(target), plan.route().targets().get(target), begin(endpoint));
    }

    private Endpoint begin(Endpoint endpoint) {
        attempts++;
        last = endpoint;
        count(plan.targets().get(target), endpoint, why);
        tried |= only(plan.targets().get(target), endpoint);
        return endpoint;
    }

    private static void count(Destination destination, Endpoint endpoint, AttemptCounts.Kind kind) {
        destination.state().attempts(endpoint.state()).onBegin(kind);
    }

    private static long only(Destination here, Endpoint endpoint) {
        return Balancer.with(Balancer.NONE, here.endpoints().indexOf(endpoint));
    }

    /** The best origin of the target. There is always one if none is left out. */
    private Endpoint best(long nowNs) {
        return requireNonNull(pick(Balancer.NONE, nowNs));
    }

    private @Nullable Endpoint pick(long exclude, long nowNs) {
        Destination here = plan.targets().get(target);
        if (here.endpoints().size() == 1) {
            return here.endpoints().get(0);
        }
        var origins = here.state().origins();
        OriginState picked = balanceKey == null
                ? Balancer.pick(origins, exclude, nowNs, random)
                : Balancer.pickByHash(balanceKey, origins, exclude, nowNs);
        return picked == null ? null : here.endpoint(picked);
    }
}
