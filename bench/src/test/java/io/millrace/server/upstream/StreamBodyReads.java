package io.millrace.server.upstream;

import io.millrace.codec.sse.SseFrameDecoder;
import io.millrace.server.http.ReadListener;
import io.netty.buffer.ByteBuf;
import io.netty.handler.codec.http.HttpResponse;

/** Lets a benchmark feed the body of an event stream without a connection. */
public final class StreamBodyReads implements AutoCloseable {
    private final StreamBody body;

    /** The body of {@code head}. {@code frames} is closed with it. */
    public StreamBodyReads(HttpResponse head, SseFrameDecoder frames, StreamListener listener, ReadListener reads) {
        body = StreamBody.of(head, frames, listener, reads);
    }

    /** Reads all of {@code in}, which remains with the caller. */
    public void read(ByteBuf in) {
        body.read(in);
    }

    @Override
    public void close() {
        body.close();
    }
}
