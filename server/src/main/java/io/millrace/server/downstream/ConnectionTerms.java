package io.millrace.server.downstream;

import io.millrace.server.config.Listener;
import io.millrace.server.config.Listener.Protocol;
import io.millrace.server.config.Listener.Served;
import io.millrace.server.http.HeaderRules;
import io.millrace.server.tls.ServerTls;
import io.netty.handler.codec.http.HttpHeaders;
import org.jspecify.annotations.Nullable;

/**
 * The facts about a client's connection that are known before its first request and hold for all its requests.
 * Immutable.
 *
 * @param listener that accepted it, as it was configured at the start
 * @param protocol that the client speaks on it
 * @param tls what was agreed on for its encryption; null if it is in the clear
 */
public record ConnectionTerms(Listener listener, Protocol protocol, ServerTls.@Nullable Secured tls) {
    /** The terms of a connection without TLS. */
    public static ConnectionTerms plain(Listener listener, Protocol protocol) {
        return new ConnectionTerms(listener, protocol, null);
    }

    /** The version of TLS, such as {@code TLSv1.3}; null without TLS. */
    public @Nullable String tlsVersion() {
        return tls == null ? null : tls.version();
    }

    /** The name in the client's certificate; null if there is none. */
    public @Nullable String certificate() {
        return tls == null ? null : tls.client();
    }

    /** Adds the fields about the connection's encryption to a response. */
    void addTo(HttpHeaders response) {
        if (tls != null && !tls.hsts().isZero()) {
            response.set(HeaderRules.HSTS, "max-age=" + tls.hsts().toSeconds());
        }
    }

    /** Whether this connection answers requests of this kind. */
    public boolean serves(Served kind) {
        return listener.serves().contains(kind);
    }
}
