package io.millrace.codec.translate;

import org.jspecify.annotations.Nullable;

/** A tool call while {@link CallAssembler} builds it. */
final class AssembledCall {
    /** Counts the calls in the order in which they began. */
    final int place;

    /** The last call that was open when this one began. */
    final @Nullable AssembledCall before;

    /** The index of its first fragment. */
    final int upstreamIndex;

    /** Arguments that came before the sink knows of the call. */
    final StringBuilder waiting = new StringBuilder();

    ObjectScan scan = new ObjectScan();

    /** The call's index in the answer, {@code -1} until the sink knows of the call. */
    int index = -1;

    /** The id that the server's fragments name the call by, empty if they have none. */
    String key = "";

    String id = "";
    String name = "";

    @Nullable
    Seal seal;

    /** Whether it repeats the name of a whole call: it need not be another call. */
    boolean doubtful;

    /** Whether its arguments are an empty object so far, which other arguments may replace. */
    boolean unsettled;

    /** Whether {@link CallFinder} has it among the open calls, and among those of its name. */
    boolean inOpened;

    boolean inOpenedByName;

    AssembledCall(int place, int upstreamIndex, @Nullable AssembledCall before) {
        this.place = place;
        this.upstreamIndex = upstreamIndex;
        this.before = before;
    }

    /** Whether it has a name, and its arguments are not whole. */
    boolean isOpen() {
        return !name.isEmpty() && !doubtful && !scan.isWhole();
    }

    /** Whether no arguments came. */
    boolean isEmpty() {
        return scan.isEmpty();
    }

    /** Whether the sink knows of the call. */
    boolean isTold() {
        return index >= 0;
    }
}
