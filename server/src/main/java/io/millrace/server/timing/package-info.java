/**
 * The sweep: one timer for each event loop, which calls all members so that they check their deadlines. The door is
 * {@link io.millrace.server.timing.Sweeper}. It runs while it has members. {@link io.millrace.server.timing.Turns} limits
 * how much work of one kind one turn of an event loop does. {@link io.millrace.server.timing.Closers} close what has had
 * its time. All are confined to their event loop and hold no buffer.
 */
@NullMarked
package io.millrace.server.timing;

import org.jspecify.annotations.NullMarked;
