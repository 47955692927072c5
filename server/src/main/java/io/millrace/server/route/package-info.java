/**
 * Decides where a request is sent. The doors are {@link io.millrace.server.route.RouteTable}, which has the routes of a
 * configuration, and {@link io.millrace.server.route.Itinerary}, which has the places that one request tries in turn,
 * and learns why each has failed ({@link io.millrace.server.route.Failure}). An itinerary is at a target and an origin,
 * moves on after a failure, and ends when nothing is left to try. The room holds no buffer and no connection.
 */
@NullMarked
package io.millrace.server.route;

import org.jspecify.annotations.NullMarked;
