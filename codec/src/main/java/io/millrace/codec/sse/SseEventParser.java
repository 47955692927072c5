package io.millrace.codec.sse;

import static java.nio.charset.StandardCharsets.US_ASCII;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;

/**
 * Reads events out of the bytes of one event stream, by the rules of WHATWG HTML 9.2.6, however the bytes are cut.
 *
 * <p>Bytes that are not UTF-8 become U+FFFD; unknown fields are ignored; what is unfinished when the stream ends is
 * discarded, which is what {@link #close()} does. A line ends at once at its CR.
 *
 * <p>One parser serves one stream, on one thread at a time. It must be closed.
 */
public final class SseEventParser implements AutoCloseable {
    /** The most bytes of an event unless another limit is given: {@value}. */
    public static final int DEFAULT_MAX_EVENT_BYTES = 32 * 1024 * 1024;

    private static final int FIRST_HOLD_BYTES = 256;
    private static final byte[] BOM = {(byte) 0xEF, (byte) 0xBB, (byte) 0xBF};
    private static final byte[] DATA = "data".getBytes(US_ASCII);
    private static final byte[] EVENT = "event".getBytes(US_ASCII);
    private static final byte[] ID = "id".getBytes(US_ASCII);
    private static final byte[] RETRY = "retry".getBytes(US_ASCII);

    private final ByteBufAllocator alloc;
    private final int maxEventBytes;
    private final StringBuilder data = new StringBuilder();
    private ByteBuf heldLine;
    private long dataBytes;
    private String type = "";
    private String idBuffer = "";
    private String lastEventId = "";
    private boolean firstLine = true;
    private boolean skipLineFeed;
    private boolean closed;

    /** Creates a parser with {@link #DEFAULT_MAX_EVENT_BYTES}; what it holds comes from {@code alloc}. */
    public SseEventParser(ByteBufAllocator alloc) {
        this(alloc, DEFAULT_MAX_EVENT_BYTES);
    }

    /**
     * Creates a parser.
     *
     * @param alloc where the buffer for an unfinished line comes from
     * @param maxEventBytes most bytes of one line plus the {@code data} lines before it in its event
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
     * Reads all readable bytes of {@code in} and reports what they complete. A listener may {@link #close()} this parser:
     * the bytes after the line just reported then stay unread.
     *
     * @param in remains with the caller; its reader index moves to its writer index
     * @param out called for each event, comment and retry line before this method returns
     * @throws TooLongEventException if an event is longer than the limit; the parser is closed then
     * @throws IllegalStateException if this parser is closed
     */
    public void parse(ByteBuf in, SseEventListener out) {
        if (closed) {
            throw new IllegalStateException("parse: parser is closed");
        }
        if (!in.isReadable()) {
            return;
        }
        if (skipLineFeed) {
            skipLineFeed = false;
            in.skipBytes(in.getByte(in.readerIndex()) == LineEnds.LF ? 1 : 0);
        }
        int end = in.writerIndex();
        LineEnds lines = LineEnds.of(in, end);
        while (in.isReadable() && !closed) {
            int start = in.readerIndex();
            int lineEnd = lines.find(start);
            verifyLength(lineEnd - start);
            if (lineEnd == end) {
                holdLine(in, end - start);
            } else {
                int next = lines.after(lineEnd);
                in.readerIndex(next);
                skipLineFeed = next == end && in.getByte(next - 1) == LineEnds.CR;
                parseWholeLine(in, start, lineEnd, out);
            }
        }
    }

    /** The last event ID as committed by the last blank line; empty if there is none. */
    public String lastEventId() {
        return lastEventId;
    }

    /** Whether this parser was closed, or failed. */
    public boolean closed() {
        return closed;
    }

    /** Discards what is unfinished, as the end of a stream does, and releases what is held. May be called twice. */
    @Override
    public void close() {
        closed = true;
        resetBlock();
        if (heldLine != null) {
            heldLine.release();
            heldLine = null;
        }
    }

    private void verifyLength(int moreBytes) {
        long eventBytes = dataBytes + (heldLine == null ? 0 : heldLine.readableBytes()) + moreBytes;
        if (eventBytes > maxEventBytes) {
            close();
            throw new TooLongEventException(eventBytes, maxEventBytes);
        }
    }

    private void holdLine(ByteBuf in, int length) {
        if (heldLine == null) {
            heldLine = alloc.buffer(Math.max(FIRST_HOLD_BYTES, length));
        }
        heldLine.writeBytes(in, length);
    }

    private void parseWholeLine(ByteBuf in, int start, int end, SseEventListener out) {
        if (heldLine == null) {
            parseLine(in, start, end, out);
            return;
        }
        ByteBuf line = heldLine;
        heldLine = null;
        try {
            line.writeBytes(in, start, end - start);
            parseLine(line, line.readerIndex(), line.writerIndex(), out);
        } finally {
            line.release();
        }
    }

    // stream = [ bom ] *event; event = *( comment / field ) end-of-line
    private void parseLine(ByteBuf buf, int lineStart, int end, SseEventListener out) {
        int start = firstLine && startsWith(buf, lineStart, end, BOM) ? lineStart + BOM.length : lineStart;
        firstLine = false;
        if (start == end) {
            dispatch(out);
        } else if (buf.getByte(start) == ':') {
            out.onComment(Utf8.decode(buf, start + 1, end));
        } else {
            parseField(buf, start, end, out);
        }
    }

    // field = 1*name-char [ colon [ space ] *any-char ] end-of-line
    private void parseField(ByteBuf buf, int start, int end, SseEventListener out) {
        int colon = buf.indexOf(start, end, (byte) ':');
        int nameEnd = colon < 0 ? end : colon;
        int afterColon = colon < 0 ? end : colon + 1;
        int value = afterColon < end && buf.getByte(afterColon) == ' ' ? afterColon + 1 : afterColon;
        if (isName(buf, start, nameEnd, DATA)) {
            data.append(Utf8.decode(buf, value, end)).append('\n');
            dataBytes += end - value + 1;
        } else if (isName(buf, start, nameEnd, EVENT)) {
            type = Utf8.decode(buf, value, end);
        } else if (isName(buf, start, nameEnd, ID)) {
            idBuffer = buf.indexOf(value, end, (byte) 0) < 0 ? Utf8.decode(buf, value, end) : idBuffer;
        } else if (isName(buf, start, nameEnd, RETRY)) {
            parseRetry(buf, value, end, out);
        }
    }

    /** Reports a value of one or more ASCII digits; one too large for a {@code long} is the largest. */
    private static void parseRetry(ByteBuf buf, int start, int end, SseEventListener out) {
        long retryMs = 0;
        for (int at = start; at < end; at++) {
            int digit = buf.getByte(at) - '0';
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
        if (data.isEmpty()) {
            resetBlock();
            return;
        }
        data.setLength(data.length() - 1);
        SseEvent event = new SseEvent(type.isEmpty() ? SseEvent.DEFAULT_TYPE : type, data.toString(), lastEventId);
        resetBlock();
        out.onEvent(event);
    }

    private void resetBlock() {
        data.setLength(0);
        dataBytes = 0;
        type = "";
    }

    private static boolean isName(ByteBuf buf, int start, int end, byte[] name) {
        return end - start == name.length && startsWith(buf, start, end, name);
    }

    private static boolean startsWith(ByteBuf buf, int start, int end, byte[] prefix) {
        if (end - start < prefix.length) {
            return false;
        }
        for (int i = 0; i < prefix.length; i++) {
            if (buf.getByte(start + i) != prefix[i]) {
                return false;
            }
        }
        return true;
    }
}
