package io.millrace.bench.load;

import java.util.Map;
import org.HdrHistogram.Histogram;

/**
 * The result of a run. Times are nanoseconds.
 *
 * @param windowNs the length of the measured window
 * @param frames the frames of every kind that were read in the window
 * @param streams the streams that completed in the window
 * @param ttft of streams that began in the window: from the write of the request to the read of the first byte of a
 *     body
 * @param delay of stamped frames that were read in the window: from the mock's stamp to the read
 * @param completed the streams that completed in the whole run
 * @param unfinished the streams that were in progress at the end and were closed by this client
 * @param shortestBody the shortest body of a completed stream, in bytes; 0 if there was none
 * @param longestBody the longest body of a completed stream, in bytes; 0 if there was none
 * @param failures how many streams of the whole run were lost, by reason
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
    /** The number of streams that were lost. */
    public long lost() {
        return failures.values().stream().mapToLong(Long::longValue).sum();
    }
}
