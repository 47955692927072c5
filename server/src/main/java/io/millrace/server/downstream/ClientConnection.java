package io.millrace.server.downstream;

import io.millrace.server.config.Protocol;
import io.netty.channel.EventLoop;
import java.util.List;

/** A client's connection, for whoever looks after all of them. It is confined to its event loop. */
public interface ClientConnection {
    /** The event loop of the connection and of its requests. */
    EventLoop eventLoop();

    /** What the client speaks, as far as it is known. */
    default Protocol protocol() {
        return Protocol.HTTP_1_1;
    }

    /** The requests in progress. */
    List<RequestListener> requests();

    /** Bytes held for this client: what it has not taken, and what it has sent ahead. */
    long heldBytes();

    /** Bytes of these that are held for one of the requests in progress. */
    default long heldBytes(RequestListener request) {
        return heldBytes();
    }

    /** Makes the current response the last, or the next one if there is none, and has it say so. */
    void closeAfterResponse();

    /**
     * As {@link #closeAfterResponse()}, and closes at once if there is no request. A connection that never had one may be
     * just about to be read: it is given a second.
     */
    void drain();

    /** Cuts the connection at once, and ends its requests for {@code reason}. */
    void abandon(String reason);

    /** Closes the connection. */
    void close();
}
