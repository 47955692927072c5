package io.millrace.server.mock;

import io.netty.handler.codec.http.HttpHeaders;
import java.util.concurrent.atomic.AtomicLong;

/**
 * A request that the mock has received. Its body and headers do not change. The time at which its client closed is set
 * later.
 *
 * @param number its number among all requests of this server, from 1
 * @param connectionId the id of its connection; requests on the same connection have the same id
 * @param method the method, such as {@code POST}
 * @param uri the request target, including the query
 * @param headers the header fields; must not be changed
 * @param body the bytes of the body without chunked coding; must not be changed
 * @param closedNs see {@link #closedByPeerNs()}
 */
@SuppressWarnings("ArrayRecordComponent") // never compared
public record MockRequest(
        long number,
        String connectionId,
        String method,
        String uri,
        HttpHeaders headers,
        byte[] body,
        AtomicLong closedNs) {
    /**
     * The {@link System#nanoTime()} at which the mock noticed the client's close, if this was the connection's last
     * request; otherwise 0.
     */
    public long closedByPeerNs() {
        return closedNs.get();
    }
}
