/**
 * The state machine between a client and an upstream. Only this package knows both sides.
 *
 * <p>The door is {@link io.millrace.server.relay.Relay}, which makes an {@link io.millrace.server.relay.Exchange} of
 * each request. Its {@link io.millrace.server.relay.RequestIntake} reads the request and finds its route. Its
 * {@link io.millrace.server.relay.Attempts} ask upstreams, on the client's own event loop. Its
 * {@link io.millrace.server.relay.ClientAnswer} knows what the client has, and therefore how the answer can end. A
 * response that is not an event stream goes back as it comes. An event stream goes through a
 * {@link io.millrace.server.relay.StreamRelay}, which knows only frames.
 *
 * <p>An exchange reads the request, tries upstreams, has an answer, and is over. An attempt gets a connection, sends,
 * waits for the head, and has an answer. The answer is held, then committed, or it is put aside or fails. Only one
 * attempt is committed.
 *
 * <p>Buffers: a part of the request's body belongs to the exchange, which keeps it or passes it on. A part of an
 * upstream's plain body belongs to the attempt. The bytes of a stream remain with the upstream's connection; the
 * client's sink copies or retains what it needs.
 */
@NullMarked
package io.millrace.server.relay;

import org.jspecify.annotations.NullMarked;
