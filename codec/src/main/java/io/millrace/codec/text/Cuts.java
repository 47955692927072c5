package io.millrace.codec.text;

/** Decides where units of one kind end. It sees each code point once. Positions count from the text's start. */
interface Cuts {
    /** Receives the cuts. Cuts at or before the last one are ignored. */
    interface Sink {
        /** A unit begins at {@code position}. The text before it may be delivered. */
        void cutAt(long position);

        /** The text between two positions, without the part that was already delivered. */
        String textBetween(long from, long to);
    }

    /**
     * The next code point.
     *
     * @param clusterStart whether it begins a grapheme cluster; a unit may begin only there
     * @param at its position
     */
    void accept(int codePoint, boolean clusterStart, long at);

    /** The text ends at this position. */
    default void finish(long end) {}

    /**
     * Where to cut if a limit is reached before the unit ends; 0 if there is no such place. It is preferred to the end
     * of a word.
     */
    default long softCut() {
        return 0;
    }
}
