/**
 * TLS: its versions and cipher suites, its server side, and its side to upstreams.
 *
 * <p>The door of the server side is {@link io.millrace.server.tls.TlsServers}. It has a {@link
 * io.millrace.server.tls.ServerTls} for each listener, which encrypts connections, and switches to changed files while
 * connections are open. A listener has one immutable set of contexts at a time, in a volatile field. A connection
 * keeps the context with which it began. One thread checks files; event loops read none.
 *
 * <p>{@link io.millrace.server.tls.UpstreamTls} makes the context and the handlers of connections to upstreams.
 * {@link io.millrace.server.tls.CertificateFiles} is for code that checks a configuration.
 *
 * <p>A connection waits for its ClientHello, then for the rest of its handshake. Then it is encrypted, or closed. Bytes
 * that were read before the handshake has a handler are passed on to that handler. The handlers of the pipeline own the
 * buffers; this room keeps no other.
 */
@NullMarked
package io.millrace.server.tls;

import org.jspecify.annotations.NullMarked;
