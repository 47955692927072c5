package io.millrace.codec.sse;

import io.netty.buffer.ByteBuf;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** Finds the next CR or LF, eight bytes at a step. */
final class LineEnds {
    static final byte LF = '\n';
    static final byte CR = '\r';

    private static final VarHandle LONG_LE =
            MethodHandles.byteBufferViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);
    private static final long SMALL = 0x0E0E0E0E0E0E0E0EL;
    private static final long HIGH_BITS = 0x8080808080808080L;

    private LineEnds() {}

    /** Index of the first CR or LF in {@code [from, to)}, or {@code to} if there is none. */
    static int find(ByteBuffer bytes, int from, int to) {
        int at = from;
        for (int lastWord = to - Long.BYTES; at <= lastWord; at += Long.BYTES) {
            long word = (long) LONG_LE.get(bytes, at);
            long candidates = candidates(word);
            if (candidates != 0) {
                int offset = firstLineEnd(word, candidates);
                if (offset < Long.BYTES) {
                    return at + offset;
                }
            }
        }
        while (at < to && !isLineEnd(bytes.get(at))) {
            at++;
        }
        return at;
    }

    /** The same for a buffer that is no single memory region. */
    static int find(ByteBuf bytes, int from, int to) {
        int at = from;
        for (int lastWord = to - Long.BYTES; at <= lastWord; at += Long.BYTES) {
            long word = bytes.getLongLE(at);
            long candidates = candidates(word);
            if (candidates != 0) {
                int offset = firstLineEnd(word, candidates);
                if (offset < Long.BYTES) {
                    return at + offset;
                }
            }
        }
        while (at < to && !isLineEnd(bytes.getByte(at))) {
            at++;
        }
        return at;
    }

    static boolean isLineEnd(byte value) {
        return value == LF || value == CR;
    }

    /**
     * High bits of the bytes that may be below 0x0E, which both line ends are. The lowest bit is exact; those above it may
     * come from its borrow.
     */
    private static long candidates(long word) {
        return (word - SMALL) & ~word & HIGH_BITS;
    }

    /** Offset of the first candidate that is a line end (others are tabs, NULs and their like), or 8. */
    private static int firstLineEnd(long word, long candidates) {
        for (long left = candidates; left != 0; left &= left - 1) {
            int offset = Long.numberOfTrailingZeros(left) >>> 3;
            if (isLineEnd((byte) (word >>> (offset << 3)))) {
                return offset;
            }
        }
        return Long.BYTES;
    }
}
