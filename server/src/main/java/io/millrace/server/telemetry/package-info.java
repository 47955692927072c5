/**
 * The facts about an exchange when it is over: its times, the access log, the usage export, the counts, and the text of the metrics.
 *
 * <p>The doors are {@link io.millrace.server.telemetry.Summary}, which has the facts about one exchange,
 * {@link io.millrace.server.telemetry.LoopCounters}, {@link io.millrace.server.telemetry.AccessLogger}, {@link io.millrace.server.telemetry.UsageLogger} and
 * {@link io.millrace.server.telemetry.Metrics}. Each event loop writes its own counters, and a reader adds them up. A
 * summary does not change. The room holds no buffer.
 */
@NullMarked
package io.millrace.server.telemetry;

import org.jspecify.annotations.NullMarked;
