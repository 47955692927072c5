/**
 * Who may use the relay: clients by their keys, pages of other origins, and keys that distinguish senders. Its door is
 * {@link io.millrace.server.access.Access}. It reads request heads only. It holds no buffer.
 */
@NullMarked
package io.millrace.server.access;

import org.jspecify.annotations.NullMarked;
