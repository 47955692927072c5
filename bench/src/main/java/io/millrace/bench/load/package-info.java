/**
 * A load client for event streams: as many streams at once as asked, each checked for its order, its length and its
 * terminal, and every frame timed from the mock's stamp to the read that brought it.
 *
 * <p>One event loop does it all, so nothing is shared: {@code LoadRun} keeps the number of streams, {@code
 * StreamConnection} sends requests, {@code ResponseReader} takes HTTP off, {@code StreamCheck} looks at frames, {@code
 * Recorder} counts.
 */
package io.millrace.bench.load;
