package io.millrace.codec.text;

import org.jspecify.annotations.Nullable;

/**
 * Units that are sentences (Unicode Standard Annex 29, section 5), with three differences. A full stop does not end a
 * sentence after an abbreviation, an initial, or a number of one or two digits ({@code 3. Oktober}, {@code 1.} in a
 * list), nor before a digit. A mark ends a sentence only before white space, unless it is a wide full stop or an
 * ideograph follows. Blank lines belong to the sentence before them.
 */
final class SentenceCuts implements Cuts {
    private enum State {
        TEXT,
        /** After a sentence's last mark and its closing brackets or quotation marks. */
        ENDED,
        /** After the white space that follows. */
        SPACED,
        /** After the opening brackets or quotation marks of the next sentence, if there is one. */
        ENCLOSED,
        /** After a line end. */
        LINE
    }

    private enum Mark {
        FULL_STOP,
        STRONG,
        WIDE
    }

    private final Sink sink;
    private final LastWord word = new LastWord();
    private State state = State.TEXT;
    private Mark mark = Mark.STRONG;
    private boolean closed;
    private boolean abbreviated;
    private long candidate;

    SentenceCuts(Sink sink) {
        this.sink = sink;
    }

    @Override
    public void accept(int codePoint, boolean clusterStart, long at) {
        if (Characters.isLineEnd(codePoint)) {
            state = State.LINE;
            candidate = at + 1;
            word.clear();
            return;
        }
        if (!clusterStart) {
            return;
        }
        state = switch (state) {
            case TEXT -> State.TEXT;
            case ENDED -> afterMark(codePoint, at);
            case SPACED -> afterSpace(codePoint, at);
            case ENCLOSED -> Characters.encloses(codePoint) ? State.ENCLOSED : decide(codePoint);
            case LINE -> Characters.isSpace(codePoint) ? State.LINE : cut();
        };
        if (state == State.TEXT) {
            readText(codePoint);
        }
    }

    private State afterMark(int codePoint, long at) {
        if (Characters.isSpace(codePoint)) {
            word.clear();
            return State.SPACED;
        }
        if (Characters.encloses(codePoint) && (mark != Mark.WIDE || !Characters.isOpening(codePoint))) {
            closed = true;
            word.clear();
            return State.ENDED;
        }
        Mark next = markOf(codePoint);
        if (next != null) {
            readMark(next, codePoint);
            return State.ENDED;
        }
        candidate = at;
        boolean spaceless = mark == Mark.WIDE || (mark == Mark.STRONG && isEastAsian(codePoint));
        return spaceless ? decide(codePoint) : State.TEXT;
    }

    private State afterSpace(int codePoint, long at) {
        if (Characters.isSpace(codePoint)) {
            return State.SPACED;
        }
        candidate = at;
        return Characters.encloses(codePoint) ? State.ENCLOSED : decide(codePoint);
    }

    /** Decides by the first character after the mark that is no white space, bracket or quotation mark. */
    private State decide(int codePoint) {
        boolean goesOn = continues(codePoint)
                || switch (mark) {
                    case FULL_STOP ->
                        abbreviated
                                || Character.isLowerCase(codePoint)
                                || Character.isDigit(codePoint)
                                || markOf(codePoint) != null;
                    case STRONG -> closed && Character.isLowerCase(codePoint);
                    case WIDE -> false;
                };
        return goesOn ? State.TEXT : cut();
    }

    private State cut() {
        sink.cutAt(candidate);
        word.clear();
        return State.TEXT;
    }

    private void readText(int codePoint) {
        Mark next = markOf(codePoint);
        if (next != null) {
            closed = false;
            readMark(next, codePoint);
            state = State.ENDED;
        } else if (Characters.isSpace(codePoint) || Characters.encloses(codePoint)) {
            word.clear();
        } else {
            word.append(codePoint);
        }
    }

    private void readMark(Mark next, int codePoint) {
        mark = next;
        abbreviated = codePoint == '.' && !closed && word.isAbbreviation();
        word.append(codePoint);
    }

    private static boolean isEastAsian(int codePoint) {
        return Characters.isIdeograph(codePoint) || Characters.isKatakana(codePoint) || Characters.isWide(codePoint);
    }

    // UAX 29, SContinue
    private static boolean continues(int codePoint) {
        return switch (codePoint) {
            case ',', ':', ';', '-', 0x055D, 0x060C, 0x060D, 0x2013, 0x2014, 0x3001, 0xFF0C, 0xFF1A, 0xFF1B -> true;
            default -> false;
        };
    }

    // UAX 29, ATerm and STerm of living scripts; the ellipsis counts as full stops
    private static @Nullable Mark markOf(int codePoint) {
        return switch (codePoint) {
            case '.', 0x2024, 0x2026, 0xFE52 -> Mark.FULL_STOP;
            case '!', '?', 0x0589, 0x061E, 0x061F, 0x06D4, 0x0700, 0x0701, 0x0702, 0x0964, 0x0965 -> Mark.STRONG;
            case 0x104A, 0x104B, 0x1362, 0x1367, 0x1368, 0x17D4, 0x17D5, 0x1803, 0x1809 -> Mark.STRONG;
            case 0x203C, 0x203D, 0x2047, 0x2048, 0x2049, 0x2E2E -> Mark.STRONG;
            case 0x3002, 0xFE56, 0xFE57, 0xFF01, 0xFF1F, 0xFF61 -> Mark.WIDE;
            default -> null;
        };
    }
}
