/**
 * The client's dialect, and how the client is answered if its upstream uses another one. It is between the relay and the codec.
 *
 * <p>The door is {@link io.millrace.server.format.ClientSide}, one for each exchange. For each attempt it gives an
 * {@link io.millrace.server.format.Interpreter} where a translation is needed.
 */
@NullMarked
package io.millrace.server.format;

import org.jspecify.annotations.NullMarked;
