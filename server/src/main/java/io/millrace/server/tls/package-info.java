/**
 * TLS: what of it is spoken, and its server side.
 *
 * <p>{@link io.millrace.server.tls.TlsServers} is the door of the server side: it has a
 * {@link io.millrace.server.tls.ServerTls} for each listener, which makes connections secure, and takes other files over
 * while connections go on. A listener has one immutable set of contexts at a time, in a volatile field; a connection keeps
 * the context that it began with. One thread looks at files; event loops read none.
 * {@link io.millrace.server.tls.TlsProfile} and {@link io.millrace.server.tls.PeerTrust} are for both sides of the relay;
 * {@link io.millrace.server.tls.CertificateFiles} is for whoever checks a configuration.
 *
 * <p>A connection awaits its hello, then the rest of its handshake, then is secure or closed. Buffers: what was read before
 * the handshake has a handler is passed on to that handler.
 */
@NullMarked
package io.millrace.server.tls;

import org.jspecify.annotations.NullMarked;
