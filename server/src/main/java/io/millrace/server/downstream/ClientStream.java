package io.millrace.server.downstream;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.channel.EventLoop;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpResponse;
import java.net.InetAddress;
import org.jspecify.annotations.Nullable;

/**
 * The response side of one request, for every protocol that a client may speak. It is confined to the event loop of
 * the client's connection.
 *
 * <p>There are three kinds of response:
 *
 * <ul>
 *   <li>whole: {@link #respond};
 *   <li>a head and a body: {@link #writeHead}, {@link #writeBody} as often as needed, {@link #end()};
 *   <li>an event stream: {@link #newSink}, frames into the sink, {@link #beginStream}, more frames, {@link #end}.
 * </ul>
 *
 * <p>{@link #reset} cuts any of them off. The last call is exactly one of {@code respond}, {@code end} and {@code
 * reset}, unless {@link RequestListener#onClientGone} comes first. After it no method may be called.
 */
public interface ClientStream {
    /** How a response ends. */
    enum End {
        /** All of it was written. */
        WHOLE,
        /** The last frame written is an error event of the relay's own. */
        IN_ERROR
    }

    /** The event loop on which all calls happen. */
    EventLoop eventLoop();

    /** The facts about the client's connection. */
    ConnectionTerms terms();

    /**
     * The client of the connection: its peer, or the address that a load balancer names for the whole connection. Null
     * for a client of a unix socket.
     */
    @Nullable
    InetAddress client();

    /** The allocator of buffers for the client. */
    ByteBufAllocator alloc();

    /** Whether the client's connection is open. */
    boolean isActive();

    /** The most bytes that the request's body may have. */
    long bodyLimit();

    /** Whether more of the request may come before {@link RequestListener#onRequestReadComplete}. */
    boolean inRead();

    /** Stops or resumes reading the request, for an upstream that takes its body slowly. */
    void readRequest(boolean on);

    /** Tells a client that waits for it to send its body (RFC 9110 section 10.1.1). */
    void sendContinue();

    /**
     * Replaces the fields of the response about origins by {@code headers}, and lets the response vary by the fields
     * that they name. To be called before the response begins.
     */
    void addToResponse(HttpHeaders headers);

    /** The relay makes the answer itself, without an upstream. A client may not have it do so without end. */
    default void onOwnAnswer() {}

    /** An upstream is asked, or will be as soon as the request is complete. */
    default void onAsked() {}

    /** Whether a response head has been written. */
    boolean responseStarted();

    /** Whether the bytes that wait for the client are below the high watermark. */
    boolean isWritable();

    /** Bytes written and not yet taken by the kernel. */
    long pendingBytes();

    /** Whether someone has taken all that was written, and waits for more. */
    default boolean awaitsMore() {
        return pendingBytes() == 0;
    }

    /**
     * Answers with a complete JSON body.
     *
     * @param headers that the answer has beside those of its body; taken over
     */
    void respond(int status, byte[] json, HttpHeaders headers);

    /** Writes a response head, without a flush. It adds the fields that belong to the connection. */
    void writeHead(HttpResponse response);

    /** Writes a part of a body that is not an event stream, without a flush; ownership is transferred. */
    void writeBody(ByteBuf content);

    /**
     * Makes a sink for an event stream that has not begun. It holds what is appended to it until {@link #beginStream}.
     */
    FrameSink newSink();

    /**
     * Begins the response that is an event stream. Its head leaves with what is first written to {@code held}.
     *
     * @param response the head; null if another sink has begun this response and {@code held} goes on with it
     * @param held one of {@link #newSink}
     */
    void beginStream(@Nullable HttpResponse response, FrameSink held);

    /** Flushes what was written to the kernel. */
    void flush();

    /**
     * Completes the response, and flushes it.
     *
     * @param written runs when the kernel has all of the response; may be null
     */
    void end(End how, @Nullable Runnable written);

    /** Completes a response of which everything was written. */
    default void end() {
        end(End.WHOLE, null);
    }

    /** Cuts the response off in a way that the client can notice. */
    void reset();
}
