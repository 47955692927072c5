package io.millrace.codec.text;

/** Units that end after a blank line. */
final class ParagraphCuts implements Cuts {
    private final Sink sink;
    private int lineEnds;
    private long behindLineEnd;

    ParagraphCuts(Sink sink) {
        this.sink = sink;
    }

    @Override
    public void accept(int codePoint, boolean clusterStart, long at) {
        if (Characters.isLineEnd(codePoint)) {
            // A line feed that begins no cluster belongs to the carriage return before it.
            lineEnds += !clusterStart ? 0 : codePoint == 0x2029 ? 2 : 1;
            behindLineEnd = at + 1;
        } else if (clusterStart && !Characters.isSpace(codePoint)) {
            if (lineEnds > 1) {
                sink.cutAt(behindLineEnd);
            }
            lineEnds = 0;
        }
    }

    @Override
    public long softCut() {
        return behindLineEnd;
    }
}
