package io.millrace.codec.text;

import java.util.Locale;
import java.util.concurrent.TimeUnit;

/** The units of streamed text. */
public enum TextUnit {
    /** The pieces as they come. If a piece ends inside a character, its end is held for the next one. */
    TOKEN(256, 1_000),
    /** A word with the punctuation and white space after it; one ideograph; or a Thai word of the JDK's dictionary. */
    WORD(1_000, 1_000),
    /** A sentence with the white space after it. A line end always ends one. */
    SENTENCE(2_000, 5_000),
    /** Text up to and including a blank line. */
    PARAGRAPH(8_000, 10_000),
    /**
     * A Markdown block with the blank lines after it: a paragraph, heading, quotation, whole code fence, list item with
     * its nested content, or table row (the first with its head).
     */
    MARKDOWN(32_000, 10_000);

    private final int maxChars;
    private final long maxMs;

    TextUnit(int maxChars, long maxMs) {
        this.maxChars = maxChars;
        this.maxMs = maxMs;
    }

    /** The default limits of this unit. */
    public HoldLimits defaultLimits() {
        return new HoldLimits(maxChars, TimeUnit.MILLISECONDS.toNanos(maxMs));
    }

    /**
     * The unit with this name in lower case, such as {@code sentence}.
     *
     * @throws IllegalArgumentException if there is none
     */
    public static TextUnit of(String name) {
        for (TextUnit unit : values()) {
            if (unit.toString().equals(name)) {
                return unit;
            }
        }
        throw new IllegalArgumentException(
                "unit: " + name + " (expected: token, word, sentence, paragraph or markdown)");
    }

    /** The name in lower case. */
    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
