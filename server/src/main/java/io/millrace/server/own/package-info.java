/**
 * Requests that the relay answers without an upstream: preflights, health, metrics, its documents and page, and
 * requests to stop a stream. The door is {@link io.millrace.server.own.OwnEndpoints}. It calls the relay only through
 * {@link io.millrace.server.own.OwnEndpoints.Streams}. A request is read to its end, then answered, and then over. The
 * parts of its body are released as they come; the room keeps no buffer.
 */
@NullMarked
package io.millrace.server.own;

import org.jspecify.annotations.NullMarked;
