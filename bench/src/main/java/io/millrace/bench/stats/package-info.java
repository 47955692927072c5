/**
 * What streams amount to: {@code Recorder} counts on one event loop, in histograms and bounded samples, so that the length of
 * a run costs no memory; {@code RunResult} is all of it together, with the verdict on the client itself.
 *
 * <p>{@code Metric} holds what each figure means; {@code docs/metrics.md} says it at length.
 */
package io.millrace.bench.stats;
