package io.millrace.codec.dialect;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;

/** Appends the frames that end a stopped stream. */
final class StopWriter {
    private final ByteBuf out;

    StopWriter(ByteBuf out) {
        this.out = out;
    }

    static ObjectNode object() {
        return ErrorShapes.object();
    }

    /** Appends a frame with only data. */
    void data(ObjectNode json) {
        write("data: ", json, "\n\n");
    }

    /** Appends a frame with only data, with Gemini's line ends. */
    void crlfData(ObjectNode json) {
        write("data: ", json, "\r\n\r\n");
    }

    /** Appends an event with the type that is in the data. */
    void event(ObjectNode json) {
        write("event: " + json.get("type").textValue() + "\ndata: ", json, "\n\n");
    }

    /** Appends {@code data: [DONE]}. */
    void done() {
        ByteBufUtil.writeAscii(out, "data: [DONE]\n\n");
    }

    private void write(String before, ObjectNode json, String after) {
        ByteBufUtil.writeAscii(out, before);
        out.writeBytes(ErrorShapes.bytes(json));
        ByteBufUtil.writeAscii(out, after);
    }
}
