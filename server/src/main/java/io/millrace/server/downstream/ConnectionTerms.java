package io.millrace.server.downstream;

import io.millrace.server.config.Listener;
import io.millrace.server.config.Protocol;
import io.millrace.server.config.Served;

/**
 * What is known of a client's connection before its first request, and holds for all of its requests. Immutable.
 *
 * @param listener that accepted it, as it was configured at the start
 * @param protocol that the client speaks on it
 * @param tls whether it is encrypted
 */
public record ConnectionTerms(Listener listener, Protocol protocol, boolean tls) {
    /** Whether requests of this kind are answered on it. */
    public boolean serves(Served kind) {
        return listener.serves().contains(kind);
    }
}
