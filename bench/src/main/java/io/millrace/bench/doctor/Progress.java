package io.millrace.bench.doctor;

import java.util.List;

/** Receives what an examination does and finds, at once, on the thread of the examination. */
interface Progress {
    /** Ignores it. */
    Progress NONE = new Progress() {};

    /** It waits for {@code what}. */
    default void waitsFor(String what) {}

    /** The paced stream has come through these servers. */
    default void sees(Source source, List<Hop> hops) {}

    /** The paced stream came in this way. */
    default void measures(Pacing pacing) {}

    /** Something was found. */
    default void finds(Finding finding) {}
}
