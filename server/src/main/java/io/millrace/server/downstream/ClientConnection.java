package io.millrace.server.downstream;

import io.millrace.server.config.Listener.Protocol;
import io.netty.channel.EventLoop;
import java.util.List;

/** A client's connection, as the code that watches all connections sees it. It is confined to its event loop. */
public interface ClientConnection {
    /** The event loop of the connection and of its requests. */
    EventLoop eventLoop();

    /** The protocol that the client speaks, as far as it is known. */
    default Protocol protocol() {
        return Protocol.HTTP_1_1;
    }

    /** The requests in progress. */
    List<RequestListener> requests();

    /** Bytes held for this client: those that it has not taken, and those that it has sent ahead. */
    long heldBytes();

    /** The part of these bytes that is held for one of the requests in progress. */
    default long heldBytes(RequestListener request) {
        return heldBytes();
    }

    /** Makes the current response the last one, or the next response if there is none. That response says so. */
    void closeAfterResponse();

    /**
     * Like {@link #closeAfterResponse()}, but closes at once if there is no request. A connection that never had a
     * request gets one second, because its request may be about to be read.
     */
    void drain();

    /** Cuts the connection at once, and ends its requests for {@code reason}. */
    void abandon(String reason);

    /** Closes the connection. */
    void close();
}
