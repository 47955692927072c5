package io.millrace.server.downstream;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.channel.EventLoop;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpResponse;
import java.net.InetAddress;
import org.jspecify.annotations.Nullable;

/**
 * The way back to the client of one request: a response goes here, whatever protocol the client speaks. It is confined to
 * the event loop of the client's connection.
 *
 * <p>A response is one of three:
 *
 * <ul>
 *   <li>whole: {@link #respond};
 *   <li>a head and a body: {@link #writeHead}, {@link #writeBody} as often as needed, {@link #end()};
 *   <li>an event stream: {@link #newSink}, frames into the sink, {@link #beginStream}, more frames, {@link #end}.
 * </ul>
 *
 * <p>{@link #reset} ends any of them where it is. Exactly one of {@code respond}, {@code end} and {@code reset} is called
 * last, unless {@link RequestListener#onClientGone} comes first. Afterwards nothing is.
 */
public interface ClientStream {
    /** How a response ends. */
    enum End {
        /** All of it was written. */
        WHOLE,
        /** The last frame written is an error of ours. */
        IN_ERROR
    }

    /** The event loop on which all of this happens. */
    EventLoop eventLoop();

    /** What is known of the client's connection. */
    ConnectionTerms terms();

    /**
     * The client of the connection: its peer, or whom a load balancer names for the whole connection. Null for a client of a
     * unix socket.
     */
    @Nullable
    InetAddress client();

    /** For what is written to the client. */
    ByteBufAllocator alloc();

    /** Whether the client's connection is open. */
    boolean isActive();

    /** The most bytes that the request's body may have. */
    long bodyLimit();

    /** Whether more of the request may come before {@link RequestListener#onRequestReadComplete}. */
    boolean inRead();

    /** Stops or resumes reading the request, whose body the upstream may take slowly. */
    void readRequest(boolean on);

    /** Tells a client that waits for it to send its body (RFC 9110 section 10.1.1). */
    void sendContinue();

    /**
     * Has the response say {@code headers} about origins, in place of what it says itself, and vary by what they name. To be
     * called before the response begins.
     */
    void addToResponse(HttpHeaders headers);

    /** Whether a response head has been written. */
    boolean responseStarted();

    /** Whether what waits for the client is below the high watermark. */
    boolean isWritable();

    /** Bytes written and not yet taken by the kernel. */
    long pendingBytes();

    /**
     * Answers with a complete JSON body.
     *
     * @param headers that the answer has beside those of its body; taken over
     */
    void respond(int status, byte[] json, HttpHeaders headers);

    /** Writes a response head, without a flush. The fields that belong to the connection are set here. */
    void writeHead(HttpResponse response);

    /** Writes a part of a body that is no event stream, without a flush; ownership is transferred. */
    void writeBody(ByteBuf content);

    /** A sink for an event stream that is not begun: what is appended to it is held until {@link #beginStream}. */
    FrameSink newSink();

    /**
     * Begins the response that is an event stream. Its head leaves with what is first written to {@code held}.
     *
     * @param response the head; null if another sink has begun this response and {@code held} goes on with it
     * @param held one of {@link #newSink}
     */
    void beginStream(@Nullable HttpResponse response, FrameSink held);

    /** Hands what was written to the kernel. */
    void flush();

    /**
     * Completes the response, and flushes it.
     *
     * @param written runs when the kernel has all of the response; may be null
     */
    void end(End how, @Nullable Runnable written);

    /** Completes a response of which all was written. */
    default void end() {
        end(End.WHOLE, null);
    }

    /** Ends the response so that the client notices that it is cut. */
    void reset();
}
