package io.millrace.server.mock;

import io.netty.handler.codec.http.HttpHeaders;

/** A request as the mock saw it. Its body and headers do not change; the moment its client left is set later. */
public final class MockRequest {
    private final long number;
    private final String connectionId;
    private final String method;
    private final String uri;
    private final HttpHeaders headers;
    private final byte[] body;
    private volatile long closedByPeerNs;

    MockRequest(long number, String connectionId, String method, String uri, HttpHeaders headers, byte[] body) {
        this.number = number;
        this.connectionId = connectionId;
        this.method = method;
        this.uri = uri;
        this.headers = headers;
        this.body = body;
    }

    /** Its place among all requests of this server, from 1. */
    public long number() {
        return number;
    }

    /** The connection it came on: equal for requests that shared one. */
    public String connectionId() {
        return connectionId;
    }

    /** The method, such as {@code POST}. */
    public String method() {
        return method;
    }

    /** The request target as it came, query included. */
    public String uri() {
        return uri;
    }

    /** The header fields as they came; not to be changed. */
    public HttpHeaders headers() {
        return headers;
    }

    /** The bytes of the body, chunked coding removed; not to be changed. */
    public byte[] body() {
        return body;
    }

    /** The {@link System#nanoTime()} at which the client's close was seen, if this was its last request; else 0. */
    public long closedByPeerNs() {
        return closedByPeerNs;
    }

    void closedByPeer(long nowNs) {
        closedByPeerNs = nowNs;
    }
}
