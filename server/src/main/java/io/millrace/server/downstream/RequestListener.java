package io.millrace.server.downstream;

import io.netty.buffer.ByteBuf;

/** Receives the events of one request from the client's connection. All calls come on the connection's event loop. */
public interface RequestListener {
    /** A part of the request body; ownership is transferred. */
    void onRequestBody(ByteBuf content);

    /** The request body is complete. Called once, also for a request without a body. */
    void onRequestEnd();

    /** One read of the socket has been delivered. Now is the time to flush. */
    default void onRequestReadComplete() {}

    /**
     * The request became invalid, or did not end in time. It must be answered with this error, and the connection
     * closes after that. Not called once a response has begun.
     */
    void onRequestRefused(int status, String code, String message);

    /** The client's connection is gone, or is about to be cut for {@code reason}. Nothing more can be written. */
    void onClientGone(String reason);

    /** The client's send queue crossed a watermark: false above the high watermark, true below the low one. */
    default void onWritable(boolean writable) {}

    /** Called every sweep with the current time, to look at deadlines. */
    default void onSweep(long nowNs) {}
}
