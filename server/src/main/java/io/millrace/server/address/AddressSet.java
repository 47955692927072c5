package io.millrace.server.address;

import java.net.InetAddress;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A set of addresses from the configuration. An IPv4 address that is mapped to IPv6 counts as IPv4. An IPv6 range
 * never contains an IPv4 address. Immutable.
 */
public final class AddressSet {
    /** The empty set. */
    public static final AddressSet NONE = new AddressSet(List.of());

    private final List<Cidr> ranges;

    private AddressSet(List<Cidr> ranges) {
        this.ranges = ranges;
    }

    /**
     * The set of the ranges {@code texts}: {@code 10.0.0.0/8}, {@code 2001:db8::/32}, a single address, or {@code
     * unix}, which stands for the clients of unix sockets.
     *
     * @throws IllegalArgumentException if one is none of these, or has bits behind its prefix
     */
    public static AddressSet of(List<String> texts) {
        return new AddressSet(texts.stream().map(Cidr::parse).toList());
    }

    /** Like {@link #of(List)}. */
    public static AddressSet of(String... texts) {
        return of(List.of(texts));
    }

    /** The ranges as they were written. */
    public List<String> texts() {
        return ranges.stream().map(Cidr::toString).toList();
    }

    /** Whether the address is in one of the ranges; null stands for a client of a unix socket. */
    public boolean contains(@Nullable InetAddress address) {
        if (ranges.isEmpty()) {
            return false;
        }
        byte[] bytes = address == null ? new byte[0] : address.getAddress();
        return contains(Cidr.high(bytes), Cidr.low(bytes), bytes.length * Byte.SIZE);
    }

    boolean contains(long high, long low, int bits) {
        for (int i = 0; i < ranges.size(); i++) {
            if (ranges.get(i).contains(high, low, bits)) {
                return true;
            }
        }
        return false;
    }

    /** Whether there is none. */
    public boolean isEmpty() {
        return ranges.isEmpty();
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof AddressSet set && ranges.equals(set.ranges);
    }

    @Override
    public int hashCode() {
        return ranges.hashCode();
    }

    @Override
    public String toString() {
        return ranges.toString();
    }
}
