package io.millrace.codec.dialect;

import io.netty.buffer.ByteBuf;

/** Reads streams of no known dialect: data is output, anything else keeps alive, and no frame is an end. */
final class OpaqueInspector extends StreamInspector {
    OpaqueInspector() {
        super(Dialect.UNKNOWN);
    }

    @Override
    void writeStop(StopWriter out, StreamStop stop) {
        // Nothing is known of how such a stream ends but that its body does.
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
