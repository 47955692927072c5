package io.millrace.codec.text;

import java.lang.Character.UnicodeScript;

/** The kinds of characters that matter for cuts in text. */
final class Characters {
    private Characters() {}

    /** Whether it is white space at which lines may break: no-break spaces are not. */
    static boolean isSpace(int cp) {
        return cp <= ' '
                ? Character.isWhitespace(cp)
                : cp > 0x7F && (Character.isWhitespace(cp) || cp == 0x85 || cp == 0x200B);
    }

    /** Whether a line or paragraph ends after it (UAX 29, ParaSep). */
    static boolean isLineEnd(int cp) {
        return cp == '\n' || cp == '\r' || cp == 0x85 || cp == 0x2028 || cp == 0x2029;
    }

    /** Whether it is punctuation that comes before a word. */
    static boolean isOpening(int cp) {
        if (cp < 0x80) {
            return cp == '(' || cp == '[' || cp == '{';
        }
        int type = Character.getType(cp);
        return type == Character.START_PUNCTUATION || type == Character.INITIAL_QUOTE_PUNCTUATION;
    }

    /**
     * Whether it is a bracket, a quotation mark or Markdown's emphasis around a sentence, opening or closing (UAX 29,
     * Close).
     */
    static boolean encloses(int cp) {
        if (cp < 0x80) {
            return "()[]{}\"'*_`~".indexOf(cp) >= 0;
        }
        return switch (Character.getType(cp)) {
            case Character.START_PUNCTUATION,
                    Character.END_PUNCTUATION,
                    Character.INITIAL_QUOTE_PUNCTUATION,
                    Character.FINAL_QUOTE_PUNCTUATION -> true;
            default -> cp == 0xBF || cp == 0xA1;
        };
    }

    /**
     * Whether its script is written without spaces. There is no dictionary for these scripts, so each cluster is a
     * word.
     */
    static boolean isIdeograph(int cp) {
        if (cp < 0x0E80) {
            return false;
        }
        return switch (UnicodeScript.of(cp)) {
            case HAN, HIRAGANA, BOPOMOFO, LAO, KHMER, MYANMAR, TAI_LE, NEW_TAI_LUE, TAI_THAM, TAI_VIET ->
                Character.isLetter(cp);
            default -> false;
        };
    }

    static boolean isKatakana(int cp) {
        return cp >= 0x30A1 && UnicodeScript.of(cp) == UnicodeScript.KATAKANA;
    }

    static boolean isThai(int cp) {
        return in(cp, 0x0E01, 0x0E4E) && cp != 0x0E3F;
    }

    /** Whether no word begins with it: small kana, and signs of repetition or length. */
    static boolean neverBegins(int cp) {
        return switch (cp) {
            case 0x3005, 0x303B, 0x3041, 0x3043, 0x3045, 0x3047, 0x3049, 0x3063, 0x3083, 0x3085, 0x3087, 0x308E -> true;
            case 0x3095, 0x3096, 0x309D, 0x309E, 0x30FC, 0x30FD, 0x30FE, 0xFF70 -> true;
            default -> false;
        };
    }

    /** Whether it belongs to the blocks of East Asian punctuation. A word begins after it without a space. */
    static boolean isWide(int cp) {
        return in(cp, 0x3000, 0x303F) || in(cp, 0xFE30, 0xFE4F) || in(cp, 0xFF01, 0xFF65);
    }

    static boolean isPunctuation(int cp) {
        if (cp < 0x80) {
            return cp > ' ' && cp < 0x7F && !Character.isLetterOrDigit(cp);
        }
        return switch (Character.getType(cp)) {
            case Character.START_PUNCTUATION,
                    Character.END_PUNCTUATION,
                    Character.INITIAL_QUOTE_PUNCTUATION,
                    Character.FINAL_QUOTE_PUNCTUATION,
                    Character.CONNECTOR_PUNCTUATION,
                    Character.DASH_PUNCTUATION,
                    Character.OTHER_PUNCTUATION -> true;
            default -> false;
        };
    }

    /**
     * Whether a cluster that ends with this character often continues in the next piece: emoji, flags, joiners, scripts
     * with combining vowels. The end of such a token waits. Latin, Greek, Cyrillic, Han, kana and whole Hangul do not
     * count. A mark could follow them, but a token does not wait for it.
     */
    static boolean oftenGrows(int cp) {
        if (cp < 0x0590) {
            return cp == '\r' || in(cp, 0x0300, 0x036F);
        }
        return cp <= 0x109F
                || in(cp, 0x1100, 0x11FF)
                || in(cp, 0x1700, 0x1CFF)
                || cp == 0x200D
                || cp == 0x203C
                || cp == 0x2049
                || in(cp, 0x20D0, 0x20FF)
                || in(cp, 0x2139, 0x2BFF)
                || in(cp, 0xA800, 0xABFF)
                || in(cp, 0xD7B0, 0xDFFF)
                || in(cp, 0xFE00, 0xFE2F)
                || in(cp, 0x10A00, 0x11FFF)
                || in(cp, 0x1E000, 0x1FFFF)
                || cp >= 0xE0000;
    }

    /**
     * Whether a cluster that ends with this character can continue at all. Marks on spaces and punctuation are ignored.
     */
    static boolean mayGrow(int cp) {
        return cp == '#'
                || cp == '*'
                || cp == '\r'
                || cp == 0x203C
                || cp == 0x2049
                || !(isSpace(cp) || isPunctuation(cp));
    }

    static boolean in(int cp, int first, int last) {
        return cp >= first && cp <= last;
    }
}
