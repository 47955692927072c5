package io.millrace.bench.doctor;

import java.io.PrintWriter;
import java.util.List;
import java.util.Locale;

/**
 * Prints the findings of an examination for people, one after another. Another writer gets what the examination waits
 * for.
 */
final class Transcript implements Progress {
    private final PrintWriter out;
    private final PrintWriter waits;

    Transcript(PrintWriter out, PrintWriter waits) {
        this.out = out;
        this.waits = waits;
    }

    void begin(Target target) {
        out.printf(
                Locale.ROOT,
                "%s (%s, model %s)%n%n",
                target.base(),
                target.dialect().name().toLowerCase(Locale.ROOT),
                target.model());
        out.flush();
    }

    @Override
    public void waitsFor(String what) {
        waits.println("… " + what);
        waits.flush();
    }

    @Override
    public void sees(Source source, List<Hop> hops) {
        String titles = String.join(", ", hops.stream().map(Hop::title).toList());
        out.println("proxies seen: " + (hops.isEmpty() ? "none identified themselves" : titles));
        out.println("answered by:  " + source.text());
        out.flush();
    }

    @Override
    public void measures(Pacing pacing) {
        out.println("the stream:   " + pacing.evidence());
        out.println();
        out.flush();
    }

    @Override
    public void finds(Finding finding) {
        out.println(
                (finding.wrong() ? "WRONG  " : "NOTE   ") + finding.ailment().text());
        out.println("       seen: " + finding.evidence());
        finding.fixes().forEach(fix -> out.println("       fix:  " + fix));
        out.println();
        out.flush();
    }

    void end(Diagnosis diagnosis) {
        out.println(diagnosis.summary());
        out.flush();
    }
}
