package io.millrace.server.downstream;

import io.netty.channel.EventLoop;
import io.netty.handler.codec.http.HttpRequest;
import org.jspecify.annotations.Nullable;

/** Receives the requests that passed the gate. One per server; called on the connection's event loop. */
public interface RequestHandler {
    /**
     * A request head that passed every check. Its body, if any, goes to the returned listener.
     *
     * @return who gets the rest of this request and ends the response through {@code stream} exactly once; a response
     *     that ends before the request does closes the connection
     */
    RequestListener onRequest(ClientStream stream, HttpRequest request);

    /** A client has connected. */
    void onConnected(ClientConnection connection);

    /** A client's connection is gone. */
    void onDisconnected(ClientConnection connection);

    /**
     * A client was asked to open no further request on this connection, or its connection is closed for an error.
     *
     * @param reason in one word, such as {@code drain} or {@code protocol_error}
     */
    default void onGoAway(ClientConnection connection, String reason) {}

    /**
     * A client was refused before it could ask anything.
     *
     * @param eventLoop of its connection
     * @param why the limit, such as {@code connections}
     */
    default void onClientRefused(EventLoop eventLoop, String why) {}

    /**
     * A request that was refused before it became an exchange; {@code request} is null if none could be read. Fields
     * about origins may still be added to its response.
     */
    void onRefused(ClientStream stream, @Nullable HttpRequest request, int status, String code);
}
