package io.millrace.codec.text;

/** Properties of the characters of a line so far. */
final class LineCharacters {
    private static final int MIN_REPEATS = 3;

    /** The first character that is not blank, the number of such characters, and whether all are the same. */
    private int sign;

    private int signs;
    private boolean uniform;

    /**
     * Whether the last character is a blank after another character, and whether another character followed such a
     * blank.
     */
    private boolean blankBehind;

    private boolean gap;

    private boolean pipe;
    private boolean dash;
    private boolean onlyDelimiters;

    /** A line begins. */
    void begin() {
        sign = 0;
        signs = 0;
        uniform = true;
        blankBehind = false;
        gap = false;
        pipe = false;
        dash = false;
        onlyDelimiters = true;
    }

    void accept(int c, boolean blank) {
        if (blank) {
            blankBehind = signs > 0;
            return;
        }
        sign = signs > 0 ? sign : c;
        signs++;
        uniform &= c == sign;
        gap |= blankBehind;
        pipe |= c == '|';
        dash |= c == '-';
        onlyDelimiters &= c == '|' || c == '-' || c == ':';
    }

    /** The first character that is not blank, 0 if there is none. */
    int sign() {
        return sign;
    }

    /** How many characters are not blank. */
    int signs() {
        return signs;
    }

    boolean isNumber() {
        return sign >= '0' && sign <= '9';
    }

    // CommonMark 4.1
    boolean isRule() {
        return uniform && signs >= MIN_REPEATS && (sign == '-' || sign == '*' || sign == '_');
    }

    /** Whether the line makes the paragraph above it a heading, if it is not indented. */
    boolean isUnderline() {
        return uniform && !gap && (sign == '-' || sign == '=');
    }

    boolean hasPipe() {
        return pipe;
    }

    /** Whether it can be the line between a table's head and body. */
    boolean delimitsTable() {
        return pipe && dash && onlyDelimiters;
    }
}
