package io.millrace.codec.sse;

import io.netty.buffer.ByteBuf;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.jspecify.annotations.Nullable;

/**
 * Finds the line ends (LF, CRLF, CR) in one buffer or array, eight bytes at a step.
 *
 * <p>A buffer that is one memory region is read through an NIO view. This is three to four times as fast as
 * {@code ByteBuf.getLongLE} once the JVM has seen several classes of buffers. Before that, both have the same speed.
 */
final class LineEnds {
    static final byte LF = '\n';
    static final byte CR = '\r';

    private static final VarHandle LONG_LE =
            MethodHandles.byteBufferViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);
    private static final VarHandle INT_LE = MethodHandles.byteBufferViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);
    private static final int LF_LF = 0x0A0A;
    private static final int CRLF_CRLF = 0x0A0D0A0D;
    private static final long ABOVE_CR = 0x0E0E0E0E0E0E0E0EL;
    private static final long HIGH_BITS = 0x8080808080808080L;

    private final @Nullable ByteBuf buf;
    private final @Nullable ByteBuffer view;
    private final int viewStart;
    private final int end;
    private final boolean shared;

    private LineEnds(@Nullable ByteBuf buf, @Nullable ByteBuffer view, int end, boolean shared) {
        this.buf = buf;
        this.view = view;
        viewStart = view == null ? 0 : view.position();
        this.end = end;
        this.shared = shared;
    }

    /** Finds line ends before index {@code end} of {@code buf}, which remains with the caller. */
    static LineEnds of(ByteBuf buf, int end) {
        return new LineEnds(buf, buf.nioBufferCount() == 1 ? buf.nioBuffer(0, end) : null, end, false);
    }

    /** Finds line ends before index {@code end} of {@code bytes}. */
    static LineEnds of(byte[] bytes, int end) {
        return new LineEnds(null, ByteBuffer.wrap(bytes), end, false);
    }

    /**
     * Like {@link #of}, without an allocation. It uses the view that the buffer keeps for itself, so it must not be
     * used after another reader has used the buffer. Use {@link #unshared} then.
     */
    static LineEnds shared(ByteBuf buf, int end) {
        return new LineEnds(buf, buf.nioBufferCount() == 1 ? buf.internalNioBuffer(0, end) : null, end, true);
    }

    /** The same line ends, which stay valid when others read the buffer. */
    LineEnds unshared() {
        return shared && buf != null ? of(buf, end) : this;
    }

    /** The index of the first CR or LF from {@code from} on; the end if there is none. */
    int find(int from) {
        int at = from;
        for (int lastWord = end - Long.BYTES; at <= lastWord; at += Long.BYTES) {
            long word = wordAt(at);
            long candidates = candidates(word);
            if (candidates != 0) {
                int offset = firstLineEnd(word, candidates);
                if (offset < Long.BYTES) {
                    return at + offset;
                }
            }
        }
        return at - from >= Long.BYTES ? findInLastWord(at) : findByteByByte(at);
    }

    /** The index after the line end at {@code index}. A CR and the LF after it are one line end. */
    int after(int index) {
        int next = index + 1;
        return next < end && byteAt(index) == CR && byteAt(next) == LF ? next + 1 : next;
    }

    /**
     * The index after the line end at {@code index} and the blank line after it, if these are LF LF or CRLF CRLF and at
     * least four bytes are left. Otherwise -1: there may or may not be a blank line.
     */
    int afterBlankLine(int index) {
        if (view == null || end - index < Integer.BYTES) {
            return -1;
        }
        int four = (int) INT_LE.get(view, viewStart + index);
        if ((four & 0xFFFF) == LF_LF) {
            return index + 2;
        }
        return four == CRLF_CRLF ? index + 4 : -1;
    }

    /** Like {@link #find}, with fewer than eight bytes left and at least eight before them. */
    private int findInLastWord(int from) {
        int left = end - from;
        if (left == 0) {
            return end;
        }
        long word = wordAt(end - Long.BYTES) >>> ((Long.BYTES - left) * Byte.SIZE);
        int offset = firstLineEnd(word, candidates(word));
        return offset < Long.BYTES ? from + offset : end;
    }

    private int findByteByByte(int from) {
        int at = from;
        while (at < end && !isLineEnd(byteAt(at))) {
            at++;
        }
        return at;
    }

    @SuppressWarnings("NullAway") // there is a buffer if there is no view
    private byte byteAt(int index) {
        return view != null ? view.get(viewStart + index) : buf.getByte(index);
    }

    @SuppressWarnings("NullAway") // there is a buffer if there is no view
    private long wordAt(int index) {
        return view != null ? (long) LONG_LE.get(view, viewStart + index) : buf.getLongLE(index);
    }

    private static boolean isLineEnd(byte value) {
        return value == LF || value == CR;
    }

    /**
     * Sets the high bits of bytes that may be below 0x0E, as both line ends are. The lowest bit that is set is exact.
     * Higher ones may be the result of a borrow.
     */
    private static long candidates(long word) {
        return (word - ABOVE_CR) & ~word & HIGH_BITS;
    }

    /**
     * The offset of the first candidate that is a line end, or 8. Other candidates are tabs, NULs and other control
     * characters.
     */
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
