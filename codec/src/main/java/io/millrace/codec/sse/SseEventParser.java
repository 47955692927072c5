package io.millrace.codec.sse;

import static java.nio.charset.StandardCharsets.US_ASCII;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.util.concurrent.FastThreadLocal;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Reads events from the bytes of one event stream, by the rules of WHATWG HTML 9.2.6. The bytes may come in pieces of
 * any size.
 *
 * <p>Bytes that are not UTF-8 become U+FFFD. Unknown fields are ignored. {@link #close()} discards an event that is
 * unfinished when the stream ends. A CR ends its line at once.
 *
 * <p>One parser serves one stream, on one thread at a time. It must be closed.
 */
public final class SseEventParser implements AutoCloseable {
    /** The default limit of an event, in bytes: {@value}. */
    public static final int DEFAULT_MAX_EVENT_BYTES = 32 * 1024 * 1024;

    private static final int FIRST_HOLD_BYTES = 256;
    private static final int SCRATCH_BYTES = 64 * 1024;

    /** Receives a copy of bytes that are not in an array. Null while a parser of this thread uses it. */
    private static final FastThreadLocal<byte[]> SCRATCH = new FastThreadLocal<>();

    private static final byte[] BOM = {(byte) 0xEF, (byte) 0xBB, (byte) 0xBF};
    private static final byte[] DATA = "data".getBytes(US_ASCII);
    private static final byte[] EVENT = "event".getBytes(US_ASCII);
    private static final byte[] ID = "id".getBytes(US_ASCII);
    private static final byte[] RETRY = "retry".getBytes(US_ASCII);

    private final ByteBufAllocator alloc;
    private final int maxEventBytes;
    private @Nullable ByteBuf heldLine;
    private @Nullable String data;
    private @Nullable StringBuilder joinedData;
    private long dataBytes;
    private String type = "";
    private String idBuffer = "";
    private String lastEventId = "";
    private boolean firstLine = true;
    private boolean skipLineFeed;
    private boolean closed;

    /** Creates a parser with {@link #DEFAULT_MAX_EVENT_BYTES} that allocates from {@code alloc}. */
    public SseEventParser(ByteBufAllocator alloc) {
        this(alloc, DEFAULT_MAX_EVENT_BYTES);
    }

    /**
     * Creates a parser.
     *
     * @param alloc allocates the buffer for an unfinished line
     * @param maxEventBytes the most bytes of one line and the {@code data} lines before it in its event
     * @throws IllegalArgumentException if {@code maxEventBytes} is not positive
     */
    public SseEventParser(ByteBufAllocator alloc, int maxEventBytes) {
        if (maxEventBytes <= 0) {
            throw new IllegalArgumentException("maxEventBytes: " + maxEventBytes + " (expected: > 0)");
        }
        this.alloc = alloc;
        this.maxEventBytes = maxEventBytes;
    }

    /**
     * Reads all readable bytes of {@code in} and reports what they complete. A listener may {@link #close()} this
     * parser. Then the bytes after the reported line stay unread.
     *
     * @param in remains with the caller; its reader index moves to its writer index
     * @param out receives each event, comment and retry line before this method returns
     * @throws TooLongEventException if an event is longer than the limit; the parser is then closed
     * @throws IllegalStateException if this parser is closed
     */
    public void parse(ByteBuf in, SseEventListener out) {
        if (closed) {
            throw new IllegalStateException("parse: parser is closed");
        }
        if (in.hasArray()) {
            parseRead(in, in.readableBytes(), in.array(), in.arrayOffset(), out);
            return;
        }
        byte[] scratch = SCRATCH.getIfExists() == null ? new byte[SCRATCH_BYTES] : SCRATCH.get();
        SCRATCH.set(null);
        try {
            while (in.isReadable() && !closed) {
                int length = Math.min(in.readableBytes(), SCRATCH_BYTES);
                in.getBytes(in.readerIndex(), scratch, 0, length);
                parseRead(in, length, scratch, -in.readerIndex(), out);
            }
        } finally {
            SCRATCH.set(scratch);
        }
    }

    /** The last event ID as committed by the last blank line; empty if there is none. */
    public String lastEventId() {
        return lastEventId;
    }

    /** Whether this parser was closed or has failed. */
    public boolean closed() {
        return closed;
    }

    /** Discards an unfinished event, as the end of a stream does, and releases all buffers. May be called twice. */
    @Override
    public void close() {
        closed = true;
        resetBlock();
        if (heldLine != null) {
            heldLine.release();
            heldLine = null;
        }
    }

    /** Reads the next {@code length} bytes of {@code in}. The byte at index {@code i} is {@code bytes[i + offset]}. */
    private void parseRead(ByteBuf in, int length, byte[] bytes, int offset, SseEventListener out) {
        int at = in.readerIndex() + offset;
        int end = at + length;
        if (skipLineFeed && at < end) {
            skipLineFeed = false;
            at += bytes[at] == LineEnds.LF ? 1 : 0;
        }
        LineEnds lines = LineEnds.of(bytes, end);
        while (at < end && !closed) {
            int start = at;
            int lineEnd = lines.find(start);
            verifyLength(lineEnd - start);
            if (lineEnd == end) {
                holdLine(bytes, start, end);
                at = end;
            } else {
                at = lines.after(lineEnd);
                skipLineFeed = at == end && bytes[at - 1] == LineEnds.CR;
                in.readerIndex(at - offset);
                parseWholeLine(bytes, start, lineEnd, out);
            }
        }
        in.readerIndex(at - offset);
    }

    private void verifyLength(int moreBytes) {
        long eventBytes = dataBytes + (heldLine == null ? 0 : heldLine.readableBytes()) + moreBytes;
        if (eventBytes > maxEventBytes) {
            close();
            throw new TooLongEventException(eventBytes, maxEventBytes);
        }
    }

    private void holdLine(byte[] bytes, int start, int end) {
        if (heldLine == null) {
            heldLine = alloc.heapBuffer(Math.max(FIRST_HOLD_BYTES, end - start));
        }
        heldLine.writeBytes(bytes, start, end - start);
    }

    private void parseWholeLine(byte[] bytes, int start, int end, SseEventListener out) {
        if (heldLine == null) {
            parseLine(bytes, start, end, out);
            return;
        }
        ByteBuf line = heldLine;
        heldLine = null;
        try {
            line.writeBytes(bytes, start, end - start);
            int lineStart = line.arrayOffset();
            parseLine(line.array(), lineStart, lineStart + line.readableBytes(), out);
        } finally {
            line.release();
        }
    }

    // stream = [ bom ] *event; event = *( comment / field ) end-of-line
    private void parseLine(byte[] bytes, int lineStart, int end, SseEventListener out) {
        int start = firstLine && startsWith(bytes, lineStart, end, BOM) ? lineStart + BOM.length : lineStart;
        firstLine = false;
        if (start == end) {
            dispatch(out);
        } else if (bytes[start] == ':') {
            out.onComment(Utf8.decode(bytes, start + 1, end));
        } else {
            parseField(bytes, start, end, out);
        }
    }

    // field = 1*name-char [ colon [ space ] *any-char ] end-of-line
    private void parseField(byte[] bytes, int start, int end, SseEventListener out) {
        int value;
        if ((value = valueOf(DATA, bytes, start, end)) >= 0) {
            addData(Utf8.decode(bytes, value, end));
            dataBytes += end - value + 1;
        } else if ((value = valueOf(EVENT, bytes, start, end)) >= 0) {
            type = Utf8.decode(bytes, value, end);
        } else if ((value = valueOf(ID, bytes, start, end)) >= 0) {
            String id = Utf8.decode(bytes, value, end);
            idBuffer = id.indexOf(0) < 0 ? id : idBuffer;
        } else if ((value = valueOf(RETRY, bytes, start, end)) >= 0) {
            parseRetry(bytes, value, end, out);
        }
    }

    /** The index of the line's value if its field is {@code name}, else -1. */
    private static int valueOf(byte[] name, byte[] bytes, int start, int end) {
        if (!startsWith(bytes, start, end, name)) {
            return -1;
        }
        int nameEnd = start + name.length;
        if (nameEnd == end) {
            return end;
        }
        if (bytes[nameEnd] != ':') {
            return -1;
        }
        int value = nameEnd + 1;
        return value < end && bytes[value] == ' ' ? value + 1 : value;
    }

    /** Most events have one line of data. Then nothing has to be joined. */
    private void addData(String line) {
        if (data == null) {
            data = line;
            return;
        }
        if (joinedData == null) {
            joinedData = new StringBuilder(data);
        }
        joinedData.append('\n').append(line);
    }

    /**
     * Reports a value of one or more ASCII digits. A value too large for a {@code long} becomes the largest
     * {@code long}.
     */
    private static void parseRetry(byte[] bytes, int start, int end, SseEventListener out) {
        long retryMs = 0;
        for (int at = start; at < end; at++) {
            int digit = bytes[at] - '0';
            if (digit < 0 || digit > 9) {
                return;
            }
            retryMs = retryMs > (Long.MAX_VALUE - digit) / 10 ? Long.MAX_VALUE : retryMs * 10 + digit;
        }
        if (start < end) {
            out.onRetry(retryMs);
        }
    }

    private void dispatch(SseEventListener out) {
        lastEventId = idBuffer;
        if (data == null) {
            resetBlock();
            return;
        }
        SseEvent event = new SseEvent(
                type.isEmpty() ? SseEvent.DEFAULT_TYPE : type,
                joinedData == null ? data : joinedData.toString(),
                lastEventId);
        resetBlock();
        out.onEvent(event);
    }

    private void resetBlock() {
        data = null;
        joinedData = null;
        dataBytes = 0;
        type = "";
    }

    private static boolean startsWith(byte[] bytes, int start, int end, byte[] prefix) {
        return end - start >= prefix.length
                && Arrays.equals(bytes, start, start + prefix.length, prefix, 0, prefix.length);
    }
}
