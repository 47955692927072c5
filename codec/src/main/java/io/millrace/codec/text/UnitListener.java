package io.millrace.codec.text;

/** Takes the units that a {@link TextSegmenter} finds. */
@FunctionalInterface
public interface UnitListener {
    /**
     * The next unit. Its text follows that of the unit before without a gap. This is called within the segmenter's methods and
     * must not call the segmenter. An exception is thrown on to the segmenter's caller; the segmenter cannot be used after it.
     */
    void onUnit(String text);
}
