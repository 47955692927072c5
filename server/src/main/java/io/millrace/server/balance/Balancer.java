package io.millrace.server.balance;

import java.util.List;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * Picks one of an upstream's origins. Origins that are ejected or down are left out. If there is no other, they are
 * picked like healthy ones.
 */
public final class Balancer {
    /** No origin is left out. */
    public static final long NONE = 0;

    private Balancer() {}

    /** Adds the origin with this index to a set. The set has either all or none of the origins from the 64th on. */
    public static long with(long set, int index) {
        return set | 1L << Math.min(index, Long.SIZE - 1);
    }

    /**
     * Picks the cheaper one of two random origins.
     *
     * @param origins at least one
     * @param exclude origins to leave out, such as those that have just failed: {@link #NONE}, extended by {@link
     *     #with}
     * @return null only if some are excluded and no other takes requests
     */
    public static @Nullable OriginState pick(
            List<OriginState> origins, long exclude, long nowNs, RandomGenerator random) {
        OriginState picked = pick(origins, exclude, nowNs, random, true);
        return picked == null && exclude == NONE ? pick(origins, NONE, nowNs, random, false) : picked;
    }

    /**
     * Picks the origin for a hash, by the highest random weight (rendezvous hashing). If an origin is removed, only its
     * own hashes move to other origins. They return when the origin returns.
     *
     * @param hash of the key that the requests share; see {@link KeyHash}
     * @param origins at least one
     * @param exclude as in {@link #pick}
     * @return as {@link #pick} does
     */
    public static @Nullable OriginState pickByHash(long hash, List<OriginState> origins, long exclude, long nowNs) {
        OriginState picked = pickByHash(hash, origins, exclude, nowNs, true);
        return picked == null && exclude == NONE ? pickByHash(hash, origins, NONE, nowNs, false) : picked;
    }

    /** Whether an origin takes requests. If none does, another upstream should be asked. */
    public static boolean anyAdmits(List<OriginState> origins, long nowNs) {
        for (int i = 0; i < origins.size(); i++) {
            if (origins.get(i).admits(nowNs)) {
                return true;
            }
        }
        return false;
    }

    private static @Nullable OriginState pick(
            List<OriginState> origins, long exclude, long nowNs, RandomGenerator random, boolean admittedOnly) {
        OriginState one = null;
        OriginState other = null;
        int seen = 0;
        for (int i = 0; i < origins.size(); i++) {
            OriginState origin = origins.get(i);
            if (!isChoice(i, origin, exclude, nowNs, admittedOnly)) {
                continue;
            }
            // A sample of two, taken in one pass.
            int place = seen < 2 ? seen : random.nextInt(seen + 1);
            seen++;
            one = place == 0 ? origin : one;
            other = place == 1 ? origin : other;
        }
        if (one == null || other == null) {
            return one;
        }
        return random.nextBoolean() ? better(one, other, nowNs) : better(other, one, nowNs);
    }

    private static @Nullable OriginState pickByHash(
            long hash, List<OriginState> origins, long exclude, long nowNs, boolean admittedOnly) {
        OriginState best = null;
        long bestWeight = 0;
        for (int i = 0; i < origins.size(); i++) {
            OriginState origin = origins.get(i);
            long weight = KeyHash.mix(hash ^ origin.hash());
            boolean higher = best == null || Long.compareUnsigned(weight, bestWeight) > 0;
            if (higher && isChoice(i, origin, exclude, nowNs, admittedOnly)) {
                best = origin;
                bestWeight = weight;
            }
        }
        return best;
    }

    private static boolean isChoice(int index, OriginState origin, long exclude, long nowNs, boolean admittedOnly) {
        boolean excluded = exclude != NONE && with(exclude, index) == exclude;
        return !excluded && (!admittedOnly || origin.admits(nowNs));
    }

    private static OriginState better(OriginState one, OriginState other, long nowNs) {
        double oneNs = one.ttftNs(Double.MAX_VALUE);
        double otherNs = other.ttftNs(Double.MAX_VALUE);
        double lesserNs = Math.min(oneNs, otherNs);
        double knownNs = lesserNs == Double.MAX_VALUE ? 0 : lesserNs;
        double cost = one.cost(knownNs, other.inFlight(), nowNs);
        return cost <= other.cost(knownNs, one.inFlight(), nowNs) ? one : other;
    }
}
