package io.millrace.codec.dialect;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.nio.charset.StandardCharsets;

/** Feeds text to inspectors, through direct buffers with a margin on both sides. */
final class Frames {
    private static final int MARGIN = 3;

    private Frames() {}

    static FrameKind inspect(StreamInspector inspector, String frame) {
        return inspect(inspector, frame.getBytes(StandardCharsets.UTF_8));
    }

    static FrameKind inspect(StreamInspector inspector, byte[] frame) {
        ByteBuf buf = buffer(frame);
        try {
            return inspector.inspect(buf, MARGIN, MARGIN + frame.length);
        } finally {
            buf.release();
        }
    }

    static TailVerdict inspectTail(StreamInspector inspector, String tail) {
        byte[] bytes = tail.getBytes(StandardCharsets.UTF_8);
        ByteBuf buf = buffer(bytes);
        try {
            return inspector.inspectTail(buf, MARGIN, MARGIN + bytes.length);
        } finally {
            buf.release();
        }
    }

    /** Inspects pieces of {@code size} bytes. Returns the kind that all of them have. */
    static FrameKind inspectPieces(StreamInspector inspector, byte[] frame, int size) {
        ByteBuf buf = buffer(frame);
        try {
            FrameKind kind = null;
            for (int at = 0; at < frame.length; at += size) {
                int to = Math.min(frame.length, at + size);
                kind = inspector.inspectPiece(buf, MARGIN + at, MARGIN + to, at == 0, to == frame.length);
            }
            return kind;
        } finally {
            buf.release();
        }
    }

    private static ByteBuf buffer(byte[] bytes) {
        return Unpooled.directBuffer(bytes.length + 2 * MARGIN)
                .writeBytes("\"}\n".getBytes(StandardCharsets.US_ASCII))
                .writeBytes(bytes)
                .writeBytes("\"}\n".getBytes(StandardCharsets.US_ASCII));
    }
}
