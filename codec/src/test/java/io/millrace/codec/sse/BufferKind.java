package io.millrace.codec.sse;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;

/** The kinds of buffer that a decoder must read alike. The caller releases what it gets. */
enum BufferKind {
    HEAP {
        @Override
        ByteBuf of(byte[] bytes, int start, int end) {
            return Unpooled.wrappedBuffer(bytes, start, end - start);
        }
    },
    DIRECT {
        @Override
        ByteBuf of(byte[] bytes, int start, int end) {
            return Unpooled.directBuffer(Math.max(1, end - start)).writeBytes(bytes, start, end - start);
        }
    },
    COMPOSITE {
        @Override
        ByteBuf of(byte[] bytes, int start, int end) {
            int middle = (start + end) / 2;
            return Unpooled.compositeBuffer()
                    .addComponent(true, HEAP.of(bytes, start, middle))
                    .addComponent(true, DIRECT.of(bytes, middle, end));
        }
    };

    /** A buffer whose readable bytes are {@code bytes[start, end)}. */
    abstract ByteBuf of(byte[] bytes, int start, int end);
}
