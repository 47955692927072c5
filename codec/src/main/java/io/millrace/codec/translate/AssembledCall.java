package io.millrace.codec.translate;

import org.jspecify.annotations.Nullable;

/** A tool call while {@link CallAssembler} builds it. */
final class AssembledCall {
    /** The number of the call in the order in which calls began. */
    final int place;

    /** The last call that was open when this one began. */
    final @Nullable AssembledCall before;

    /** The index of its first fragment. */
    final int upstreamIndex;

    /** Arguments that came before the sink was told about the call. */
    final StringBuilder waiting = new StringBuilder();

    ObjectScan scan = new ObjectScan();

    /** The call's index in the answer, {@code -1} until the sink has been told about the call. */
    int index = -1;

    /** The id of the call in the server's fragments, empty if they have none. */
    String key = "";

    String id = "";
    String name = "";

    @Nullable
    Seal seal;

    /** Whether it repeats the name of a whole call. It may then be the same call. */
    boolean doubtful;

    /** Whether its arguments are an empty object so far, which may be replaced by other arguments. */
    boolean unsettled;

    /** Whether {@link CallFinder} has it among the open calls, and among the open calls of its name. */
    boolean inOpened;

    boolean inOpenedByName;

    AssembledCall(int place, int upstreamIndex, @Nullable AssembledCall before) {
        this.place = place;
        this.upstreamIndex = upstreamIndex;
        this.before = before;
    }

    /** Whether it has a name and incomplete arguments. */
    boolean isOpen() {
        return !name.isEmpty() && !doubtful && !scan.isWhole();
    }

    /** Whether no arguments came. */
    boolean isEmpty() {
        return scan.isEmpty();
    }

    /** Whether the sink has been told about the call. */
    boolean isTold() {
        return index >= 0;
    }
}
