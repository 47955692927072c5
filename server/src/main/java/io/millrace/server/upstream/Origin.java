package io.millrace.server.upstream;

import io.millrace.server.config.Upstream;
import io.netty.handler.ssl.SslContext;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * The address of an upstream, in the form that a connection needs.
 *
 * @param name its name in the configuration
 * @param host the host name or address literal to connect to, or {@code unix:/path} for a unix socket
 * @param port the TCP port
 * @param tls the TLS client context, or null for plain TCP
 * @param http1Tls the TLS client context that offers HTTP/1.1 only; null if no connection may need it, because {@code tls}
 *     offers nothing else or the configuration requires HTTP/2
 * @param maxConnections the most connections per event loop
 * @param idleNs how long an unused connection is kept
 * @param connectTimeoutMs for each address, including the TLS handshake
 * @param http the versions of HTTP that its connections may speak
 */
public record Origin(
        String name,
        String host,
        int port,
        @Nullable SslContext tls,
        @Nullable SslContext http1Tls,
        int maxConnections,
        long idleNs,
        int connectTimeoutMs,
        Upstream.Http http) {
    private static final String SOCKET = "unix:";

    /** Of the address only: a map of pools is asked at each request, and few origins have the same address. */
    @Override
    public int hashCode() {
        return 31 * host.hashCode() + port;
    }

    /** The path of the unix socket; null for a TCP port. */
    @Nullable
    Path socket() {
        return host.startsWith(SOCKET) ? Path.of(host.substring(SOCKET.length())) : null;
    }

    /** Whether a connection may speak HTTP/2. */
    boolean mayBeHttp2() {
        return switch (http.version()) {
            case HTTP_1_1 -> false;
            case AUTO -> tls != null;
            case HTTP_2 -> true;
        };
    }
}
