package io.millrace.it.clients;

import java.util.ArrayList;
import java.util.List;

/**
 * A way for the upstream to break off an answer of {@link #OUTPUTS} output frames.
 *
 * @param name for people
 * @param fault in the mock LLM's words
 * @param outputs how many output frames precede it; -1 when not even the structural frames do
 */
record Cut(String name, String fault, int outputs) {
    /** Output frames of a whole answer. */
    static final int OUTPUTS = 6;

    /** All interesting points, each as a clean end without the terminal, as a cut body and as a reset. */
    static List<Cut> all() {
        var cuts = new ArrayList<Cut>();
        cuts.add(new Cut("cut after the head", "end_at_byte=0", -1));
        cuts.add(new Cut("reset after the head", "reset_at_byte=0", -1));
        cuts.addAll(after(0, 1, 3, OUTPUTS));
        return cuts;
    }

    /**
     * After each of these numbers of output frames. 0 is after the structural frames that precede the first output
     * frame.
     */
    static List<Cut> after(int... outputs) {
        var cuts = new ArrayList<Cut>();
        for (var count : outputs) {
            var point = count == 0 ? "before the first output" : "after " + count + " output frames";
            cuts.add(new Cut("clean end " + point, "eof_after=" + count, count));
            cuts.add(new Cut("cut " + point, "end_after=" + count, count));
            cuts.add(new Cut("reset " + point, "reset_after=" + count, count));
        }
        return cuts;
    }
}
