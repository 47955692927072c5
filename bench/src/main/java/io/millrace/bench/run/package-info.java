/**
 * {@code millrace bench}: its options, and its ways to run loads: one, a sequence, a search, a comparison.
 *
 * <p>The door is {@code BenchCommand}. {@code Plans} makes a plan from the options, and {@code Session} runs it.
 * {@code MaxSearch} and {@code Baseline} run several plans. A run is in progress, has ended, or was aborted by the
 * first SIGINT. The second SIGINT ends the process. All of it runs on the thread of the command. Buffers and event
 * loops belong to {@link io.millrace.bench.stream}.
 */
@NullMarked
package io.millrace.bench.run;

import org.jspecify.annotations.NullMarked;
