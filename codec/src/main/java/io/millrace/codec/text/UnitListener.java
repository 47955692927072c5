package io.millrace.codec.text;

/** Receives the units of a {@link TextSegmenter}. */
@FunctionalInterface
public interface UnitListener {
    /**
     * The next unit. It follows the unit before without a gap. It is called within the segmenter's methods and must not
     * call the segmenter. An exception goes to the segmenter's caller, and the segmenter cannot be used after it.
     */
    void onUnit(String text);
}
