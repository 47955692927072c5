package io.millrace.codec.translate;

import io.millrace.codec.sse.SseEncoder;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import java.nio.charset.StandardCharsets;

/** What the writers of all dialects have in common: frames around JSON. */
abstract class FrameWriter implements DeltaWriter {
    private final JsonText json = new JsonText();
    private ByteBuf out;

    @Override
    public final void to(ByteBuf newOut) {
        out = newOut;
    }

    @Override
    public final long heldBytes() {
        return Character.BYTES * (json.capacity() + keptChars());
    }

    /** The characters that are kept for later events. */
    abstract long keptChars();

    /** Begins the JSON of the next frame: an object is open. */
    final JsonText json() {
        return json.reset().object();
    }

    /** The JSON as far as it is written. */
    final JsonText current() {
        return json;
    }

    /** Ends the object and writes it as a frame of data alone. */
    final void data() {
        SseEncoder.event(out, null, null, json.endObject().text());
    }

    /** Ends the object and writes it as an event. */
    final void event(String type) {
        SseEncoder.event(out, type, null, json.endObject().text());
    }

    /** Ends the object and writes it as a frame of data alone, with CRLF. */
    final void crlfData() {
        ByteBufUtil.writeAscii(out, "data: ");
        ByteBufUtil.writeUtf8(out, json.endObject().text());
        ByteBufUtil.writeAscii(out, "\r\n\r\n");
    }

    /** Writes JSON that is ready as a frame of data alone, with CRLF. */
    final void crlfRaw(byte[] body) {
        ByteBufUtil.writeAscii(out, "data: ");
        out.writeBytes(body);
        ByteBufUtil.writeAscii(out, "\r\n\r\n");
    }

    /** Writes {@code data: [DONE]}. */
    final void doneMark() {
        SseEncoder.event(out, null, null, "[DONE]");
    }

    /** Writes a frame around JSON that is ready. */
    final void raw(String type, byte[] body) {
        SseEncoder.event(out, type, null, new String(body, StandardCharsets.UTF_8));
    }
}
