/**
 * Work for the JVM's compiler before clients come. A relay of its own relays recorded streams for some seconds, between a client
 * and an upstream that are plain sockets. The door is {@link io.millrace.server.warmup.WarmUp}.
 */
@NullMarked
package io.millrace.server.warmup;

import org.jspecify.annotations.NullMarked;
