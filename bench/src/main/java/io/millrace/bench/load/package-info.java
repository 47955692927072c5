/**
 * The load of {@code compare}: as many streams at once as asked, each checked for its order, its length and its terminal, and
 * every frame timed from the mock's stamp to the read that brought it.
 *
 * <p>The door is {@code LoadClient}. A {@code LoadRun} goes on until it is stopped; only what comes between the beginning and
 * the end of its window counts. The engine is that of {@link io.millrace.bench.stream}: what is here is its cheap reader, {@code
 * StreamCheck}, and its observer, {@code Recorder}. All of it lives on one event loop. No buffer is kept: a reader looks at
 * bytes where they lie.
 */
@NullMarked
package io.millrace.bench.load;

import org.jspecify.annotations.NullMarked;
