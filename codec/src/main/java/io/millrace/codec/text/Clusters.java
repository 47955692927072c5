package io.millrace.codec.text;

/**
 * Finds where extended grapheme clusters begin (Unicode Standard Annex 29, section 3.1.1), one code point at a time.
 *
 * <p>It never finds a boundary inside a cluster. It may miss a boundary after a joiner or a virama: to hold one
 * character more is harmless, to split a cluster is not. A cluster longer than {@link #MAX_CHARS} is split between code
 * points. Properties are those of the running JDK's Unicode version.
 */
final class Clusters {
    /** The most UTF-16 units of a cluster. A longer one is split. */
    static final int MAX_CHARS = 256;

    private enum Kind {
        START,
        CR,
        LF,
        CONTROL,
        EXTEND,
        LINKER,
        JOINER,
        PREPEND,
        REGION,
        HANGUL_L,
        HANGUL_V,
        HANGUL_T,
        HANGUL_LV,
        HANGUL_LVT,
        OTHER
    }

    private Kind previous = Kind.START;
    private boolean regionOpen;
    private boolean linked;
    private int chars;

    /** Whether {@code codePoint}, the next one, begins a cluster. */
    boolean begins(int codePoint) {
        Kind kind = kindOf(codePoint);
        boolean begins = !joins(kind, codePoint) || chars >= MAX_CHARS;
        regionOpen = kind == Kind.REGION && (begins || !regionOpen);
        linked = switch (kind) {
            case LINKER -> true;
            case EXTEND, JOINER -> linked && !begins;
            default -> false;
        };
        chars = (begins ? 0 : chars) + Character.charCount(codePoint);
        previous = kind;
        return begins;
    }

    /** Continues after a plain character. */
    void skipPlain() {
        previous = Kind.OTHER;
        regionOpen = false;
        linked = false;
        chars = 1;
    }

    // GB3 to GB13, and GB9c
    private boolean joins(Kind kind, int codePoint) {
        return switch (previous) {
            case START, LF, CONTROL -> false;
            case CR -> kind == Kind.LF;
            default ->
                switch (kind) {
                    case START, CR, LF, CONTROL -> false;
                    case EXTEND, LINKER, JOINER -> true;
                    default -> joinsVisible(kind, codePoint);
                };
        };
    }

    private boolean joinsVisible(Kind kind, int codePoint) {
        if (linked && Character.isLetter(codePoint)) {
            return true;
        }
        return switch (previous) {
            case PREPEND -> true;
            case JOINER -> codePoint > 0x7F && !Characters.isSpace(codePoint);
            case REGION -> kind == Kind.REGION && regionOpen;
            case HANGUL_L ->
                kind == Kind.HANGUL_L || kind == Kind.HANGUL_V || kind == Kind.HANGUL_LV || kind == Kind.HANGUL_LVT;
            case HANGUL_V, HANGUL_LV -> kind == Kind.HANGUL_V || kind == Kind.HANGUL_T;
            case HANGUL_T, HANGUL_LVT -> kind == Kind.HANGUL_T;
            default -> false;
        };
    }

    private static Kind kindOf(int cp) {
        if (cp < 0x300) {
            return cp == '\r'
                    ? Kind.CR
                    : cp == '\n' ? Kind.LF : Character.isISOControl(cp) || cp == 0xAD ? Kind.CONTROL : Kind.OTHER;
        }
        if (cp == 0x200D) {
            return Kind.JOINER;
        }
        if (isExtender(cp)) {
            return Kind.EXTEND;
        }
        if (isPrepended(cp)) {
            return Kind.PREPEND;
        }
        if (cp >= 0x1F1E6 && cp <= 0x1F1FF) {
            return Kind.REGION;
        }
        return switch (Character.getType(cp)) {
            case Character.NON_SPACING_MARK, Character.ENCLOSING_MARK, Character.COMBINING_SPACING_MARK ->
                isLinker(cp) ? Kind.LINKER : Kind.EXTEND;
            case Character.CONTROL, Character.FORMAT, Character.LINE_SEPARATOR, Character.PARAGRAPH_SEPARATOR ->
                Kind.CONTROL;
            default -> hangulKindOf(cp);
        };
    }

    private static Kind hangulKindOf(int cp) {
        if (cp >= 0xAC00 && cp <= 0xD7A3) {
            return (cp - 0xAC00) % 28 == 0 ? Kind.HANGUL_LV : Kind.HANGUL_LVT;
        }
        if (Characters.in(cp, 0x1100, 0x115F) || Characters.in(cp, 0xA960, 0xA97C)) {
            return Kind.HANGUL_L;
        }
        if (Characters.in(cp, 0x1160, 0x11A7)
                || Characters.in(cp, 0xD7B0, 0xD7C6)
                || cp == 0x16D63
                || Characters.in(cp, 0x16D67, 0x16D6A)) {
            return Kind.HANGUL_V;
        }
        return Characters.in(cp, 0x11A8, 0x11FF) || Characters.in(cp, 0xD7CB, 0xD7FB) ? Kind.HANGUL_T : Kind.OTHER;
    }

    /**
     * Whether it is Extend or SpacingMark although its general category is no mark: signs, skin tones, tags of flags.
     */
    private static boolean isExtender(int cp) {
        return switch (cp) {
            case 0x0E33, 0x0EB3, 0x200C, 0xFF9E, 0xFF9F -> true;
            default -> Characters.in(cp, 0x1F3FB, 0x1F3FF) || Characters.in(cp, 0xE0020, 0xE007F);
        };
    }

    private static boolean isPrepended(int cp) {
        return switch (cp) {
            case 0x06DD, 0x070F, 0x0890, 0x0891, 0x08E2, 0x0D4E, 0x110BD, 0x110CD, 0x111C2, 0x111C3, 0x113D1 -> true;
            case 0x1193F, 0x11941, 0x11A3A, 0x11D46, 0x11F02 -> true;
            default -> Characters.in(cp, 0x0600, 0x0605) || Characters.in(cp, 0x11A84, 0x11A89);
        };
    }

    /** Whether it is a virama that joins the consonant after it (Indic_Conjunct_Break=Linker). */
    private static boolean isLinker(int cp) {
        return switch (cp) {
            case 0x094D, 0x09CD, 0x0ACD, 0x0B4D, 0x0C4D, 0x0D4D, 0x1039, 0x17D2, 0x1A60, 0x1B44, 0x1BAB, 0xA9C0 -> true;
            case 0xAAF6, 0x10A3F, 0x11133, 0x113D0, 0x1193E, 0x11A47, 0x11A99, 0x11F42 -> true;
            default -> false;
        };
    }
}
