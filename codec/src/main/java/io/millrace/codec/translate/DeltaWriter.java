package io.millrace.codec.translate;

import io.netty.buffer.ByteBuf;

/** Writes an answer as the frames of a client's stream. One per stream. */
public interface DeltaWriter extends DeltaSink {
    /** Where the frames of the calls that follow are appended; remains with the caller. Only whole frames are. */
    void to(ByteBuf out);
}
