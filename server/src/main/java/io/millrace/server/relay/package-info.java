/**
 * The state machine between a client and an upstream: the only room that knows both sides.
 *
 * <p>An {@link io.millrace.server.relay.Exchange} is one request: it picks a route, gets an upstream connection on the
 * client's own event loop, and passes the request on. A response that is no event stream goes back as it comes. For one
 * that is, a {@link io.millrace.server.relay.StreamRelay} takes over, which knows only frames.
 */
package io.millrace.server.relay;
