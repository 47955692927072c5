/**
 * The sweep: one timer for each event loop, which looks at the deadlines of all who registered. The door is
 * {@link io.millrace.server.timing.Sweeper}. It is confined to its event loop and holds no buffer.
 */
@NullMarked
package io.millrace.server.timing;

import org.jspecify.annotations.NullMarked;
