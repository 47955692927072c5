package io.millrace.server.downstream;

import io.netty.buffer.ByteBuf;

/** One request as the client's connection sees it. All calls come on the connection's event loop. */
public interface RequestListener {
    /** A part of the request body; ownership is transferred. */
    void onRequestBody(ByteBuf content);

    /** The request body is complete. Called once, also for a request without a body. */
    void onRequestEnd();

    /** All that one read of the socket brought of the request has been delivered: the time to flush it on. */
    default void onRequestReadComplete() {}

    /**
     * The request went bad, or did not come to its end in time: it is to be answered with this error, and the connection
     * closes behind it. Not called once a response has begun.
     */
    void onRequestRefused(int status, String code, String message);

    /** The client's connection is gone, or is about to be cut for {@code reason}. Nothing more can be written. */
    void onClientGone(String reason);

    /** The client's send queue crossed a watermark: false above the high one, true below the low one. */
    default void onWritable(boolean writable) {}

    /** Called every sweep with the current time, to look at deadlines. */
    default void onSweep(long nowNs) {}
}
