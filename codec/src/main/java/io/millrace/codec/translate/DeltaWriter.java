package io.millrace.codec.translate;

import io.netty.buffer.ByteBuf;

/** Writes an answer as the frames of a client's stream. One per stream. */
public interface DeltaWriter extends DeltaSink {
    /** Sets the buffer to which the following calls append whole frames. It remains with the caller. */
    void to(ByteBuf out);
}
