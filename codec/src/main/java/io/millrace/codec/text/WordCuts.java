package io.millrace.codec.text;

/**
 * Units that are words: the text between two places where a line could be broken. White space and closing punctuation
 * belong to the word before them, and opening punctuation to the word after it. {@code 3.14}, {@code e.g.} and URLs are
 * not split. Each ideograph is a word, and each kana except katakana (UAX 29, WB999). Initials and abbreviations with
 * spaces between ({@code z. B.}) are one word.
 */
final class WordCuts implements Cuts {
    private enum Kind {
        START,
        SPACE,
        OPENING,
        MARK,
        WIDE_MARK,
        LETTERS,
        IDEOGRAPH,
        KATAKANA,
        THAI
    }

    /** How far a unit continues like {@code "z. B."}. */
    private enum Initials {
        NONE,
        LETTER,
        DOT,
        SPACE,
        /** A letter after {@code "z. "}. A dot decides whether a unit began with it. */
        NEXT_LETTER
    }

    private final Sink sink;
    private final ThaiWords thai;
    private Kind previous = Kind.START;
    private Initials initials = Initials.NONE;
    private boolean hasWord;
    private long letterAt;

    WordCuts(Sink sink) {
        this.sink = sink;
        thai = new ThaiWords(sink);
    }

    @Override
    public void accept(int codePoint, boolean clusterStart, long at) {
        if (!clusterStart) {
            return;
        }
        Kind kind = kindOf(codePoint);
        thai.accept(kind == Kind.THAI, at);
        boolean cut = breaks(kind, codePoint);
        if (initials == Initials.NEXT_LETTER) {
            settleInitials(codePoint);
        }
        if (cut && initials == Initials.SPACE && Character.isLetter(codePoint)) {
            letterAt = at;
            initials = Initials.NEXT_LETTER;
        } else if (cut) {
            sink.cutAt(at);
            begin(kind, codePoint);
        } else {
            goOn(kind, codePoint);
        }
        previous = kind;
    }

    @Override
    public void finish(long end) {
        thai.finish(end);
        if (initials == Initials.NEXT_LETTER) {
            sink.cutAt(letterAt);
        }
    }

    private void settleInitials(int codePoint) {
        if (codePoint == '.') {
            initials = Initials.LETTER;
        } else {
            sink.cutAt(letterAt);
            initials = Initials.NONE;
        }
    }

    private void begin(Kind kind, int codePoint) {
        hasWord = isWord(kind);
        initials = kind == Kind.LETTERS && Character.isLetter(codePoint) ? Initials.LETTER : Initials.NONE;
    }

    private void goOn(Kind kind, int codePoint) {
        if (previous == Kind.START) {
            begin(kind, codePoint);
            return;
        }
        hasWord |= isWord(kind);
        initials = switch (initials) {
            case LETTER -> codePoint == '.' ? Initials.DOT : Initials.NONE;
            case DOT -> codePoint == ' ' ? Initials.SPACE : Initials.NONE;
            default ->
                previous == Kind.OPENING && kind == Kind.LETTERS && Character.isLetter(codePoint)
                        ? Initials.LETTER
                        : Initials.NONE;
        };
    }

    private boolean breaks(Kind kind, int codePoint) {
        if (previous == Kind.SPACE) {
            return kind != Kind.SPACE;
        }
        if (kind == Kind.SPACE || !hasWord || Characters.neverBegins(codePoint)) {
            return false;
        }
        boolean spaceless = kind == Kind.IDEOGRAPH || kind == Kind.KATAKANA || kind == Kind.THAI;
        return switch (previous) {
            case LETTERS, MARK -> spaceless;
            case WIDE_MARK, IDEOGRAPH -> kind != Kind.MARK && kind != Kind.WIDE_MARK;
            case KATAKANA, THAI -> kind != previous && kind != Kind.MARK && kind != Kind.WIDE_MARK;
            default -> false;
        };
    }

    private static boolean isWord(Kind kind) {
        return switch (kind) {
            case LETTERS, IDEOGRAPH, KATAKANA, THAI -> true;
            default -> false;
        };
    }

    private Kind kindOf(int cp) {
        if (Characters.isSpace(cp)) {
            return Kind.SPACE;
        }
        if (cp >= 0x80 && Characters.neverBegins(cp)) {
            return previous == Kind.KATAKANA ? Kind.KATAKANA : Kind.IDEOGRAPH;
        }
        if (Characters.isOpening(cp)) {
            return Kind.OPENING;
        }
        if (Characters.isPunctuation(cp)) {
            return Characters.isWide(cp) ? Kind.WIDE_MARK : Kind.MARK;
        }
        if (cp < 0x0E00) {
            return Kind.LETTERS;
        }
        return Characters.isThai(cp)
                ? Kind.THAI
                : Characters.isIdeograph(cp)
                        ? Kind.IDEOGRAPH
                        : Characters.isKatakana(cp) ? Kind.KATAKANA : Kind.LETTERS;
    }
}
