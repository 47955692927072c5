package io.millrace.server.upstream;

import io.millrace.codec.sse.SseFrameDecoder;
import io.millrace.server.http.ReadListener;
import io.netty.buffer.ByteBuf;
import io.netty.handler.codec.CorruptedFrameException;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpResponse;

/**
 * One request to an upstream and its response. Its order:
 *
 * <ol>
 *   <li>{@link #sendWhole}; or {@link #send}, any number of {@link #sendBody}, then {@link #endRequest}
 *   <li>the response goes to the {@link CallListener}, at which {@link #beginStream} may turn its body into frames
 *   <li>one of {@link #release} and {@link #abort}; after {@link CallListener#onBroken}, nothing
 * </ol>
 *
 * <p>All methods are to be called on the event loop of the {@link Upstreams} that gave it.
 */
public interface UpstreamCall {
    /**
     * Writes a whole request and hands it to the kernel. Its response goes to {@code listener}.
     *
     * @param body remains with the caller, and unchanged until the response is over
     */
    void sendWhole(HttpRequest request, ByteBuf body, CallListener listener);

    /**
     * Writes a request head, without a flush. Its response goes to {@code listener}. The length of the body, which follows in
     * parts, is what the head says; it is not known if the head says none.
     */
    void send(HttpRequest request, CallListener listener);

    /** Writes a part of the request's body, without a flush; ownership is transferred. */
    void sendBody(ByteBuf content);

    /** Completes the request and hands it to the kernel. */
    void endRequest();

    /** Hands what was written to the kernel. */
    void flush();

    /** Whether the send queue is below its high watermark. */
    boolean isWritable();

    /** Whether the connection is open, as far as is known. */
    boolean isActive();

    /** Whether the kernel has all of the request, so that the upstream may have read it. */
    boolean requestHandedOver();

    /** Whether the request may turn out to have been sent to a connection that the upstream had closed before. */
    boolean mayBeStale();

    /**
     * Reads the body behind {@code head} as an event stream. To be called within {@link CallListener#onHead}.
     *
     * @param frames cuts the body; closed with it
     * @param reads told where the frames lie in what is read
     * @throws CorruptedFrameException if the content coding is none that can be taken off
     */
    void beginStream(HttpResponse head, SseFrameDecoder frames, StreamListener listener, ReadListener reads);

    /** Whether the body of an event stream is being read. */
    boolean isStreaming();

    /** From now on what is left of an event stream goes to others. Not to be called while a read is being delivered. */
    void handOver(CallListener next, StreamListener listener, ReadListener reads);

    /** Stops or resumes reading the response. */
    void reading(boolean on);

    /**
     * Lets go of a call: of one that was not needed, whose connection can be used at once; or of one whose response means
     * nothing more. What is left of its body is read and dropped for at most {@code graceMs}. If it ends cleanly by then
     * the connection can be used again, else it is closed.
     */
    void release(long graceMs);

    /** Ends the call at once, whatever state it is in: the upstream sees that it is cancelled. */
    void abort();
}
