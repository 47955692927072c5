/**
 * Connections of clients: their requests in, the responses out.
 *
 * <p>The door: {@link io.millrace.server.downstream.ClientPipeline} opens a client's connection, if
 * {@link io.millrace.server.downstream.Admission} has room for it. A request that passes the gate goes to the
 * {@link io.millrace.server.downstream.RequestHandler} with a {@link io.millrace.server.downstream.ClientStream}, its way
 * back; what else comes of the request goes to the {@link io.millrace.server.downstream.RequestListener} that the handler
 * returns. The frames of an event stream leave through a {@link io.millrace.server.downstream.FrameSink}. Who looks after
 * all connections knows each as a {@link io.millrace.server.downstream.ClientConnection}. None of these names the version
 * of HTTP that the client speaks. All of it is confined to the event loop of the connection.
 *
 * <p>A connection awaits a request, reads its head, is in the exchange, and awaits the next one or is closing. A stream
 * awaits its response, is in it, and is over: ended, reset, or abandoned because the client is gone, which only its listener
 * is told. Over HTTP/1.1, a request that comes before the response to the one before it has ended stays in the decoder, as
 * bytes. Over HTTP/2 many requests are in progress at once, and what happens to one of them leaves the others alone.
 *
 * <p>Buffers: what {@code onRequestBody} tells belongs to the listener. What {@code writeBody} is given belongs to the
 * stream. What {@code append} is given remains with the caller: the sink copies or retains what it needs. What a sink holds
 * is written, or let go by {@code discard}; over HTTP/2, bytes that the client's windows do not allow yet stay with {@link
 * io.millrace.server.downstream.Http2StreamOutput}; a stream that is reset or abandoned discards the sink that it was begun with,
 * and no other.
 */
@NullMarked
package io.millrace.server.downstream;

import org.jspecify.annotations.NullMarked;
