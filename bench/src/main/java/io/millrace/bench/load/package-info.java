/**
 * The load of {@code compare}: a number of streams at once. It checks the order, the length and the terminal of each
 * stream. It times every frame from the mock's stamp to the read that brought it.
 *
 * <p>The door is {@code LoadClient}. A {@code LoadRun} continues until it is stopped. Only frames and streams within
 * its window count. The engine is that of {@link io.millrace.bench.stream}; this package adds its cheap reader,
 * {@code StreamCheck}, and its observer, {@code Recorder}. All of it lives on one event loop. No buffer is kept:
 * readers look at the bytes in place.
 */
@NullMarked
package io.millrace.bench.load;

import org.jspecify.annotations.NullMarked;
