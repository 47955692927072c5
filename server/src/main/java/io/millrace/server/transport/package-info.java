/**
 * The kernel interface that Netty uses, and how sockets are opened with it. The door is
 * {@link io.millrace.server.transport.Transport}. It has no states and holds no buffer.
 */
@NullMarked
package io.millrace.server.transport;

import org.jspecify.annotations.NullMarked;
