package io.millrace.bench.stream;

import io.netty.buffer.ByteBuf;
import java.nio.charset.StandardCharsets;
import java.util.zip.CRC32C;

/**
 * Compares the bytes of a stream with the mock's digest of them. The digest is the CRC-32C of all frames that do not
 * begin with a comment. The mock sends it in a comment near the end of the body. Comments are left out because relays
 * add comments.
 */
final class Digest {
    private static final byte[] MARK = ": digest=".getBytes(StandardCharsets.US_ASCII);
    private static final int DIGITS = 8;

    private final CRC32C sum = new CRC32C();
    private boolean expected;
    private boolean seen;
    private boolean differs;

    void reset() {
        expected = false;
        seen = false;
        differs = false;
        sum.reset();
    }

    void expect() {
        expected = true;
    }

    boolean isExpected() {
        return expected;
    }

    /** Whether the digest has arrived and differs. */
    boolean differs() {
        return differs;
    }

    /** Whether the digest was promised and has not arrived. Then the end of the body is missing. */
    boolean isMissing() {
        return expected && !seen;
    }

    /** Adds the bytes of a frame that is no comment. */
    void add(ByteBuf buf, int start, int end) {
        if (expected && !seen) {
            sum.update(buf.nioBuffer(start, end - start));
        }
    }

    /** Reads a frame that begins with a comment. It may be the digest of all frames before it. */
    void compare(ByteBuf buf, int start, int end) {
        if (seen || end - start < MARK.length + DIGITS) {
            return;
        }
        for (int i = 0; i < MARK.length; i++) {
            if (buf.getByte(start + i) != MARK[i]) {
                return;
            }
        }
        long told = 0;
        for (int at = start + MARK.length, stop = at + DIGITS; at < stop; at++) {
            told = told << 4 | Character.digit(buf.getByte(at), 16);
        }
        seen = true;
        differs = told != sum.getValue();
    }
}
