/**
 * Who may use the relay: pages of other origins, and keys that tell clients apart. Its door is {@link io.millrace.server.access.Access}. It reads request heads only. It keeps no
 * state and holds no buffer.
 */
@NullMarked
package io.millrace.server.access;

import org.jspecify.annotations.NullMarked;
