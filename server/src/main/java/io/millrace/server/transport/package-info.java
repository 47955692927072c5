/**
 * How sockets are opened: the kernel interface that Netty uses, and what the kernel keeps waiting. The door is\n * {@link io.millrace.server.transport.Transport}. It holds no buffer and no state.\n */
package io.millrace.server.transport;
