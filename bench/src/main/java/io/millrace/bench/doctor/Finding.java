package io.millrace.bench.doctor;

import java.util.List;

/**
 * One observation.
 *
 * @param wrong whether it has to be corrected; otherwise it is a note
 * @param evidence what was observed
 * @param fixes how to correct it, one entry for each place where that is possible
 */
record Finding(Ailment ailment, boolean wrong, String evidence, List<String> fixes) {
    static Finding wrong(Ailment ailment, String evidence, List<Hop> hops) {
        return new Finding(ailment, true, evidence, Fixes.of(ailment, hops));
    }

    static Finding note(Ailment ailment, String evidence, List<Hop> hops) {
        return new Finding(ailment, false, evidence, Fixes.of(ailment, hops));
    }
}
