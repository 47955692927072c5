/**
 * What streams amount to, and whether the client was fit to measure them.
 *
 * <p>The door is {@code Runner}, which runs a load and gives its {@code RunResult}. Each event loop has a {@code Recorder}, which
 * counts in histograms and bounded samples, so that a long run takes no more memory than a short one. Only its event loop
 * touches a recorder until the run has ended; then the recorders become one result, which does not change. {@code Metric} holds
 * the meaning of each figure, and {@code docs/metrics.md} explains it. It holds no buffer.
 */
@NullMarked
package io.millrace.bench.stats;

import org.jspecify.annotations.NullMarked;
