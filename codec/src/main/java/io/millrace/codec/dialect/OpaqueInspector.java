package io.millrace.codec.dialect;

import io.netty.buffer.ByteBuf;

/**
 * Reads streams of no known dialect: frames with data are output, other frames are keep-alives, and no frame is an end.
 */
final class OpaqueInspector extends StreamInspector {
    OpaqueInspector() {
        super(Dialect.UNKNOWN);
    }

    @Override
    void writeStop(StopWriter out, StreamStop stop) {
        // The end of such a stream is known only from the end of its body.
    }

    @Override
    public TailVerdict inspectTail(ByteBuf buf, int start, int end) {
        return TailVerdict.FORWARD;
    }

    @Override
    boolean isOpaque() {
        return true;
    }

    @Override
    void beginFrame() {}

    @Override
    void scan(JsonCursor json) {}

    @Override
    boolean saysNothing() {
        return false;
    }

    @Override
    void scanTail(JsonCursor tail) {}

    @Override
    FrameKind kind() {
        return FrameKind.OUTPUT;
    }

    @Override
    FrameKind doneKind() {
        return FrameKind.OUTPUT;
    }

    @Override
    StreamEnd endAfter(FrameKind kind, boolean done) {
        return StreamEnd.OPEN;
    }
}
