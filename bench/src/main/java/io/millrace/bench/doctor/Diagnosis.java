package io.millrace.bench.doctor;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * The result of an examination.
 *
 * @param pacing the times of the paced stream, {@code null} if there was none
 */
record Diagnosis(Target target, List<Hop> hops, @Nullable Pacing pacing, List<Finding> findings) {
    /** Whether no finding has to be corrected. */
    boolean clean() {
        return findings.stream().noneMatch(Finding::wrong);
    }

    /** The text for people. */
    String toText() {
        var text = new StringBuilder();
        text.append(target.base())
                .append(" (")
                .append(target.dialect().name().toLowerCase(Locale.ROOT))
                .append(", ");
        text.append(target.isMock() ? "a Millrace mock behind it" : "model " + target.model())
                .append(")\n\n");
        text.append("seen on the way: ")
                .append(hops.isEmpty() ? "nobody who says so" : titles())
                .append('\n');
        if (pacing != null) {
            text.append("the stream:      ").append(pacing.evidence()).append('\n');
        }
        text.append('\n');
        findings.stream().filter(Finding::wrong).forEach(finding -> append(text, "WRONG", finding));
        findings.stream().filter(finding -> !finding.wrong()).forEach(finding -> append(text, "note ", finding));
        long wrong = findings.stream().filter(Finding::wrong).count();
        text.append(wrong == 0 ? "Clean.\n" : wrong + (wrong == 1 ? " thing is" : " things are") + " wrong.\n");
        return text.toString();
    }

    /** The JSON for programs. */
    ObjectNode toJson() {
        ObjectNode json = JsonNodeFactory.instance.objectNode();
        json.put("url", target.base().toString());
        json.put("dialect", target.dialect().name().toLowerCase(Locale.ROOT));
        json.put("model", target.model());
        json.put("clean", clean());
        hops.forEach(hop -> json.withArray("hops").add(hop.title()));
        if (pacing != null) {
            ObjectNode stream = json.putObject("stream");
            stream.put("tokens", pacing.outputs()).put("clumps", pacing.clumps());
            put(stream, "held_p50_ms", pacing.heldP50Ms());
            put(stream, "held_max_ms", pacing.heldMaxMs());
            put(stream, "gap_p50_ms", pacing.gapMs());
        }
        var list = json.putArray("findings");
        for (Finding finding : findings) {
            ObjectNode one = list.addObject();
            one.put("code", finding.ailment().code()).put("wrong", finding.wrong());
            one.put("what", finding.ailment().text()).put("seen", finding.evidence());
            var fixes = one.putArray("fixes");
            finding.fixes().forEach(fixes::add);
        }
        return json;
    }

    private String titles() {
        return String.join(", ", hops.stream().map(Hop::title).toList());
    }

    private static void append(StringBuilder text, String level, Finding finding) {
        text.append(level).append("  ").append(finding.ailment().text()).append('\n');
        text.append("       seen: ").append(finding.evidence()).append('\n');
        finding.fixes().forEach(fix -> text.append("       fix:  ").append(fix).append('\n'));
        text.append('\n');
    }

    private static void put(ObjectNode json, String name, double value) {
        if (!Double.isNaN(value)) {
            json.put(name, Math.round(value * 10) / 10.0);
        }
    }
}
