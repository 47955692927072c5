package io.millrace.bench.load;

/**
 * The counts of a run in progress.
 *
 * @param connections that are open
 * @param streaming streams in progress that have brought a frame
 * @param frames that were read
 * @param completed streams that ended well
 * @param lost streams that did not
 */
public record LoadProgress(int connections, int streaming, long frames, long completed, long lost) {}
