package io.millrace.server.downstream;

import io.millrace.server.config.Listener;
import io.millrace.server.config.Protocol;
import io.millrace.server.config.Served;
import io.millrace.server.http.HeaderRules;
import io.millrace.server.tls.ServerTls;
import io.netty.handler.codec.http.HttpHeaders;
import org.jspecify.annotations.Nullable;

/**
 * What is known of a client's connection before its first request, and holds for all of its requests. Immutable.
 *
 * @param listener that accepted it, as it was configured at the start
 * @param protocol that the client speaks on it
 * @param tls what was agreed on for its encryption; null if it is in the clear
 */
public record ConnectionTerms(Listener listener, Protocol protocol, ServerTls.@Nullable Secured tls) {
    /** Of a connection in the clear. */
    public static ConnectionTerms plain(Listener listener, Protocol protocol) {
        return new ConnectionTerms(listener, protocol, null);
    }

    /** The version of TLS, such as {@code TLSv1.3}; null in the clear. */
    public @Nullable String tlsVersion() {
        return tls == null ? null : tls.version();
    }

    /** What the client's certificate calls it; null if it has none. */
    public @Nullable String certificate() {
        return tls == null ? null : tls.client();
    }

    /** Adds what each response says of the connection's encryption. */
    void addTo(HttpHeaders response) {
        if (tls != null && !tls.hsts().isZero()) {
            response.set(HeaderRules.HSTS, "max-age=" + tls.hsts().toSeconds());
        }
    }

    /** Whether requests of this kind are answered on it. */
    public boolean serves(Served kind) {
        return listener.serves().contains(kind);
    }
}
