package io.millrace.codec.text;

/** Takes the units that a {@link TextSegmenter} finds. */
@FunctionalInterface
public interface UnitListener {
    /**
     * The next unit; its text follows that of the unit before without a gap. Called from within the segmenter's methods: must
     * not call it back. What it throws comes out there, and the segmenter is then of no more use.
     */
    void onUnit(String text);
}
