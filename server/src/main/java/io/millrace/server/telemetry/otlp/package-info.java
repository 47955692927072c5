/**
 * Sends traces and metrics to a collector of OpenTelemetry, as OTLP over HTTP. The door is
 * {@link io.millrace.server.telemetry.otlp.OtlpExport}, which has threads of its own. They take the exchanges that have
 * ended from {@link io.millrace.server.telemetry.Tracing}, and read the cells of the metrics. Event loops know nothing of
 * this room.
 *
 * <p>No other package uses OpenTelemetry. Its classes are loaded only if a collector is configured. All names that it
 * knows are in {@code Names}. This room holds no buffer.
 */
@NullMarked
package io.millrace.server.telemetry.otlp;

import org.jspecify.annotations.NullMarked;
