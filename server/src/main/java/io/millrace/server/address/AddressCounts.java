package io.millrace.server.address;

import java.net.InetAddress;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/**
 * Counts something for each public address, such as its connections. IPv6 is counted by its first 64 bits, because one
 * customer has all addresses of such a network. An address without a count is forgotten. For any thread.
 */
public final class AddressCounts {
    /** Networks that are not public. One address there may be a proxy for many clients. */
    private static final AddressSet NOT_PUBLIC = AddressSet.of(
            "0.0.0.0/8",
            "10.0.0.0/8",
            "100.64.0.0/10",
            "127.0.0.0/8",
            "169.254.0.0/16",
            "172.16.0.0/12",
            "192.168.0.0/16",
            "::/8",
            "fc00::/7",
            "fe80::/10");

    private final ConcurrentHashMap<Long, Integer> counts = new ConcurrentHashMap<>();

    /** One counted item of an address, until it is given back. */
    public static final class Place {
        private static final Place UNCOUNTED = new Place(null, 0);

        private final @Nullable AddressCounts counts;
        private final long key;
        private final AtomicBoolean given = new AtomicBoolean();

        private Place(@Nullable AddressCounts counts, long key) {
            this.counts = counts;
            this.key = key;
        }

        /** Whether it has to be given back. */
        public boolean isCounted() {
            return counts != null;
        }

        /** Gives it back. May be called more than once. */
        public void giveBack() {
            if (counts != null && given.compareAndSet(false, true)) {
                counts.less(key);
            }
        }
    }

    /**
     * Takes one more for {@code address}.
     *
     * @param exempt addresses beside those of private networks that are not counted, such as proxies
     * @param most how many it may have; 0 is no limit
     * @return null if it has as many as it may have
     */
    public @Nullable Place take(@Nullable InetAddress address, AddressSet exempt, int most) {
        if (most == 0 || address == null) {
            return Place.UNCOUNTED;
        }
        byte[] bytes = address.getAddress();
        long high = Cidr.high(bytes);
        long low = Cidr.low(bytes);
        int bits = bytes.length * Byte.SIZE;
        if (NOT_PUBLIC.contains(high, low, bits) || exempt.contains(high, low, bits)) {
            return Place.UNCOUNTED;
        }
        // The upper half of a public IPv6 address is never 0, so it never equals an IPv4 key.
        Long key = bytes.length == Integer.BYTES ? high >>> Integer.SIZE : high;
        if (counts.merge(key, 1, Integer::sum) > most) {
            less(key);
            return null;
        }
        return new Place(this, key);
    }

    /** How many addresses have a count. */
    int size() {
        return counts.size();
    }

    private void less(Long key) {
        counts.computeIfPresent(key, (same, count) -> count == 1 ? null : count - 1);
    }
}
