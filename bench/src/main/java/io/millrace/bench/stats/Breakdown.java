package io.millrace.bench.stats;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.LongFunction;
import java.util.function.LongUnaryOperator;
import org.HdrHistogram.Histogram;

/** The times to first token of the streams of sessions, in classes by some number. Lives on one event loop. */
public final class Breakdown {
    private static final int DIGITS = 3;
    private static final int SINGLE_TURNS = 8;
    private static final int SHORT_PROMPT = 128;

    /** By the turn, from 1: each of the first eight for itself, then by powers of two. */
    static final Classes TURNS = new Classes(
            turn -> turn <= SINGLE_TURNS ? turn : Long.highestOneBit(turn - 1) + 1,
            from -> from <= SINGLE_TURNS ? Long.toString(from) : from + "-" + 2 * (from - 1));

    /** By the tokens of the prompt: fewer than 128, then by powers of two. */
    static final Classes PROMPTS = new Classes(
            tokens -> tokens < SHORT_PROMPT ? 0 : Long.highestOneBit(tokens),
            from -> from == 0 ? "under " + SHORT_PROMPT : from + "-" + (2 * from - 1));

    private final Classes classes;
    private final Map<Long, Row> rows = new TreeMap<>();

    /**
     * How numbers are put into classes.
     *
     * @param of the lowest number of the class of a number
     * @param label the name of a class, by its lowest number
     */
    record Classes(LongUnaryOperator of, LongFunction<String> label) {}

    /**
     * One class.
     *
     * @param from the lowest number in it
     * @param label its name
     * @param promptTokens the lengths of the prompts
     * @param ttft the times to first token, in milliseconds
     */
    public record Part(long from, String label, Distribution promptTokens, Distribution ttft) {}

    private record Row(Histogram promptTokens, Histogram ttft) {
        Row() {
            this(new Histogram(DIGITS), new Histogram(DIGITS));
        }
    }

    Breakdown(Classes classes) {
        this.classes = classes;
    }

    void add(long number, long promptTokens, long ttftNs) {
        var row = rows.computeIfAbsent(classes.of.applyAsLong(number), from -> new Row());
        row.promptTokens.recordValue(1000 * Math.max(0, promptTokens));
        row.ttft.recordValue(ttftNs);
    }

    void add(Breakdown other) {
        other.rows.forEach((from, theirs) -> {
            var row = rows.computeIfAbsent(from, f -> new Row());
            row.promptTokens.add(theirs.promptTokens);
            row.ttft.add(theirs.ttft);
        });
    }

    /** The classes that have values, in ascending order; empty if no stream was of a session. */
    public List<Part> parts() {
        var parts = new ArrayList<Part>();
        rows.forEach((from, row) -> parts.add(new Part(
                from,
                classes.label.apply(from),
                new Distribution(Metric.Unit.RATIO, row.promptTokens),
                new Distribution(Metric.Unit.MS, row.ttft))));
        return parts;
    }
}
