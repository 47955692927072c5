package io.millrace.codec.text;

import static java.util.Objects.requireNonNull;

import io.millrace.codec.text.MarkdownLine.Kind;

/**
 * Units that are Markdown blocks (CommonMark 0.31, GitHub's tables). A unit begins at a line as soon as that line shows
 * that it does not continue an earlier block. Inline code and links are never split, because they end with their block.
 * A list item and its nested content are one unit. The head of a table and the line below it are one unit, and each row
 * is a unit.
 *
 * <p>A fence in an item continues to its closing line, even if its lines are indented less than CommonMark requires.
 */
final class MarkdownCuts implements Cuts {
    private enum Block {
        NONE,
        PARAGRAPH,
        QUOTE,
        ITEM,
        TABLE
    }

    private enum Verdict {
        OPEN,
        GOES_ON,
        BEGINS
    }

    private final Sink sink;
    private final MarkdownLine line = new MarkdownLine();
    private Block block = Block.NONE;
    private Verdict verdict = Verdict.OPEN;
    private long lineStart;
    private boolean afterReturn;
    private boolean blankBefore;
    private boolean pipeBefore;
    private int content;
    private int fenceSign;
    private int fenceLength;

    MarkdownCuts(Sink sink) {
        this.sink = sink;
    }

    @Override
    public void accept(int codePoint, boolean clusterStart, long at) {
        if (codePoint == '\n' && afterReturn) {
            afterReturn = false;
            lineStart = at + 1;
            return;
        }
        afterReturn = codePoint == '\r';
        if (codePoint == '\n' || codePoint == '\r') {
            endLine();
            lineStart = at + 1;
        } else {
            line.accept(codePoint);
            judge();
        }
    }

    @Override
    public void finish(long end) {
        line.end();
        judge();
    }

    @Override
    public long softCut() {
        return lineStart;
    }

    private void judge() {
        if (verdict == Verdict.OPEN) {
            verdict = verdict();
            if (verdict == Verdict.BEGINS) {
                sink.cutAt(lineStart);
            }
        }
    }

    private Verdict verdict() {
        if (fenceSign != 0 || line.kind() == Kind.BLANK) {
            return Verdict.GOES_ON;
        }
        if (!line.nonBlank()) {
            return Verdict.OPEN;
        }
        return switch (block) {
            case NONE, TABLE -> Verdict.BEGINS;
            case PARAGRAPH -> blankBefore ? Verdict.BEGINS : interruption();
            case QUOTE -> blankBefore ? Verdict.BEGINS : line.kind() == Kind.QUOTE ? Verdict.GOES_ON : interruption();
            case ITEM -> line.indent() >= content ? Verdict.GOES_ON : blankBefore ? Verdict.BEGINS : behindItem();
        };
    }

    /** Whether the line ends the paragraph above it. */
    private Verdict interruption() {
        if (line.kind() == null) {
            return Verdict.OPEN;
        }
        boolean interrupts = switch (line.kind()) {
            case HEADING, QUOTE, FENCE -> true;
            case RULE -> block != Block.PARAGRAPH || !line.underlines();
            case BULLET -> !line.itemEmpty();
            case NUMBER -> line.numberOne() && !line.itemEmpty();
            case TEXT, BLANK -> false;
        };
        return interrupts ? Verdict.BEGINS : Verdict.GOES_ON;
    }

    /** Judges a line that is indented less than the item above it. Text is a lazy continuation of the item. */
    private Verdict behindItem() {
        if (line.kind() == null) {
            return Verdict.OPEN;
        }
        return line.kind() == Kind.TEXT ? Verdict.GOES_ON : Verdict.BEGINS;
    }

    private void endLine() {
        line.end();
        judge();
        if (fenceSign != 0) {
            closeFence();
        } else if (line.kind() == Kind.BLANK) {
            block = block == Block.TABLE ? Block.NONE : block;
            blankBefore = true;
        } else if (verdict == Verdict.BEGINS) {
            beginBlock();
        } else {
            goOn();
        }
        verdict = Verdict.OPEN;
        line.begin(block == Block.ITEM ? content : 0);
    }

    private void beginBlock() {
        boolean row = block == Block.TABLE && line.kind() == Kind.TEXT;
        block = row
                ? Block.TABLE
                : switch (requireNonNull(line.kind())) {
                    case HEADING, RULE, FENCE, BLANK -> Block.NONE;
                    case QUOTE -> Block.QUOTE;
                    case BULLET, NUMBER -> Block.ITEM;
                    case TEXT -> Block.PARAGRAPH;
                };
        content = line.content();
        openFence();
        remember();
    }

    private void goOn() {
        if (block == Block.PARAGRAPH && line.underlines()) {
            block = Block.NONE;
        } else if (block == Block.PARAGRAPH && line.delimitsTable() && pipeBefore) {
            block = Block.TABLE;
        } else if (block == Block.ITEM) {
            openFence();
        }
        remember();
    }

    private void remember() {
        blankBefore = false;
        pipeBefore = line.hasPipe();
    }

    private void openFence() {
        if (line.opensFence()) {
            fenceSign = line.fenceSign();
            fenceLength = line.fenceLength();
        }
    }

    private void closeFence() {
        boolean closes = line.kind() == Kind.FENCE
                && line.infoBlank()
                && line.fenceSign() == fenceSign
                && line.fenceLength() >= fenceLength;
        if (closes) {
            fenceSign = 0;
            remember();
        }
    }
}
