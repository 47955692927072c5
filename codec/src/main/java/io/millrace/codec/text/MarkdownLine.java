package io.millrace.codec.text;

import org.jspecify.annotations.Nullable;

/**
 * Decides the kind of a line from its characters, as early as CommonMark 0.31 and GitHub's tables allow. A fence is
 * known only at the line's end, because {@code ```x```} is inline code.
 */
final class MarkdownLine {
    /** How a line begins. */
    enum Kind {
        BLANK,
        TEXT,
        HEADING,
        QUOTE,
        BULLET,
        NUMBER,
        FENCE,
        RULE
    }

    private enum State {
        INDENT,
        HASHES,
        SIGN,
        SIGNS,
        DIGITS,
        DELIMITER,
        ITEM,
        TICKS,
        INFO,
        REST
    }

    private static final int TAB = 4;
    private static final int MAX_INDENT = 3;
    private static final int MAX_DIGITS = 9;
    private static final int MAX_HASHES = 6;
    private static final int MIN_REPEATS = 3;

    private final LineCharacters characters = new LineCharacters();
    private int container;
    private State state;
    private @Nullable Kind kind;
    private int column;
    private int indent;

    private int markerEnd;
    private int content;
    private boolean itemEmpty;
    private boolean numberOne;

    private int fenceSign;
    private int fenceLength;
    private boolean infoBlank;

    MarkdownLine() {
        begin(0);
    }

    /**
     * A line begins.
     *
     * @param container the column at which the content of the open list item begins, 0 if there is none
     */
    void begin(int container) {
        characters.begin();
        this.container = container;
        state = State.INDENT;
        kind = null;
        column = 0;
        indent = 0;
        markerEnd = 0;
        content = 0;
        itemEmpty = true;
        numberOne = false;
        fenceSign = 0;
        fenceLength = 0;
        infoBlank = true;
    }

    /** The line's next character, which is no line end. */
    void accept(int c) {
        boolean blank = c == ' ' || c == '\t';
        characters.accept(c, blank);
        if (state != State.REST) {
            state = next(c, blank);
        }
        column = c == '\t' ? (column / TAB + 1) * TAB : column + 1;
    }

    /** The line ends. Its kind is now known. */
    void end() {
        if (kind == null) {
            kind = switch (state) {
                case INDENT -> Kind.BLANK;
                case HASHES -> Kind.HEADING;
                case SIGN -> characters.sign() == '_' ? Kind.TEXT : Kind.BULLET;
                case SIGNS -> characters.isRule() ? Kind.RULE : Kind.TEXT;
                case DELIMITER -> Kind.NUMBER;
                case ITEM -> characters.isNumber() ? Kind.NUMBER : Kind.BULLET;
                case TICKS -> fenceLength >= MIN_REPEATS ? Kind.FENCE : Kind.TEXT;
                case INFO -> Kind.FENCE;
                case DIGITS, REST -> Kind.TEXT;
            };
        } else if (kind == Kind.BULLET && characters.isRule()) {
            kind = Kind.RULE;
        }
        if (content == 0) {
            content = markerEnd + 1;
        }
    }

    /**
     * The kind of the line; {@code null} while it is not known. A bullet may become a rule at the line's end
     * ({@code - - -}).
     */
    @Nullable
    Kind kind() {
        return kind;
    }

    boolean nonBlank() {
        return characters.signs() > 0;
    }

    /** The columns of white space before the first character. */
    int indent() {
        return indent;
    }

    /** The column at which a list item's content begins. */
    int content() {
        return content;
    }

    /** Whether a list item has nothing after its marker. */
    boolean itemEmpty() {
        return itemEmpty;
    }

    /** Whether the number of a numbered item is 1. */
    boolean numberOne() {
        return numberOne;
    }

    /** Whether it is a fence, or an item that begins with one. */
    boolean opensFence() {
        return fenceLength >= MIN_REPEATS && (state == State.TICKS || state == State.INFO);
    }

    /** The sign of a fence. */
    int fenceSign() {
        return fenceSign;
    }

    /** How many signs a fence has. */
    int fenceLength() {
        return fenceLength;
    }

    /** Whether nothing follows the signs of a fence, which a closing fence requires. */
    boolean infoBlank() {
        return infoBlank;
    }

    /** Whether the line makes the paragraph above it a heading. */
    boolean underlines() {
        return indent <= MAX_INDENT && characters.isUnderline();
    }

    boolean hasPipe() {
        return characters.hasPipe();
    }

    /** Whether it can be the line between a table's head and body. */
    boolean delimitsTable() {
        return characters.delimitsTable();
    }

    private State next(int c, boolean blank) {
        return switch (state) {
            case INDENT -> blank ? State.INDENT : first(c);
            case HASHES ->
                blank
                        ? known(Kind.HEADING)
                        : c == '#' && characters.signs() <= MAX_HASHES ? State.HASHES : known(Kind.TEXT);
            case SIGN -> behindSign(c, blank);
            case SIGNS -> blank || c == characters.sign() ? State.SIGNS : known(Kind.TEXT);
            case DIGITS -> digit(c);
            case DELIMITER -> blank ? State.ITEM : known(Kind.TEXT);
            case ITEM -> blank ? State.ITEM : item(c);
            case TICKS -> c == fenceSign ? tick() : fenceLength >= MIN_REPEATS ? info(c, blank) : notFence();
            case INFO -> info(c, blank);
            case REST -> State.REST;
        };
    }

    private State first(int c) {
        indent = column;
        boolean inside = container > 0 && indent >= container;
        boolean fence = c == '`' || c == '~';
        if (indent - (inside ? container : 0) > MAX_INDENT && !(inside && fence)) {
            return known(Kind.TEXT);
        }
        markerEnd = column + 1;
        return switch (c) {
            case '`', '~' -> beginFence(c);
            case '#' -> State.HASHES;
            case '-', '*', '+', '_' -> State.SIGN;
            case '>' -> known(Kind.QUOTE);
            default -> c >= '0' && c <= '9' ? State.DIGITS : known(Kind.TEXT);
        };
    }

    private State behindSign(int c, boolean blank) {
        if (blank) {
            return characters.sign() == '_' ? State.SIGNS : State.ITEM;
        }
        return c == characters.sign() && c != '+' ? State.SIGNS : known(Kind.TEXT);
    }

    private State digit(int c) {
        if (c >= '0' && c <= '9' && characters.signs() <= MAX_DIGITS) {
            return State.DIGITS;
        }
        if (c == '.' || c == ')') {
            numberOne = characters.signs() == 2 && characters.sign() == '1';
            markerEnd = column + 1;
            return State.DELIMITER;
        }
        return known(Kind.TEXT);
    }

    private State item(int c) {
        kind = characters.isNumber() ? Kind.NUMBER : Kind.BULLET;
        itemEmpty = false;
        // Five columns or more: indented code, which begins one column after the marker.
        content = column - markerEnd > TAB ? markerEnd + 1 : column;
        return c == '`' || c == '~' ? beginFence(c) : State.REST;
    }

    private State beginFence(int c) {
        fenceSign = c;
        fenceLength = 1;
        return State.TICKS;
    }

    private State tick() {
        fenceLength++;
        return State.TICKS;
    }

    private State info(int c, boolean blank) {
        infoBlank &= blank;
        return c == '`' && fenceSign == '`' ? notFence() : State.INFO;
    }

    private State notFence() {
        kind = kind == null ? Kind.TEXT : kind;
        return State.REST;
    }

    private State known(Kind found) {
        kind = found;
        return State.REST;
    }
}
