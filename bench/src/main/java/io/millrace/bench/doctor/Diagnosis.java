package io.millrace.bench.doctor;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * The result of an examination.
 *
 * @param source what made the tokens
 * @param pacing the times of the paced stream, {@code null} if there was none
 */
record Diagnosis(
        Target target,
        Source source,
        List<Hop> hops,
        @Nullable Pacing pacing,
        List<Finding> findings) {
    /** Whether no finding has to be corrected. */
    boolean clean() {
        return findings.stream().noneMatch(Finding::wrong);
    }

    /** The last line, for people. */
    String summary() {
        long wrong = findings.stream().filter(Finding::wrong).count();
        boolean unjudged = findings.stream().anyMatch(finding -> finding.ailment() == Ailment.BURST);
        return wrong > 0
                ? wrong + (wrong == 1 ? " thing is" : " things are") + " wrong."
                : unjudged ? "Nothing wrong was seen, but the pacing could not be judged." : "Clean.";
    }

    /** The JSON for programs. */
    ObjectNode toJson() {
        ObjectNode json = JsonNodeFactory.instance.objectNode();
        json.put("url", target.base().toString());
        json.put("dialect", target.dialect().name().toLowerCase(Locale.ROOT));
        json.put("model", target.model());
        json.put("source", source.name().toLowerCase(Locale.ROOT));
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

    private static void put(ObjectNode json, String name, double value) {
        if (!Double.isNaN(value)) {
            json.put(name, Math.round(value * 10) / 10.0);
        }
    }
}
