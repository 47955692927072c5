package io.millrace.codec.translate;

import static java.nio.charset.StandardCharsets.US_ASCII;

import io.millrace.codec.sse.SseEncoder;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/** The common part of the writers of all dialects: frames around JSON. */
abstract class FrameWriter implements DeltaWriter {
    private static final byte[] EVENT = "event: ".getBytes(US_ASCII);
    private static final byte[] DATA = "data: ".getBytes(US_ASCII);
    private static final byte[] NEXT_DATA = "\ndata: ".getBytes(US_ASCII);
    private static final byte[] END = "\n\n".getBytes(US_ASCII);
    private static final byte[] CRLF_END = "\r\n\r\n".getBytes(US_ASCII);

    /** The counts so far. */
    TokenCounts usage = TokenCounts.NONE;

    private final JsonText json = new JsonText();
    private ByteBuf out = Unpooled.EMPTY_BUFFER;

    @Override
    public final void to(ByteBuf newOut) {
        out = newOut;
    }

    @Override
    public final void usage(TokenCounts counts) {
        usage = usage.and(counts);
    }

    @Override
    public final long heldBytes() {
        return json.capacity() + Character.BYTES * keptChars();
    }

    /** How many characters are kept for later events. */
    abstract long keptChars();

    /** Begins the JSON of the next frame. An object is open. */
    final JsonText json() {
        return json.reset().object();
    }

    /** The JSON of the current frame so far. */
    final JsonText current() {
        return json;
    }

    /** Ends the object and writes it as a frame with only data. */
    final void data() {
        write(DATA, END);
    }

    /** Ends the object and writes it as an event. */
    final void event(String type) {
        out.writeBytes(EVENT);
        ByteBufUtil.writeAscii(out, type);
        write(NEXT_DATA, END);
    }

    /** Ends the object and writes it as a frame with only data, with CRLF. */
    final void crlfData() {
        write(DATA, CRLF_END);
    }

    /** Writes finished JSON as a frame with only data, with CRLF. */
    final void crlfRaw(byte[] body) {
        out.writeBytes(DATA);
        out.writeBytes(body);
        out.writeBytes(CRLF_END);
    }

    /** Writes {@code data: [DONE]}. */
    final void doneMark() {
        SseEncoder.event(out, null, null, "[DONE]");
    }

    /** Writes a frame around finished JSON. */
    final void raw(@Nullable String type, byte[] body) {
        SseEncoder.event(out, type, null, new String(body, StandardCharsets.UTF_8));
    }

    /** Writes a frame. JSON has no line ends, so the frame has one line of data. */
    private void write(byte[] before, byte[] after) {
        out.writeBytes(before);
        json.endObject().writeTo(out);
        out.writeBytes(after);
    }
}
