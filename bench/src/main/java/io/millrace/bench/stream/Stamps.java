package io.millrace.bench.stream;

import io.millrace.server.mock.Stamp;
import io.netty.buffer.ByteBuf;

/**
 * Reads the mock's stamps ({@code @INDEX@TIME@}) from the frames of one stream. A stream is stamped if its first output
 * with such a mark has the stamp of token 0. Then every stamp must have the next number.
 */
final class Stamps {
    private enum State {
        UNKNOWN,
        ABSENT,
        PRESENT
    }

    private State state = State.UNKNOWN;
    private int next;
    private boolean outOfOrder;
    private long lastNs;

    void reset() {
        state = State.UNKNOWN;
        next = 0;
        outOfOrder = false;
    }

    /** Whether the stream has stamps. */
    boolean present() {
        return state == State.PRESENT;
    }

    /** Whether a stamp was missing, repeated or damaged. */
    boolean outOfOrder() {
        return outOfOrder;
    }

    /** The time at which the last token of the frame was made; 0 if the frame has no stamp. */
    long read(ByteBuf buf, int start, int end) {
        if (state == State.ABSENT) {
            return 0;
        }
        lastNs = 0;
        int at = buf.indexOf(start, end, (byte) Stamp.MARK);
        while (at >= 0) {
            int after = readStamp(buf, at + 1, end);
            if (after < 0) {
                if (state == State.UNKNOWN) {
                    state = State.ABSENT;
                    return 0;
                }
                outOfOrder = true;
                after = at + 1;
            }
            at = after >= end ? -1 : buf.indexOf(after, end, (byte) Stamp.MARK);
        }
        return lastNs;
    }

    // @ <here> index @ time @
    private int readStamp(ByteBuf buf, int start, int end) {
        int at = start;
        long index = 0;
        while (at < end && isDigit(buf.getByte(at)) && at - start < 10) {
            index = index * 10 + buf.getByte(at++) - '0';
        }
        int time = at + 1;
        int after = time + Stamp.DIGITS;
        if (at == start || after >= end || buf.getByte(at) != Stamp.MARK || buf.getByte(after) != Stamp.MARK) {
            return -1;
        }
        long madeNs = 0;
        for (at = time; at < after; at++) {
            if (!isDigit(buf.getByte(at))) {
                return -1;
            }
            madeNs = madeNs * 10 + buf.getByte(at) - '0';
        }
        if (state == State.UNKNOWN && index != 0) {
            return -1;
        }
        state = State.PRESENT;
        outOfOrder |= index != next;
        next = (int) index + 1;
        lastNs = madeNs;
        return after + 1;
    }

    private static boolean isDigit(byte octet) {
        return octet >= '0' && octet <= '9';
    }
}
