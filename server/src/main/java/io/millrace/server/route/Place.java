package io.millrace.server.route;

import io.millrace.server.config.RouteTarget;

/**
 * Where one attempt goes.
 *
 * @param destination the upstream and its origins
 * @param target what the route says of this upstream
 * @param endpoint the origin that is asked
 */
public record Place(RouteTable.Destination destination, RouteTarget target, RouteTable.Endpoint endpoint) {}
