/**
 * The client's dialect, and the translation for upstreams of other dialects. It is between the relay and the codec.
 *
 * <p>The door is {@link io.millrace.server.format.ClientSide}, one for each exchange. For each attempt that needs a
 * translation it gives an {@link io.millrace.server.format.Interpreter}. An interpreter has a request, then translates
 * the answer, and is over with the client's end or error. Buffers remain with the caller. The caller owns the buffers
 * that are returned.
 */
@NullMarked
package io.millrace.server.format;

import org.jspecify.annotations.NullMarked;
