/**
 * Millrace beside other proxies, in one interleaved run on one machine: {@code scripts/compare}.
 *
 * <p>{@code Comparison} goes through rounds, scenarios and targets; {@code Launcher} starts the mock and the targets,
 * each as a process of its own; {@code Meter} puts one load on one target and says what it cost; {@code Table} and the
 * charts show what came of it.
 */
package io.millrace.bench.compare;
