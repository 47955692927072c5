/**
 * How sockets are opened: the kernel interface that Netty uses. The door is
 * {@link io.millrace.server.transport.Transport}. It keeps no state and holds no buffer.
 */
@NullMarked
package io.millrace.server.transport;

import org.jspecify.annotations.NullMarked;
