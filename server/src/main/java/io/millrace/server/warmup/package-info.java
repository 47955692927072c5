/**
 * Work for the JVM's compiler before clients come: a relay of its own, between a client and an upstream that are plain
 * sockets, relays recorded streams for some seconds.
 */
package io.millrace.server.warmup;
