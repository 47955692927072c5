/**
 * Makes the JVM compile the path of a token before clients come. It relays recorded streams for some seconds, with a
 * relay of its own, between a client and an upstream that are plain sockets. The door is
 * {@link io.millrace.server.warmup.WarmUp}. It is running, pausing while the real relay has work, or over. It holds no
 * Netty buffer.
 */
@NullMarked
package io.millrace.server.warmup;

import org.jspecify.annotations.NullMarked;
