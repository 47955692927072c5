package io.millrace.server.http;

import io.netty.buffer.ByteBuf;
import io.netty.handler.codec.CorruptedFrameException;
import io.netty.handler.codec.TooLongFrameException;

/**
 * Removes the chunked transfer coding (RFC 9112 section 7.1) without copying. It moves a buffer's reader index over
 * the framing and says how many bytes of body follow.
 *
 * <p>The caller's loop must consume exactly as many bytes as it is told:
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
 * White space is allowed between a size and its extension; from an upstream also between a size and the end of its
 * line. The trailers of a request must be header fields.
 */
public final class ChunkedBody {
    /** The last chunk and its trailers have been read; bytes left in the buffer belong to the next message. */
    public static final int END = -1;

    /** The length of the CRLF after a chunk's data. */
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

    private static final boolean[] TOKEN = new boolean[128];

    static {
        for (int octet = '!'; octet < 0x7f; octet++) {
            TOKEN[octet] = "\"(),/:;<=>?@[\\]{}".indexOf(octet) < 0;
        }
    }

    private static final int MAX_TRAILER_BYTES = 8 * 1024;
    /**
     * The mean size of chunks counts only for a client with more chunks than this. A chunk costs some ten nanoseconds.
     */
    private static final int CHUNKS_OF_ANY_SIZE = 256 * 1024;

    private final boolean ofRequest;
    private final int maxExtensionBytes;
    private final int maxExtensionBytesInAll;
    private final int minMeanChunkBytes;

    private State state = State.SIZE;
    private int digits;
    private long remaining;
    private int extensionBytes;
    private int extensionBytesInAll;
    private boolean quoted;
    private boolean escaped;
    private int trailerBytes;
    private TrailerLine trailerLine = TrailerLine.EMPTY;
    private long chunks;
    private long bodyBytes;

    /** The state of a line of the trailer. */
    private enum TrailerLine {
        EMPTY,
        BLANK,
        NAME,
        FIELD
    }

    private enum State {
        SIZE,
        SIZE_BLANK,
        EXTENSION,
        SIZE_LF,
        DATA,
        DATA_CR,
        DATA_LF,
        TRAILER,
        TRAILER_LF,
        BAD,
        END
    }

    private ChunkedBody(boolean ofRequest, int maxExtensionBytes, int maxExtensionBytesInAll, int minMeanChunkBytes) {
        this.ofRequest = ofRequest;
        this.maxExtensionBytes = maxExtensionBytes;
        this.maxExtensionBytesInAll = maxExtensionBytesInAll;
        this.minMeanChunkBytes = minMeanChunkBytes;
    }

    /**
     * Creates a decoder for a client's request: extensions of 64 bytes a chunk and 1 KiB in all; from 256 Ki chunks on
     * at least 64 bytes a chunk on average.
     */
    public static ChunkedBody ofRequest() {
        return new ChunkedBody(true, 64, 1024, 64);
    }

    /** Creates a decoder for an upstream's response. One token per chunk is normal, so chunks may be small. */
    public static ChunkedBody ofResponse() {
        return new ChunkedBody(false, 4096, Integer.MAX_VALUE, 0);
    }

    /** Whether the last chunk and its trailers have been read. */
    public boolean ended() {
        return state == State.END;
    }

    /**
     * Moves over framing to the next body bytes.
     *
     * @return the number of body bytes at the reader index, all of which the caller must consume now; 0 if more input is
     *     needed; {@link #END} after the last chunk
     * @throws CorruptedFrameException if the framing breaks the grammar
     * @throws TooLongFrameException if an extension or the trailers are over their limit; everything after either is
     *     dropped
     */
    public int nextData(ByteBuf in) {
        try {
            return readToData(in);
        } catch (CorruptedFrameException | TooLongFrameException e) {
            state = State.BAD;
            throw e;
        }
    }

    private int readToData(ByteBuf in) {
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
                case SIZE_BLANK -> readSizeBlank(octet);
                case EXTENSION -> readExtension(octet);
                case SIZE_LF -> readSizeLf(octet);
                case DATA_CR -> expect(octet, '\r', State.DATA_LF);
                case DATA_LF -> expect(octet, '\n', State.SIZE);
                case TRAILER -> readTrailer(octet);
                case TRAILER_LF -> readTrailerLf(octet);
                case BAD -> in.skipBytes(in.readableBytes());
                default -> throw new IllegalStateException(state.name());
            }
        }
        return END;
    }

    /**
     * Moves over the available part of the CRLF after a chunk's data, so that {@link #nextWholeChunk} can read the next
     * chunk. {@link #nextData} reads anything else.
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
     * Moves over the head of a complete chunk without an extension. Complete means: from its size to the CRLF after
     * its data. It leaves everything else to {@link #nextData}.
     *
     * @return the number of body bytes at the reader index, all of which the caller must consume now, and {@link
     *     #CHUNK_END} bytes after them; 0 if there is no such chunk at the reader index
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
            case ';' -> beginExtension();
            case ' ', '\t' -> {
                beginExtension();
                state = State.SIZE_BLANK;
            }
            default ->
                throw new CorruptedFrameException("chunk size: followed by " + printable(octet) + " (expected: CRLF)");
        }
    }

    // size BWS <here> ( ";" ext | CRLF, which only an upstream may have here )
    private void readSizeBlank(byte octet) {
        if (octet == ';') {
            state = State.EXTENSION;
        } else if (octet == '\r' && !ofRequest) {
            state = State.SIZE_LF;
        } else if (octet == ' ' || octet == '\t') {
            countExtension();
        } else {
            throw new CorruptedFrameException(
                    "chunk size: white space and then " + printable(octet) + " (expected: a semicolon)");
        }
    }

    private void beginExtension() {
        state = State.EXTENSION;
        extensionBytes = 0;
        quoted = false;
        escaped = false;
    }

    // size <here> ext CRLF
    private void readExtension(byte octet) {
        if (octet == '\r' && !quoted) {
            state = State.SIZE_LF;
            return;
        }
        if (isControl(octet)) {
            throw new CorruptedFrameException("chunk extension: contains " + printable(octet));
        }
        if (octet == '"' && !escaped) {
            quoted = !quoted;
        }
        escaped = quoted && !escaped && octet == '\\';
        countExtension();
    }

    private void countExtension() {
        if (++extensionBytes > maxExtensionBytes || ++extensionBytesInAll > maxExtensionBytesInAll) {
            throw new TooLongFrameException("chunk extension: over " + maxExtensionBytes + " bytes, or over "
                    + maxExtensionBytesInAll + " in one body");
        }
    }

    private void readSizeLf(byte octet) {
        boolean last = remaining == 0;
        expect(octet, '\n', last ? State.TRAILER : State.DATA);
        digits = 0;
        trailerLine = TrailerLine.EMPTY;
        if (!last) {
            countChunk();
        }
    }

    private void countChunk() {
        if (++chunks > CHUNKS_OF_ANY_SIZE && bodyBytes < (chunks - 1) * minMeanChunkBytes) {
            throw new TooLongFrameException("chunks: " + chunks + " for " + bodyBytes + " bytes (expected: at least "
                    + minMeanChunkBytes + " bytes a chunk)");
        }
    }

    // 0 CRLF <here> *( field CRLF ) CRLF
    private void readTrailer(byte octet) {
        if (octet == '\r') {
            verifyTrailerLine();
            state = State.TRAILER_LF;
            return;
        }
        if (octet == '\n' || ++trailerBytes > MAX_TRAILER_BYTES) {
            throw new CorruptedFrameException("trailer: a bare LF, or over " + MAX_TRAILER_BYTES + " bytes");
        }
        if (ofRequest) {
            verifyTrailer(octet);
        } else if (trailerLine == TrailerLine.EMPTY || trailerLine == TrailerLine.BLANK) {
            trailerLine = octet >= 0 && octet <= ' ' ? TrailerLine.BLANK : TrailerLine.NAME;
        }
    }

    /** Some readers trim a line of white space, and treat it as the end of the body. */
    private void verifyTrailerLine() {
        boolean whole = trailerLine == TrailerLine.EMPTY || trailerLine == TrailerLine.FIELD;
        if (trailerLine == TrailerLine.BLANK || (ofRequest && !whole)) {
            throw new CorruptedFrameException("trailer: a line without a colon (expected: name: value)");
        }
    }

    // <here> token ":" value
    private void verifyTrailer(byte octet) {
        if (trailerLine == TrailerLine.FIELD) {
            if (isControl(octet)) {
                throw new CorruptedFrameException("trailer: contains " + printable(octet));
            }
        } else if (octet == ':' && trailerLine == TrailerLine.NAME) {
            trailerLine = TrailerLine.FIELD;
        } else if (octet < 0 || !TOKEN[octet]) {
            throw new CorruptedFrameException("trailer: " + printable(octet) + " in a name (expected: name: value)");
        } else {
            trailerLine = TrailerLine.NAME;
        }
    }

    private static boolean isControl(byte octet) {
        return (octet >= 0 && octet < ' ' && octet != '\t') || octet == 0x7f;
    }

    private void readTrailerLf(byte octet) {
        expect(octet, '\n', trailerLine == TrailerLine.EMPTY ? State.END : State.TRAILER);
        trailerLine = TrailerLine.EMPTY;
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
