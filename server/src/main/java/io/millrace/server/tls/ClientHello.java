package io.millrace.server.tls;

import io.netty.buffer.ByteBuf;
import java.nio.charset.StandardCharsets;
import java.util.Collection;

/** Reads of a ClientHello (RFC 8446 section 4.1.2) what the client can speak inside of TLS (RFC 7301 section 3.1). */
final class ClientHello {
    private static final int VERSION_AND_RANDOM = 34;
    private static final int ALPN = 16;

    private ClientHello() {}

    /**
     * Whether a client names protocols, and none of {@code spoken}. A hello that is malformed is left to whoever reads all
     * of it.
     *
     * @param hello the message behind its four bytes of type and length; not consumed
     */
    static boolean offersOnlyOthers(ByteBuf hello, Collection<String> spoken) {
        int end = hello.writerIndex();
        int at = extensions(hello);
        while (at >= 0 && at + 4 <= end) {
            int type = hello.getUnsignedShort(at);
            int next = at + 4 + hello.getUnsignedShort(at + 2);
            if (next > end) {
                return false;
            }
            if (type == ALPN) {
                return namesOthers(hello, at + 4, next, spoken);
            }
            at = next;
        }
        return false;
    }

    /** Where the first extension is; negative if there is none. */
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

    private static boolean namesOthers(ByteBuf hello, int start, int end, Collection<String> spoken) {
        int at = start + 2;
        while (at < end) {
            int length = hello.getUnsignedByte(at);
            if (at + 1 + length > end) {
                return false;
            }
            if (spoken.contains(hello.toString(at + 1, length, StandardCharsets.US_ASCII))) {
                return false;
            }
            at += 1 + length;
        }
        return true;
    }
}
