/**
 * The state machine between a client and an upstream. Only this package knows both sides.
 *
 * <p>An {@link io.millrace.server.relay.Exchange} is one request. Its {@link io.millrace.server.relay.RequestIntake} reads it
 * and finds its route, its {@link io.millrace.server.relay.Attempts} ask upstreams, on the client's own event loop, and its
 * {@link io.millrace.server.relay.ClientAnswer} knows what the client has, and therefore how the answer can end. A response
 * that is no event stream goes back as it comes. An event stream goes through a
 * {@link io.millrace.server.relay.StreamRelay}, which knows only frames.
 */
@NullMarked
package io.millrace.server.relay;

import org.jspecify.annotations.NullMarked;
