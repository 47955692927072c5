/**
 * Makes the JVM compile the path of a token before clients come. It relays recorded streams for some seconds, with a
 * relay of its own, between clients and an upstream that are plain sockets, or sockets of the JDK's TLS. The doors are
 * {@link io.millrace.server.warmup.WarmUp} and, for training, {@link io.millrace.server.warmup.PracticeCertificate}. A
 * warm-up is running, pausing while the real relay has work, or over. It holds no Netty buffer of the relay's.
 */
@NullMarked
package io.millrace.server.warmup;

import org.jspecify.annotations.NullMarked;
