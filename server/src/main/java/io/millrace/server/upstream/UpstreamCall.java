package io.millrace.server.upstream;

import io.millrace.codec.sse.SseFrameDecoder;
import io.millrace.server.http.ReadListener;
import io.netty.buffer.ByteBuf;
import io.netty.handler.codec.CorruptedFrameException;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpResponse;

/**
 * One request to an upstream and its response. The order of calls:
 *
 * <ol>
 *   <li>{@link #sendWhole}; or {@link #send}, any number of {@link #sendBody}, then {@link #endRequest}
 *    the response goes to the {@link CallListener}, where {@link #beginStream} can turn its body into frames
 *
 * <p>All methods are to be called on the event loop of the {@link Upstreams} that gave it.
 */
public interface UpstreamCall {
    /**
     * Writes a whole request and flushes it. Its response goes to {@code listener}.
     *
     * @param body remains with the caller, and unchanged until the response is over
     */
    void sendWhole(HttpRequest request, ByteBuf body, CallListener listener);

    /**
     * Writes a request head, without a flush. Its response goes to {@code listener}. The body follows in parts. Its
     * length is in the head, or is not known.
     */
    void send(HttpRequest request, CallListener listener);

    /** Writes a part of the request's body, without a flush; ownership is transferred. */
    void sendBody(ByteBuf content);

    /** Completes the request and flushes it. */
    void endRequest();

    /** Flushes what was written to the kernel. */
    void flush();

    /** Whether the send queue is below its high watermark. */
    boolean isWritable();

    /** Whether the connection is open, as far as it is known. */
    boolean isActive();

    /** Whether the kernel has the whole request, so that the upstream may have read it. */
    boolean requestHandedOver();

    /** Whether this may be a connection that the upstream had closed before the request was sent. */
    boolean mayBeStale();

    /**
     * Reads the body after {@code head} as an event stream. To be called within {@link CallListener#onHead}.
     *
     * @param frames cuts the body; closed with it
     * @param reads receives the positions of the frames in the bytes that are read
     * @throws CorruptedFrameException if the content coding cannot be removed
     */
    void beginStream(HttpResponse head, SseFrameDecoder frames, StreamListener listener, ReadListener reads);

    /** Whether the body of an event stream is being read. */
    boolean isStreaming();

    /** Gives the rest of an event stream to other listeners. Not to be called while a read is being delivered. */
    void handOver(CallListener next, StreamListener listener, ReadListener reads);

    /** Stops or resumes reading the response. */
    void reading(boolean on);

    /**
     * Releases a call that was not needed, or whose response is not needed any more. The connection of an unused call
     * can be used at once. The rest of a response is read and dropped for at most {@code graceMs}. If it ends cleanly
     * by then, the connection can be used again; otherwise it is closed.
     */
    void release(long graceMs);

    /** Ends the call at once in any state. The upstream sees that it is cancelled. */
    void abort();
}
