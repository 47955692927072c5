/**
 * {@code scripts/compare}: measures Millrace and other proxies in one interleaved run on one machine.
 *
 * <p>The door is {@code CompareCommand}. {@code Comparison} goes through rounds, scenarios and targets.
 * {@code Launcher} starts the mock and the targets, each as a process of its own, and stops them. {@code Meter} puts
 * one load on one target and measures what it costs. {@code Table} and {@code Charts} show the results. A target is
 * started, warmed up, measured and stopped. All of it runs on the thread of the command. The load runs in
 * {@link io.millrace.bench.load}, which owns the buffers.
 */
@NullMarked
package io.millrace.bench.compare;

import org.jspecify.annotations.NullMarked;
