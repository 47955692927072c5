package io.millrace.server.mock;

import io.netty.buffer.ByteBuf;
import java.nio.charset.StandardCharsets;

/** Helpers that append text to a frame. */
final class Frames {
    private Frames() {}

    static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    /** Appends a number of 0 or more in decimal digits. */
    static ByteBuf put(ByteBuf out, int number) {
        if (number >= 10) {
            put(out, number / 10);
        }
        return out.writeByte('0' + number % 10);
    }
}
