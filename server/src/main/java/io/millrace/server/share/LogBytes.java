package io.millrace.server.share;

import io.millrace.server.replay.StreamLog;
import io.netty.buffer.ByteBuf;

/** Bytes of a log, which are copied once: from the log into what is sent. */
record LogBytes(StreamLog log, long from, int length) implements StoreLink.Content {
    /** Whether the log still has them. */
    boolean isKept() {
        return !log.isClosed() && from >= log.oldest();
    }

    @Override
    public void writeTo(ByteBuf to) {
        log.copy(from, length, to);
    }
}
