package io.millrace.bench.report;

import io.millrace.bench.stats.Metric;
import io.millrace.bench.stats.RunResult;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.HdrHistogram.HistogramLogWriter;

/**
 * Writes the histograms as an HDR log, for tools such as HistogramLogAnalyzer: an interval for each amount of load, a
 * tag for each metric.
 */
public final class HdrLog {
    private static final double MS_PER_S = 1000;

    private HdrLog() {}

    /** Writes the file. */
    public static void write(Path file, List<RunResult> points) throws IOException {
        try (OutputStream out = Files.newOutputStream(file)) {
            var log = new HistogramLogWriter(out);
            long base = points.get(0).begunAt().toEpochMilli();
            log.outputComment("[Written by millrace bench; values in nanoseconds, ratios in thousandths]");
            log.outputStartTime(base);
            log.setBaseTime(base);
            log.outputLegend();
            for (var point : points) {
                for (var metric : Metric.values()) {
                    var histogram = point.of(metric).histogram().copy();
                    if (histogram.getTotalCount() > 0) {
                        long from = point.begunAt().toEpochMilli();
                        histogram.setTag(
                                metric.key() + "@" + point.shape().label().replace(' ', '_'));
                        histogram.setStartTimeStamp(from);
                        histogram.setEndTimeStamp(from + (long) (point.seconds() * MS_PER_S));
                        log.outputIntervalHistogram(histogram);
                    }
                }
            }
        }
    }
}
