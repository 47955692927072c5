package io.millrace.server.upstream;

import io.millrace.codec.sse.SseFrameDecoder;
import io.millrace.server.http.ReadListener;
import io.netty.handler.codec.http.HttpResponse;
import org.jspecify.annotations.Nullable;

/** Passes the calls that concern the response on to it. Confined to the event loop. */
abstract class RespondedCall<R extends UpstreamResponse> implements UpstreamCall {
    /** Null until the request's head is written. */
    @Nullable
    R response;

    /** Releases a call that has sent nothing. */
    abstract void releaseUnsent();

    /** Ends a call that has sent nothing. */
    abstract void abortUnsent();

    @Override
    public void beginStream(
            HttpResponse head, SseFrameDecoder frames, StreamListener frameListener, ReadListener reads) {
        sent().beginStream(head, frames, frameListener, reads);
    }

    @Override
    public boolean isStreaming() {
        return response != null && response.isStreaming();
    }

    @Override
    public void handOver(CallListener next, StreamListener frameListener, ReadListener reads) {
        sent().handOver(next, frameListener, reads);
    }

    @Override
    public void reading(boolean on) {
        if (response != null) {
            response.reading(on);
        }
    }

    @Override
    public void release(long graceMs) {
        if (response != null) {
            response.release(graceMs);
        } else {
            releaseUnsent();
        }
    }

    @Override
    public void abort() {
        if (response != null) {
            response.abort();
        } else {
            abortUnsent();
        }
    }

    /** Whether the head of the response has not come. */
    final boolean awaitsHead() {
        return response == null || response.awaitsHead();
    }

    final R sent() {
        if (response == null) {
            throw new IllegalStateException("no request was sent");
        }
        return response;
    }
}
