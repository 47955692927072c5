package io.millrace.server.tls;

import io.millrace.server.config.Listener.Protocol;
import io.netty.buffer.ByteBuf;
import java.nio.charset.StandardCharsets;
import java.util.Collection;

/**
 * Reads from a ClientHello (RFC 8446 section 4.1.2) which protocols the client offers by ALPN (RFC 7301 section 3.1).
 */
final class ClientHello {
    private static final int VERSION_AND_RANDOM = 34;
    private static final int ALPN = 16;

    private ClientHello() {}

    /**
     * Whether a client offers one of {@code protocols}. A client without ALPN speaks HTTP/1.1. A malformed ClientHello
     * is left to the TLS implementation.
     *
     * @param hello the message behind its four bytes of type and length; not consumed
     */
    static boolean speaksOneOf(ByteBuf hello, Collection<String> protocols) {
        int end = hello.writerIndex();
        int at = extensions(hello);
        while (at >= 0 && at + 4 <= end) {
            int type = hello.getUnsignedShort(at);
            int next = at + 4 + hello.getUnsignedShort(at + 2);
            if (next > end) {
                return true;
            }
            if (type == ALPN) {
                return namesOneOf(hello, at + 4, next, protocols);
            }
            at = next;
        }
        return protocols.contains(Protocol.HTTP_1_1.label());
    }

    /** The index of the first extension; negative if there is none. */
    private static int extensions(ByteBuf hello) {
        int end = hello.writerIndex();
        int at = hello.readerIndex() + VERSION_AND_RANDOM;
        if (at + 1 > end) {
            return -1;
        }
        at += 1 + hello.getUnsignedByte(at); // session id
        if (at + 2 > end) {
            return -1;
        }
        at += 2 + hello.getUnsignedShort(at); // cipher suites
        if (at + 1 > end) {
            return -1;
        }
        at += 1 + hello.getUnsignedByte(at); // compression methods
        return at + 2 > end ? -1 : at + 2;
    }

    private static boolean namesOneOf(ByteBuf hello, int start, int end, Collection<String> protocols) {
        int at = start + 2;
        while (at < end) {
            int length = hello.getUnsignedByte(at);
            if (at + 1 + length > end
                    || protocols.contains(hello.toString(at + 1, length, StandardCharsets.US_ASCII))) {
                return true;
            }
            at += 1 + length;
        }
        return false;
    }
}
