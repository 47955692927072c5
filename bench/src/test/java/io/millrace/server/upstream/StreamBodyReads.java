package io.millrace.server.upstream;

import io.netty.buffer.ByteBuf;

/** Lets a benchmark feed a body without a connection. */
public final class StreamBodyReads {
    private StreamBodyReads() {}

    /** Reads all of {@code in}, which remains with the caller. */
    public static void read(StreamBody body, ByteBuf in) {
        body.read(in);
    }
}
