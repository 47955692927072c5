package io.millrace.bench.stream;

import java.util.List;
import java.util.SplittableRandom;

/**
 * The behaviours of the clients of a run: each behaviour has a share of the clients, and the rest is plain. The number
 * of the stream and a seed decide.
 */
public final class Behaviours {
    /** All clients are plain. */
    public static final Behaviours NONE = new Behaviours(List.of(), 0);

    private final List<Share> shares;
    private final long seed;

    /**
     * A share of the clients and its behaviour.
     *
     * @param fraction of all clients, 0 to 1
     */
    public record Share(double fraction, Behaviour behaviour) {}

    /** @throws IllegalArgumentException if the shares exceed 1 in sum */
    public Behaviours(List<Share> shares, long seed) {
        double sum = shares.stream().mapToDouble(Share::fraction).sum();
        if (sum > 1 + 1e-9) {
            throw new IllegalArgumentException("shares of clients: " + sum + " (expected: <= 1 together)");
        }
        this.shares = List.copyOf(shares);
        this.seed = seed;
    }

    /** The behaviour of the client of stream {@code index}. */
    public Behaviour of(long index) {
        if (shares.isEmpty()) {
            return Behaviour.PLAIN;
        }
        double at = new SplittableRandom(seed + index).nextDouble();
        for (var share : shares) {
            at -= share.fraction;
            if (at < 0) {
                return share.behaviour;
            }
        }
        return Behaviour.PLAIN;
    }
}
