package io.millrace.codec.sse;

import io.netty.handler.codec.TooLongFrameException;

/** An event or a line is longer than the parser's limit. The rest of the stream cannot be read. */
public final class TooLongEventException extends TooLongFrameException {
    private static final long serialVersionUID = 1L;

    TooLongEventException(long eventBytes, int maxEventBytes) {
        super("event: at least " + eventBytes + " bytes (expected: <= " + maxEventBytes + ")");
    }
}
