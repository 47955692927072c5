package io.millrace.bench.report;

import io.millrace.bench.stats.RunResult;
import java.util.List;

/**
 * The head of a report and its results.
 *
 * @param version of this tool
 * @param url the URL of the requests, without a query
 * @param dialect of the answers
 * @param protocol the version of HTTP, and on how many connections
 * @param model that was asked for
 * @param load the load in words
 * @param points the results, one for each amount of load, in order
 * @param origin what has to be known to run it again
 * @param interrupted whether the user ended it before its time
 */
public record Subject(
        String version,
        String url,
        String dialect,
        String protocol,
        String model,
        String load,
        List<RunResult> points,
        Origin origin,
        boolean interrupted) {
    /** Copies the list of points. */
    public Subject {
        points = List.copyOf(points);
    }

    /** The last point. Its figures are at the top of files. */
    public RunResult last() {
        return points.get(points.size() - 1);
    }
}
