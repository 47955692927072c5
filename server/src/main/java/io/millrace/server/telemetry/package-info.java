/**
 * The facts about an exchange when it is over: its moments, the access log, the counts, and the text of the metrics.
 *
 * <p>Each event loop writes its own counters, and a reader adds them up. It holds no buffer.
 */
@NullMarked
package io.millrace.server.telemetry;

import org.jspecify.annotations.NullMarked;
