package io.millrace.server.http;

import io.netty.buffer.ByteBuf;

/** Finds the heads of HTTP/2 frames in bytes that may come in any pieces. Reads no payload. Confined to one thread. */
final class FrameHeads {
    private static final int BYTES = 9;
    /** The bits of a stream's number. A receiver must ignore the bit before them. */
    private static final int STREAM = 0x7fffffff;

    private final Visitor visitor;
    private final byte[] part = new byte[BYTES];
    private int partBytes;
    private int skip;

    /** Receives the heads. */
    interface Visitor {
        /**
         * A head of a frame.
         *
         * @param length the bytes of its payload
         * @return false to stop in front of the frame
         */
        boolean onHead(int length, byte type, short flags, int stream);
    }

    /**
     * Begins in front of a frame.
     *
     * @param skip bytes that come before the first frame
     */
    FrameHeads(int skip, Visitor visitor) {
        this.skip = skip;
        this.visitor = visitor;
    }

    /** Whether the payload of the last frame is incomplete. */
    boolean isInPayload() {
        return skip > 0;
    }

    /**
     * Visits the heads in the next bytes, which are not read.
     *
     * @return the index of the frame in front of which the visitor stopped, else the end. A frame whose head came in
     *     pieces cannot be stopped at
     */
    int visit(ByteBuf in) {
        int at = in.readerIndex();
        int end = in.writerIndex();
        while (at < end) {
            int skipped = Math.min(skip, end - at);
            skip -= skipped;
            at += skipped;
            if (at == end) {
                break;
            }
            if (partBytes == 0 && end - at >= BYTES) {
                int length = in.getUnsignedMedium(at);
                if (!visitor.onHead(
                        length, in.getByte(at + 3), in.getUnsignedByte(at + 4), in.getInt(at + 5) & STREAM)) {
                    return at;
                }
                skip = length;
                at += BYTES;
            } else {
                at += gather(in, at, end);
            }
        }
        return end;
    }

    private int gather(ByteBuf in, int at, int end) {
        int bytes = Math.min(end - at, BYTES - partBytes);
        in.getBytes(at, part, partBytes, bytes);
        partBytes += bytes;
        if (partBytes == BYTES) {
            partBytes = 0;
            skip = number(0, 3);
            visitor.onHead(skip, part[3], (short) number(4, 5), number(5, BYTES) & STREAM);
        }
        return bytes;
    }

    private int number(int from, int to) {
        int value = 0;
        for (int i = from; i < to; i++) {
            value = value << 8 | (part[i] & 0xff);
        }
        return value;
    }
}
