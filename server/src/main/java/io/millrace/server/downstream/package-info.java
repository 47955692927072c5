/**
 * Connections of clients: requests come in, and responses go out.
 *
 * <p>The door: {@link io.millrace.server.downstream.ClientPipeline} opens a client's connection, if
 * {@link io.millrace.server.downstream.Admission} has room for it. A request that passes the gate goes to the
 * {@link io.millrace.server.downstream.RequestHandler}, with a {@link io.millrace.server.downstream.ClientStream} for
 * its response. The rest of the request goes to the {@link io.millrace.server.downstream.RequestListener} that the
 * handler returns. The frames of an event stream go to a {@link io.millrace.server.downstream.FrameSink}. Code that
 * watches all connections sees each as a {@link io.millrace.server.downstream.ClientConnection}. None of these depends
 * on the client's version of HTTP. All of it is confined to the event loop of the connection.
 *
 * <p>A connection awaits a request, reads its head, is in the exchange, and awaits the next one or is closing. A stream
 * awaits its response, is in it, and is over. It is over when it has ended, was reset, or was abandoned because the
 * client has gone, which only its listener is told. Over HTTP/1.1, a request that comes before the response to the one
 * before it has ended stays in the decoder, as bytes. Over HTTP/2, many requests are in progress at once, and do not
 * affect each other.
 *
 * <p>Buffers: the argument of {@code onRequestBody} belongs to the listener. The argument of {@code writeBody} belongs
 * to the stream. The argument of {@code append} remains with the caller; the sink copies or retains what it needs. Held
 * bytes of a sink are written, or released by {@code discard}. Over HTTP/2,
 * {@link io.millrace.server.downstream.Http2StreamOutput} holds the bytes that the client's windows do not allow yet. A
 * stream that is reset or abandoned discards only the sink with which it was begun.
 */
@NullMarked
package io.millrace.server.downstream;

import org.jspecify.annotations.NullMarked;
