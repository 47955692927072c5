/**
 * What the relay answers without an upstream: preflights, health, metrics, its documents and page, and requests to stop a
 * stream. The door is {@link io.millrace.server.own.OwnEndpoints}. It asks the relay only through
 * {@link io.millrace.server.own.OwnEndpoints.Streams}. A part of a request's body is released where it comes.
 */
@NullMarked
package io.millrace.server.own;

import org.jspecify.annotations.NullMarked;
