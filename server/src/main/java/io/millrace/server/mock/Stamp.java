package io.millrace.server.mock;

import static io.millrace.server.mock.Frames.put;

import io.netty.buffer.ByteBuf;

/**
 * The beginning of a text token with {@code stamp=1}: {@code @INDEX@TIME@}, the token's number from 0 and the mock's
 * {@link System#nanoTime()} when it was made. The time always has {@value #DIGITS} digits, so that a body that is made
 * twice has the same length.
 */
public final class Stamp {
    /** Comes before the index, between index and time, and after the time. No other text of the mock has it. */
    public static final char MARK = '@';

    /** The digits of the time, with leading zeros. {@link Long#MAX_VALUE} has as many. */
    public static final int DIGITS = 19;

    /** The longest stamp. */
    static final int MAX_LENGTH = 3 + 10 + DIGITS;

    private Stamp() {}

    static void write(int index, ByteBuf out) {
        put(out.writeByte(MARK), index).writeByte(MARK);
        long time = System.nanoTime() & Long.MAX_VALUE;
        int start = out.ensureWritable(DIGITS).writerIndex();
        for (int at = start + DIGITS - 1; at >= start; at--) {
            out.setByte(at, '0' + (int) (time % 10));
            time /= 10;
        }
        out.writerIndex(start + DIGITS).writeByte(MARK);
    }
}
