/**
 * The results of streams, and a verdict on whether the client was fit to measure them.
 *
 * <p>The door is {@code Runner}, which runs a load and returns its {@code RunResult}. Each event loop has a
 * {@code Recorder}, which counts in histograms and bounded samples. So a long run takes no more memory than a short
 * one. Only its event loop touches a recorder until the run has ended. Then the recorders are merged into one result,
 * which does not change. {@code Metric} defines each figure, and {@code docs/metrics.md} explains it. This package
 * holds no buffer.
 */
@NullMarked
package io.millrace.bench.stats;

import org.jspecify.annotations.NullMarked;
