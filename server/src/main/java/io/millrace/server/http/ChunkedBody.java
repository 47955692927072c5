package io.millrace.server.http;

import io.netty.buffer.ByteBuf;
import io.netty.handler.codec.CorruptedFrameException;
import io.netty.handler.codec.TooLongFrameException;

/**
 * Takes the chunked transfer coding (RFC 9112 section 7.1) apart without copying: it moves a buffer's reader index over
 * framing and says how many bytes of body follow.
 *
 * <p>The caller's loop, which must consume exactly the bytes it is told of:
 *
 * <pre>{@code
 * int length;
 * while ((length = body.nextData(in)) > 0) {
 *     consume(in, length); // moves the reader index by length
 * }
 * boolean ended = length == ChunkedBody.END;
 * }</pre>
 *
 * <p>Strict: sizes are 1 to 16 hexadecimal digits, lines end in CRLF, extensions and trailers are bounded and dropped.
 */
public final class ChunkedBody {
    /** The last chunk and its trailers have been read; bytes left in the buffer belong to the next message. */
    public static final int END = -1;

    /** The CRLF behind a chunk's data. */
    public static final int CHUNK_END = 2;

    private static final int MAX_SIZE_DIGITS = 16;
    private static final int MAX_PLAIN_DIGITS = 6;
    private static final short CRLF = '\r' << 8 | '\n';
    private static final byte[] HEX = new byte[128];

    static {
        for (int octet = 0; octet < HEX.length; octet++) {
            HEX[octet] = (byte) Character.digit(octet, 16);
        }
    }

    private static final int MAX_TRAILER_BYTES = 8 * 1024;
    private static final int CHUNKS_BEFORE_MEAN_COUNTS = 32;

    private final int maxExtensionBytes;
    private final int maxExtensionBytesInAll;
    private final int minMeanChunkBytes;

    private State state = State.SIZE;
    private int digits;
    private long remaining;
    private int extensionBytes;
    private int extensionBytesInAll;
    private int trailerBytes;
    private boolean trailerLineEmpty;
    private long chunks;
    private long bodyBytes;

    private enum State {
        SIZE,
        EXTENSION,
        SIZE_LF,
        DATA,
        DATA_CR,
        DATA_LF,
        TRAILER,
        TRAILER_LF,
        END
    }

    private ChunkedBody(int maxExtensionBytes, int maxExtensionBytesInAll, int minMeanChunkBytes) {
        this.maxExtensionBytes = maxExtensionBytes;
        this.maxExtensionBytesInAll = maxExtensionBytesInAll;
        this.minMeanChunkBytes = minMeanChunkBytes;
    }

    /** For a client's request: extensions of 64 bytes a chunk and 1 KiB in all, and no flood of tiny chunks. */
    public static ChunkedBody ofRequest() {
        return new ChunkedBody(64, 1024, 64);
    }

    /** For an upstream's response: one token a chunk is normal, so chunks may be as small as they like. */
    public static ChunkedBody ofResponse() {
        return new ChunkedBody(4096, Integer.MAX_VALUE, 0);
    }

    /** Whether the last chunk and its trailers have been read. */
    public boolean ended() {
        return state == State.END;
    }

    /**
     * Moves over framing.
     *
     * @return the number of body bytes at the reader index, all of which the caller must consume now; 0 if more input is
     *     needed; {@link #END} after the last chunk
     * @throws CorruptedFrameException if the framing breaks the grammar
     * @throws TooLongFrameException if an extension or the trailers are over their bound
     */
    public int nextData(ByteBuf in) {
        while (state != State.END) {
            if (state == State.DATA) {
                int length = (int) Math.min(remaining, in.readableBytes());
                remaining -= length;
                if (remaining == 0) {
                    state = State.DATA_CR;
                }
                if (length > 0) {
                    bodyBytes += length;
                    return length;
                }
            }
            if (!in.isReadable()) {
                return 0;
            }
            byte octet = in.readByte();
            switch (state) {
                case SIZE -> readSize(octet);
                case EXTENSION -> readExtension(octet);
                case SIZE_LF -> readSizeLf(octet);
                case DATA_CR -> expect(octet, '\r', State.DATA_LF);
                case DATA_LF -> expect(octet, '\n', State.SIZE);
                case TRAILER -> readTrailer(octet);
                case TRAILER_LF -> readTrailerLf(octet);
                default -> throw new IllegalStateException(state.name());
            }
        }
        return END;
    }

    /**
     * Moves over as much as is here of the CRLF behind a chunk's data, so that {@link #nextWholeChunk} may have the next
     * chunk. Anything else there is left to {@link #nextData}.
     */
    public void endChunk(ByteBuf in) {
        if (state == State.DATA_CR && in.isReadable() && in.getByte(in.readerIndex()) == '\r') {
            in.skipBytes(1);
            state = State.DATA_LF;
        }
        if (state == State.DATA_LF && in.isReadable() && in.getByte(in.readerIndex()) == '\n') {
            in.skipBytes(1);
            state = State.SIZE;
        }
    }

    /**
     * Moves over the head of a chunk that is here as a whole, from its size to the CRLF behind its data, and has no
     * extension. What it does not like it leaves to {@link #nextData}, untouched.
     *
     * @return the number of body bytes at the reader index, all of which the caller must consume now, and {@link
     *     #CHUNK_END} bytes behind them; 0 if there is no such chunk at the reader index
     */
    public int nextWholeChunk(ByteBuf in) {
        if (state != State.SIZE || digits != 0) {
            return 0;
        }
        int at = in.readerIndex();
        int end = in.writerIndex();
        int last = Math.min(end, at + MAX_PLAIN_DIGITS + 1);
        int length = 0;
        int digit = -1;
        byte octet = 0;
        for (; at < last; at++) {
            octet = in.getByte(at);
            digit = octet < 0 ? -1 : HEX[octet];
            if (digit < 0) {
                break;
            }
            length = length << 4 | digit;
        }
        int data = at + 2;
        if (digit >= 0 || octet != '\r' || length == 0 || end - data < length + CHUNK_END) {
            return 0;
        }
        int behind = data + length;
        if (in.getByte(at + 1) != '\n' || in.getShort(behind) != CRLF) {
            return 0;
        }
        countChunk();
        bodyBytes += length;
        in.readerIndex(data);
        return length;
    }

    // <here> size [ext] CRLF
    private void readSize(byte octet) {
        int digit = octet < 0 ? -1 : HEX[octet];
        if (digit >= 0) {
            if (++digits > MAX_SIZE_DIGITS || remaining >>> 56 != 0) {
                throw new CorruptedFrameException("chunk size: more than " + MAX_SIZE_DIGITS + " digits or 2^60");
            }
            remaining = remaining << 4 | digit;
            return;
        }
        if (digits == 0) {
            throw new CorruptedFrameException("chunk size: " + printable(octet) + " (expected: a hexadecimal digit)");
        }
        switch (octet) {
            case '\r' -> state = State.SIZE_LF;
            case ';' -> {
                state = State.EXTENSION;
                extensionBytes = 0;
            }
            default ->
                throw new CorruptedFrameException("chunk size: followed by " + printable(octet) + " (expected: CRLF)");
        }
    }

    // size <here> ext CRLF
    private void readExtension(byte octet) {
        if (octet == '\r') {
            state = State.SIZE_LF;
            return;
        }
        if (octet == '\n' || octet == 0) {
            throw new CorruptedFrameException("chunk extension: contains " + printable(octet));
        }
        if (++extensionBytes > maxExtensionBytes || ++extensionBytesInAll > maxExtensionBytesInAll) {
            throw new TooLongFrameException("chunk extension: over " + maxExtensionBytes + " bytes, or over "
                    + maxExtensionBytesInAll + " in one body");
        }
    }

    private void readSizeLf(byte octet) {
        boolean last = remaining == 0;
        expect(octet, '\n', last ? State.TRAILER : State.DATA);
        digits = 0;
        trailerLineEmpty = true;
        if (!last) {
            countChunk();
        }
    }

    private void countChunk() {
        if (++chunks > CHUNKS_BEFORE_MEAN_COUNTS && bodyBytes < (chunks - 1) * minMeanChunkBytes) {
            throw new TooLongFrameException("chunks: " + chunks + " for " + bodyBytes + " bytes (expected: at least "
                    + minMeanChunkBytes + " bytes a chunk)");
        }
    }

    // 0 CRLF <here> *( field CRLF ) CRLF
    private void readTrailer(byte octet) {
        if (octet == '\r') {
            state = State.TRAILER_LF;
            return;
        }
        trailerLineEmpty = false;
        if (octet == '\n' || ++trailerBytes > MAX_TRAILER_BYTES) {
            throw new CorruptedFrameException("trailer: a bare LF, or over " + MAX_TRAILER_BYTES + " bytes");
        }
    }

    private void readTrailerLf(byte octet) {
        expect(octet, '\n', trailerLineEmpty ? State.END : State.TRAILER);
        trailerLineEmpty = true;
    }

    private void expect(byte octet, char expected, State next) {
        if (octet != expected) {
            throw new CorruptedFrameException(
                    "chunk framing: " + printable(octet) + " (expected: " + (expected == '\r' ? "CR" : "LF") + ")");
        }
        state = next;
    }

    private static String printable(byte octet) {
        return octet > 0x20 && octet < 0x7f ? "'" + (char) octet + "'" : String.format("0x%02x", octet & 0xff);
    }
}
