package io.millrace.server.mock;

import static io.millrace.server.mock.Frames.put;

import io.netty.buffer.ByteBuf;

/**
 * What a text token begins with under {@code stamp=1}: {@code @INDEX@TIME@}, the token's number from 0 and the mock's
 * {@link System#nanoTime()} when it was made. The time always has {@value #DIGITS} digits, so that a body that is made
 * twice has one length.
 */
public final class Stamp {
    /** Stands before the index, between it and the time, and after that; nothing else in the mock's text has it. */
    public static final char MARK = '@';

    /** The digits of the time, zeros at the front: those of {@link Long#MAX_VALUE}. */
    public static final int DIGITS = 19;

    /** The longest there is. */
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
