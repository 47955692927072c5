/**
 * Connections to upstreams: over HTTP/1.1 with one request at a time on each, over HTTP/2 with several.
 *
 * <p>The door: {@link io.millrace.server.upstream.Connector} belongs to the process and makes the
 * {@link io.millrace.server.upstream.Upstreams} of each event loop. These give an
 * {@link io.millrace.server.upstream.UpstreamCall} for one request, whose response goes to a
 * {@link io.millrace.server.upstream.CallListener}, and the frames of an event stream to a
 * {@link io.millrace.server.upstream.StreamListener}. All of it is confined to that event loop.
 *
 * <p>A connection of HTTP/1.1 is connecting, then busy and idle in turn, then closed. It becomes idle only after a body
 * that ended by its framing, on a connection that the upstream keeps open, with the whole request sent and no byte left
 * over. A call is unsent, then waits for the response's head, then for the end of its body. It ends in one of three
 * ways: it is released (perhaps after the rest of a body was read), it is aborted, or it breaks, which its listener is
 * told once.
 *
 * <p>A connection of HTTP/2 is connecting, then takes calls up to its limit until the upstream sends GOAWAY or its pool
 * drains it, and closes after the last call. A failure of a stream breaks one call. A failure of the connection breaks
 * all calls, and tells each listener.
 *
 * <p>Buffers: the argument of {@code sendBody} belongs to the call. The body of {@code sendWhole} remains with the
 * caller. The argument of {@code onBody} belongs to the listener. The bytes of an event stream belong to the
 * connection: they are valid between {@code onRead} and {@code onReadEnd} of the
 * {@link io.millrace.server.http.ReadListener}. Code that needs them longer retains or copies them.
 */
@NullMarked
package io.millrace.server.upstream;

import org.jspecify.annotations.NullMarked;
