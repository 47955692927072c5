package io.millrace.codec.text;

/** Decides where units of one kind end, one code point at a time, each seen once. Positions count from the text's start. */
interface Cuts {
    /** Where cuts go to. Those at or before the last one are ignored. */
    interface Sink {
        /** A unit begins at {@code position}; what was before it may be delivered. */
        void cutAt(long position);

        /** The text between two positions, of which what was delivered already is missing. */
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

    /** Where to cut if a limit is hit before the unit ends, better than between words; 0 if nowhere. */
    default long softCut() {
        return 0;
    }
}
