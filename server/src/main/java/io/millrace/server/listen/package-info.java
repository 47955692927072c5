/**
 * Where clients connect: sockets that are bound, listened at, and closed.
 *
 * <p>The door: {@link io.millrace.server.listen.Listeners} opens a {@link io.millrace.server.config.Listener} and says where
 * it is bound. What becomes of a connection that it accepts is the business of the pipeline that it is given. A listener is
 * open from {@code open} to {@code serveAndClose}, which serves those who wait, or to {@code close}, which does not, or to
 * {@code letGo}, which leaves them to another process.
 *
 * <p>A process that follows this one takes the sockets over: {@link io.millrace.server.listen.ControlSocket} hands copies of
 * them out, {@link io.millrace.server.listen.TakeOver} asks for them, and
 * {@link io.millrace.server.listen.InheritedSockets} are what {@code Listeners} then listens at.
 *
 * <p>Calls come from any one thread at a time; connections are accepted on their event loops.
 */
@NullMarked
package io.millrace.server.listen;

import org.jspecify.annotations.NullMarked;
