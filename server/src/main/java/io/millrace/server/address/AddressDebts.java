package io.millrace.server.address;

import java.net.InetAddress;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Debts of addresses, which time pays. A debt is the time that it takes to be paid. IPv6 counts by its first 64 bits,
 * like {@link AddressCounts}.
 *
 * <p>The table has a fixed size. Each address has one cell in each of two rows, and its debt is the lesser of the two.
 * So two addresses share a debt only if they share both cells, which are chosen at random for each process. For any
 * thread.
 */
public final class AddressDebts {
    /** The key of a client without an address, which has no debts. */
    public static final long NONE = 0;

    /** An address with more than this is over. It never has more than twice as much, so that it recovers soon. */
    public static final long MOST_NS = TimeUnit.SECONDS.toNanos(4);

    private static final int CELL_BITS = 12;
    private static final int CELLS = 1 << CELL_BITS;
    private static final long MIX = 0x9E3779B97F4A7C15L;

    private final LongSupplier clock;
    private final long startNs;
    private final long seed = ThreadLocalRandom.current().nextLong();
    /** The time, since the start, at which the debts of a cell are paid; both rows. */
    private final AtomicLongArray paidAtNs = new AtomicLongArray(2 * CELLS);

    /** No debts. */
    public AddressDebts(LongSupplier clock) {
        this.clock = clock;
        startNs = clock.getAsLong();
    }

    /** The key of {@code address}; {@link #NONE} for a client of a unix socket, which has none. */
    public static long key(@Nullable InetAddress address) {
        if (address == null) {
            return NONE;
        }
        byte[] bytes = address.getAddress();
        long high = Cidr.high(bytes);
        if (bytes.length == Integer.BYTES) {
            return high >>> Integer.SIZE;
        }
        return high != 0 ? high : Cidr.low(bytes);
    }

    /**
     * Adds to the debts of {@code key}, or pays some if {@code ns} is negative. An address that owes nothing does not
     * pay for those with which it shares one cell.
     */
    public void add(long key, long ns) {
        if (key == NONE) {
            return;
        }
        long nowNs = nowNs();
        int first = first(key);
        int second = second(key);
        boolean owes = paidAtNs.get(first) > nowNs && paidAtNs.get(second) > nowNs;
        if (owes || ns > 0) {
            add(first, ns, nowNs);
            add(second, ns, nowNs);
        }
    }

    /** Whether {@code key} has more debts than it may have. */
    public boolean isOver(long key) {
        if (key == NONE) {
            return false;
        }
        long most = nowNs() + MOST_NS;
        return paidAtNs.get(first(key)) > most && paidAtNs.get(second(key)) > most;
    }

    private void add(int cell, long ns, long nowNs) {
        paidAtNs.getAndUpdate(cell, paidAt -> {
            long owedNs = Math.max(0, paidAt - nowNs) + ns;
            return nowNs + Math.min(Math.max(0, owedNs), 2 * MOST_NS);
        });
    }

    private long nowNs() {
        return clock.getAsLong() - startNs;
    }

    private int first(long key) {
        return (int) (mix(key ^ seed) >>> (Long.SIZE - CELL_BITS));
    }

    private int second(long key) {
        return CELLS + (int) (mix(mix(key ^ seed) + MIX) >>> (Long.SIZE - CELL_BITS));
    }

    private static long mix(long value) {
        long mixed = (value ^ (value >>> 32)) * MIX;
        return (mixed ^ (mixed >>> 29)) * MIX;
    }
}
