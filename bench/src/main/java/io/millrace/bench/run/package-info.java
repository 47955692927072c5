/**
 * {@code millrace bench}: its options, and the ways to run loads with them: one, several in a row, a search, a comparison.
 *
 * <p>The door is {@code BenchCommand}. {@code Plans} makes a plan of the options, {@code Session} runs it, and {@code MaxSearch}
 * and {@code Baseline} run many. A run is going, was ended by itself, or was aborted by the first SIGINT; the second one ends the
 * process. All of it runs on the thread of the command; buffers and event loops belong to {@link io.millrace.bench.stream}.
 */
@NullMarked
package io.millrace.bench.run;

import org.jspecify.annotations.NullMarked;
