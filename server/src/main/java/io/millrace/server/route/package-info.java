/**
 * Where a request may go: the routes of a configuration ({@link io.millrace.server.route.RouteTable}), and the places that
 * one request tries in turn ({@link io.millrace.server.route.Itinerary}), told why each has failed
 * ({@link io.millrace.server.route.Failure}). It holds no buffer and no connection.
 */
@NullMarked
package io.millrace.server.route;

import org.jspecify.annotations.NullMarked;
