package io.millrace.bench.stream;

import org.jspecify.annotations.Nullable;

/** The sessions of a load, by their number. In every run with the same seed, a number has the same session. */
public interface Sessions {
    /** Session {@code index}, which counts from 0. May be called from several threads. */
    Session of(long index);

    /** When each session begins, as nanoseconds from the start, in order; null if the load decides. */
    default long @Nullable [] startsNs() {
        return null;
    }
}
