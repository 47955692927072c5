/**
 * The sockets where clients connect: they are bound, listened at, and closed.
 *
 * <p>The door: {@link io.millrace.server.listen.Listeners} opens a {@link io.millrace.server.config.Listener} and
 * tells its address. The pipeline that it is given handles the accepted connections. A listener is open until {@code
 * serveAndClose}, which first serves the clients that wait; until {@code close}, which does not; or until {@code
 * letGo}, which leaves them to another process.
 *
 * <p>In a take-over, {@link io.millrace.server.listen.ControlSocket} hands out copies of the sockets, {@link
 * io.millrace.server.listen.TakeOver} asks for them, and {@code Listeners} listens at the {@link
 * io.millrace.server.listen.InheritedSockets}.
 *
 * <p>Calls come from any one thread at a time. Connections are accepted on their event loops. The room holds no buffer.
 */
@NullMarked
package io.millrace.server.listen;

import org.jspecify.annotations.NullMarked;
