package io.millrace.bench.load;

/**
 * Where a run is.
 *
 * @param connections that are open
 * @param streaming streams in progress that have brought a frame
 * @param frames that were read
 * @param completed streams that ended well
 * @param lost streams that did not
 */
public record LoadProgress(int connections, int streaming, long frames, long completed, long lost) {}
