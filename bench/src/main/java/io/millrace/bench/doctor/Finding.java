package io.millrace.bench.doctor;

import java.util.List;

/**
 * One observation.
 *
 * @param wrong whether it has to be mended; else it is a note
 * @param evidence what was seen
 * @param fixes what to do, one for each place where it can be done
 */
record Finding(Ailment ailment, boolean wrong, String evidence, List<String> fixes) {
    static Finding wrong(Ailment ailment, String evidence, List<Hop> hops) {
        return new Finding(ailment, true, evidence, Fixes.of(ailment, hops));
    }

    static Finding note(Ailment ailment, String evidence, List<Hop> hops) {
        return new Finding(ailment, false, evidence, Fixes.of(ailment, hops));
    }
}
