package io.millrace.server.address;

import java.net.InetAddress;
import org.jspecify.annotations.Nullable;

/**
 * A range of addresses that have the same first bits (RFC 4632), or the word {@code unix}, which stands for the
 * clients of unix sockets. Immutable.
 */
final class Cidr {
    private static final String UNIX = "unix";
    private static final int V4_BITS = 32;
    private static final int V6_BITS = 128;

    private final String text;
    /** The first address, left-aligned; IPv4 is in the upper half of {@code high}. */
    private final long high;

    private final long low;
    private final int prefix;
    /** The length of an address in bits: 32 or 128, or 0 for unix. */
    private final int bits;

    private Cidr(String text, long high, long low, int prefix, int bits) {
        this.text = text;
        this.high = high;
        this.low = low;
        this.prefix = prefix;
        this.bits = bits;
    }

    /**
     * Reads {@code 10.0.0.0/8}, {@code 2001:db8::/32}, an address alone, or {@code unix}.
     *
     * @throws IllegalArgumentException if it is none of these, or has bits behind the prefix
     */
    static Cidr parse(String text) {
        if (text.equals(UNIX)) {
            return new Cidr(UNIX, 0, 0, 0, 0);
        }
        int slash = text.indexOf('/');
        String first = slash < 0 ? text : text.substring(0, slash);
        InetAddress address = AddressText.parse(first);
        if (address == null) {
            throw invalid(text);
        }
        byte[] bytes = address.getAddress();
        int bits = bytes.length * Byte.SIZE;
        // An IPv4 address in IPv6 form has 96 bits in front of it.
        int mapped = AddressText.isV6(first) && bits == V4_BITS ? V6_BITS - V4_BITS : 0;
        int prefix = slash < 0 ? bits : prefix(text, slash + 1) - mapped;
        if (prefix < 0 || prefix > bits) {
            throw invalid(text);
        }
        long high = high(bytes);
        long low = low(bytes);
        if ((high & ~highMask(prefix)) != 0 || (low & ~lowMask(prefix)) != 0) {
            throw new IllegalArgumentException(
                    "'" + text + "' has bits behind its prefix (expected: the first address of"
                            + " the range, such as 10.0.0.0/8)");
        }
        return new Cidr(text, high, low, prefix, bits);
    }

    /** Whether the address is in the range; null stands for a client of a unix socket. */
    boolean contains(@Nullable InetAddress address) {
        if (address == null) {
            return bits == 0;
        }
        byte[] bytes = address.getAddress();
        return contains(high(bytes), low(bytes), bytes.length * Byte.SIZE);
    }

    boolean contains(long ofHigh, long ofLow, int ofBits) {
        return ofBits == bits && (ofHigh & highMask(prefix)) == high && (ofLow & lowMask(prefix)) == low;
    }

    /** The first eight bytes; an IPv4 address is followed by zeros. */
    static long high(byte[] bytes) {
        long value = 0;
        for (int i = 0; i < Long.BYTES; i++) {
            value = (value << Byte.SIZE) | (i < bytes.length ? (bytes[i] & 0xff) : 0);
        }
        return value;
    }

    /** The bytes after the first eight; 0 for IPv4. */
    static long low(byte[] bytes) {
        long value = 0;
        for (int i = Long.BYTES; i < bytes.length; i++) {
            value = (value << Byte.SIZE) | (bytes[i] & 0xff);
        }
        return value;
    }

    private static long highMask(int prefix) {
        return prefix == 0 ? 0 : -1L << Math.max(0, Long.SIZE - prefix);
    }

    private static long lowMask(int prefix) {
        return prefix <= Long.SIZE ? 0 : -1L << (V6_BITS - prefix);
    }

    private static int prefix(String text, int start) {
        int length = text.length() - start;
        boolean plain = length == 1 || (length > 1 && length < 4 && text.charAt(start) != '0');
        for (int i = start; i < text.length(); i++) {
            plain &= text.charAt(i) >= '0' && text.charAt(i) <= '9';
        }
        if (!plain) {
            throw invalid(text);
        }
        return Integer.parseInt(text.substring(start));
    }

    private static IllegalArgumentException invalid(String text) {
        return new IllegalArgumentException(
                "'" + text + "' (expected: an address or a range such as 10.0.0.0/8 or 2001:db8::/32, or unix)");
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof Cidr cidr
                && high == cidr.high
                && low == cidr.low
                && prefix == cidr.prefix
                && bits == cidr.bits;
    }

    @Override
    public int hashCode() {
        return Long.hashCode(high * 31 + low) * 31 + prefix * 129 + bits;
    }

    /** As it was written. */
    @Override
    public String toString() {
        return text;
    }
}
