/**
 * The sweep: one timer for each event loop, which calls all members so that they check their deadlines. The door is
 * {@link io.millrace.server.timing.Sweeper}. It runs while it has members. It is confined to its event loop and holds
 * no buffer.
 */
@NullMarked
package io.millrace.server.timing;

import org.jspecify.annotations.NullMarked;
