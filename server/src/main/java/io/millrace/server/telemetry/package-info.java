/**
 * What is known of exchanges when they are over: their moments, the access log, the counts, and the metrics text. Each event\n * loop writes its own counters; a reader sums them. It holds no buffer.\n */
package io.millrace.server.telemetry;
