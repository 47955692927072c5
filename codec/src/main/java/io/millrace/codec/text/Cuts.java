package io.millrace.codec.text;

/** Decides where units of one kind end, one code point at a time, each seen once. Positions count from the text's start. */
interface Cuts {
    /** Where cuts go to. Those at or before the last one are ignored. */
    interface Sink {
        /** A unit begins at {@code position}; what was before it may be delivered. */
        void cutAt(long position);

        /** The text between two positions, without what was delivered already. */
        String textBetween(long from, long to);
    }

    /**
     * The next code point.
     *
     * @param clusterStart whether it begins a grapheme cluster: only there may a unit begin
     * @param at its position
     */
    void accept(int codePoint, boolean clusterStart, long at);

    /** The text ends at this position. */
    default void finish(long end) {}

    /** Where to cut if a limit is reached before the unit ends. It is preferred to the end of a word. 0 if there is none. */
    default long softCut() {
        return 0;
    }
}
