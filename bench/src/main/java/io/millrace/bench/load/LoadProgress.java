package io.millrace.bench.load;

/**
 * The counts of a run in progress.
 *
 * @param connections that are open
 * @param streaming the streams in progress that have received a frame
 * @param frames the frames that were read
 * @param completed the streams that completed
 * @param lost the streams that failed
 */
public record LoadProgress(int connections, int streaming, long frames, long completed, long lost) {}
