package io.millrace.server.address;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;

/** Bytes of PROXY heads. */
final class ProxyHeads {
    static final String SIGNATURE = "\r\n\r\n\0\r\nQUIT\n";

    private ProxyHeads() {}

    /** Of version 2: a command, a family and what follows. */
    static byte[] v2(int command, int family, byte[]... rest) {
        int length = 0;
        for (byte[] each : rest) {
            length += each.length;
        }
        return v2OfLength(command, family, length, rest);
    }

    static byte[] v2OfLength(int command, int family, int length, byte[]... rest) {
        var bytes = new ByteArrayOutputStream();
        bytes.writeBytes(SIGNATURE.getBytes(StandardCharsets.ISO_8859_1));
        bytes.write(command);
        bytes.write(family);
        bytes.write(length >> 8);
        bytes.write(length);
        for (byte[] each : rest) {
            bytes.writeBytes(each);
        }
        return bytes.toByteArray();
    }

    static byte[] bytes(int... values) {
        var bytes = new byte[values.length];
        for (int i = 0; i < values.length; i++) {
            bytes[i] = (byte) values[i];
        }
        return bytes;
    }

    static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.ISO_8859_1);
    }

    static ByteBuf buffer(byte[] bytes) {
        return Unpooled.wrappedBuffer(bytes);
    }
}
