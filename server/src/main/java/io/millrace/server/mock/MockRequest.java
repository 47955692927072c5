package io.millrace.server.mock;

import io.netty.handler.codec.http.HttpHeaders;
import java.util.concurrent.atomic.AtomicLong;

/**
 * A request as the mock saw it. Its body and headers do not change; the moment its client left is set later.
 *
 * @param number its place among all requests of this server, from 1
 * @param connectionId the connection it came on: equal for requests that shared one
 * @param method the method, such as {@code POST}
 * @param uri the request target as it came, query included
 * @param headers the header fields as they came; not to be changed
 * @param body the bytes of the body, chunked coding removed; not to be changed
 * @param closedNs see {@link #closedByPeerNs()}
 */
@SuppressWarnings("ArrayRecordComponent") // not compared
public record MockRequest(
        long number,
        String connectionId,
        String method,
        String uri,
        HttpHeaders headers,
        byte[] body,
        AtomicLong closedNs) {
    /** The {@link System#nanoTime()} at which the client's close was seen, if this was its last request; else 0. */
    public long closedByPeerNs() {
        return closedNs.get();
    }
}
