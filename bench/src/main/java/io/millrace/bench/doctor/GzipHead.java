package io.millrace.bench.doctor;

/** Skips the head of a gzip member (RFC 1952, section 2.3). The head may come in any number of pieces. */
final class GzipHead {
    private static final int FIXED = 10;
    private static final int FLAGS = 3;
    private static final int CRC = 2;
    private static final int EXTRA = 4;
    private static final int NAME = 8;
    private static final int COMMENT = 16;

    private int read;
    private int pending;
    private int lengthBytes;
    private int extraLength;
    private int left;

    /**
     * The index after the head in {@code in}, from {@code at} on; {@code in.length} if the head continues in the next
     * piece.
     */
    int skip(byte[] in, int at) {
        int next = at;
        while (next < in.length && !over()) {
            take(in[next++] & 0xff);
        }
        return next;
    }

    private boolean over() {
        return read >= FIXED && pending == 0 && left == 0;
    }

    private void take(int octet) {
        if (read < FIXED) {
            if (read == FLAGS) {
                pending = octet & (EXTRA | NAME | COMMENT | CRC);
            }
            read++;
        } else if (left > 0) {
            left--;
        } else if ((pending & EXTRA) != 0) {
            takeExtraLength(octet);
        } else if ((pending & (NAME | COMMENT)) != 0) {
            // Each field ends with a zero. The name comes first.
            pending ^= octet != 0 ? 0 : (pending & NAME) != 0 ? NAME : COMMENT;
        } else {
            pending = 0;
            left = 1; // the second byte of the checksum
        }
    }

    private void takeExtraLength(int octet) {
        extraLength |= octet << (8 * lengthBytes++);
        if (lengthBytes == 2) {
            left = extraLength;
            pending ^= EXTRA;
        }
    }
}
