package io.millrace.bench.report;

/**
 * The answer to the question of a run. Every report begins with it.
 *
 * @param text for a terminal; empty if the figures are the answer
 * @param html the same for a page
 * @param rate the rate that was found, in streams a second; NaN if none was sought
 */
public record Answer(String text, String html, double rate) {
    /** The figures are the answer. */
    public static final Answer NONE = new Answer("", "", Double.NaN);

    /** A rate that was found, or 0 if no rate is good enough. */
    public static Answer ofRate(double rate, String text) {
        String tile = rate > 0
                ? "<dl class=\"tiles\"><div><dt>highest good rate</dt><dd>" + Plot.escape(Numbers.of(rate))
                        + "/s</dd></div></dl>\n"
                : "";
        String page = "<h2>Answer</h2>\n" + tile + "<p>" + Plot.escape(text) + "</p>\n";
        return new Answer("\n" + text + "\n", page, rate);
    }
}
