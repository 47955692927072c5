package io.millrace.server.address;

import io.netty.buffer.ByteBuf;
import io.netty.util.AsciiString;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/**
 * The head in which a load balancer names the client, before the connection's own bytes (PROXY protocol, versions 1
 * and 2, {@code proxy-protocol.txt} of HAProxy). It is read strictly.
 *
 * @param length its bytes
 * @param source the client's address; null if the head names none, so that the peer is the client
 */
record ProxyHead(int length, @Nullable InetAddress source) {
    /** The length of version 2, with all its extensions. */
    static final int MAX_BYTES = 2048;

    private static final AsciiString V1 = AsciiString.cached("PROXY ");
    private static final AsciiString V2 = AsciiString.cached("\r\n\r\n\0\r\nQUIT\n");
    private static final int V1_MAX_BYTES = 107;
    private static final int V2_FIXED_BYTES = 16;
    private static final int LOCAL = 0x20;
    private static final int PROXY = 0x21;
    private static final int UNSPECIFIED = 0x00;
    private static final int TCP4 = 0x11;
    private static final int TCP6 = 0x21;
    private static final int UNIX = 0x31;
    private static final int TCP4_BYTES = 12;
    private static final int TCP6_BYTES = 36;
    private static final int UNIX_BYTES = 216;

    /** The bytes are not such a head. */
    static final class Malformed extends Exception {
        private static final long serialVersionUID = 1;

        private Malformed(String message) {
            super(message, null, false, false);
        }
    }

    /**
     * The head at the beginning of {@code in}. Neither of its indices changes.
     *
     * @return null if all that is there may be the beginning of one
     * @throws Malformed if no bytes that follow can make it one
     */
    static @Nullable ProxyHead read(ByteBuf in) throws Malformed {
        if (startsAs(in, V1)) {
            return in.readableBytes() < V1.length() ? null : readV1(in);
        }
        if (startsAs(in, V2)) {
            return in.readableBytes() < V2_FIXED_BYTES ? checkedV2(in) : readV2(in);
        }
        throw new Malformed("the connection does not begin with a PROXY head");
    }

    private static boolean startsAs(ByteBuf in, AsciiString signature) {
        int start = in.readerIndex();
        int length = Math.min(in.readableBytes(), signature.length());
        for (int i = 0; i < length; i++) {
            if (in.getByte(start + i) != signature.byteAt(i)) {
                return false;
            }
        }
        return true;
    }

    private static @Nullable ProxyHead readV1(ByteBuf in) throws Malformed {
        int start = in.readerIndex();
        int present = Math.min(in.readableBytes(), V1_MAX_BYTES);
        int lineFeed = in.indexOf(start, start + present, (byte) '\n');
        if (lineFeed < 0) {
            if (present == V1_MAX_BYTES) {
                throw new Malformed("the PROXY head is over " + V1_MAX_BYTES + " bytes");
            }
            return null;
        }
        int length = lineFeed + 1 - start;
        if (in.getByte(lineFeed - 1) != '\r') {
            throw new Malformed("the PROXY head does not end in CR LF");
        }
        String line = in.toString(start + V1.length(), length - V1.length() - 2, StandardCharsets.ISO_8859_1);
        String[] parts = line.split(" ", -1);
        if (parts[0].equals("UNKNOWN")) {
            return new ProxyHead(length, null);
        }
        boolean v6 = parts[0].equals("TCP6");
        boolean whole = parts.length == 5
                && (v6 || parts[0].equals("TCP4"))
                && isAddress(parts[2], v6)
                && isPort(parts[3])
                && isPort(parts[4]);
        InetAddress source = whole && isAddress(parts[1], v6) ? AddressText.parse(parts[1]) : null;
        if (source == null) {
            throw new Malformed("the PROXY head names no addresses and ports of TCP");
        }
        return new ProxyHead(length, source);
    }

    private static boolean isAddress(String text, boolean v6) {
        return AddressText.isV6(text) == v6 && AddressText.parse(text) != null;
    }

    private static boolean isPort(String text) {
        boolean plain = text.length() == 1 || (text.length() > 1 && text.length() <= 5 && text.charAt(0) != '0');
        for (int i = 0; i < text.length(); i++) {
            plain &= text.charAt(i) >= '0' && text.charAt(i) <= '9';
        }
        return plain && Integer.parseInt(text) <= 65_535;
    }

    /** The available bytes of the fixed part of version 2. */
    private static @Nullable ProxyHead checkedV2(ByteBuf in) throws Malformed {
        int start = in.readerIndex();
        int present = in.readableBytes();
        if (present > V2.length()) {
            int command = in.getUnsignedByte(start + V2.length());
            if (command != LOCAL && command != PROXY) {
                throw new Malformed("the PROXY head has an unknown version or command");
            }
            if (present > V2.length() + 1 && command == PROXY) {
                addressBytes(in.getUnsignedByte(start + V2.length() + 1));
            }
        }
        return null;
    }

    private static @Nullable ProxyHead readV2(ByteBuf in) throws Malformed {
        checkedV2(in);
        int start = in.readerIndex();
        boolean local = in.getUnsignedByte(start + V2.length()) == LOCAL;
        int family = in.getUnsignedByte(start + V2.length() + 1);
        int rest = in.getUnsignedShort(start + V2.length() + 2);
        int length = V2_FIXED_BYTES + rest;
        if (length > MAX_BYTES) {
            throw new Malformed("the PROXY head is over " + MAX_BYTES + " bytes");
        }
        if (!local && rest < addressBytes(family)) {
            throw new Malformed("the PROXY head is too short for its addresses");
        }
        if (in.readableBytes() < length) {
            return null;
        }
        if (local || (family != TCP4 && family != TCP6)) {
            return new ProxyHead(length, null);
        }
        var bytes = new byte[family == TCP4 ? 4 : 16];
        in.getBytes(start + V2_FIXED_BYTES, bytes);
        return new ProxyHead(length, AddressText.address(bytes));
    }

    /** The length of the addresses of a family. The bytes after them, such as TLVs, are not read. */
    private static int addressBytes(int family) throws Malformed {
        return switch (family) {
            case UNSPECIFIED -> 0;
            case TCP4 -> TCP4_BYTES;
            case TCP6 -> TCP6_BYTES;
            case UNIX -> UNIX_BYTES;
            default -> throw new Malformed("the PROXY head is of no stream");
        };
    }
}
