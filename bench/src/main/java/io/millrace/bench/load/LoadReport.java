package io.millrace.bench.load;

import java.util.Map;
import org.HdrHistogram.Histogram;

/**
 * The result of a run. Times are nanoseconds.
 *
 * @param windowNs how long the measured window was
 * @param frames of every kind that were read in the window
 * @param streams that ended well in the window
 * @param ttft of streams that began in the window: from the request handed to the socket to the read of the first byte
 *     of a body
 * @param delay of stamped frames that were read in the window: from the mock's stamp to the read
 * @param completed streams that ended well, in the whole run
 * @param unfinished streams that were in progress at the end and were closed by this client
 * @param shortestBody of the streams that ended well, in bytes; 0 if none did
 * @param longestBody of the streams that ended well, in bytes; 0 if none did
 * @param failures how many streams of the whole run were lost, by what happened; empty if none was
 */
public record LoadReport(
        long windowNs,
        long frames,
        long streams,
        Histogram ttft,
        Histogram delay,
        long completed,
        long unfinished,
        long shortestBody,
        long longestBody,
        Map<String, Long> failures) {
    /** All streams that were lost. */
    public long lost() {
        return failures.values().stream().mapToLong(Long::longValue).sum();
    }
}
