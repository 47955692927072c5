package io.millrace.codec.text;

/**
 * Splits streamed text into units. It takes text in pieces of any size, such as tokens. It delivers each unit once its
 * end is certain: when the first character after it has come.
 *
 * <p>The texts of all units, joined, are exactly the input, including unpaired surrogates. No unit ends inside a
 * grapheme cluster (UAX 29; emoji with joiners, flags, combining marks). The units do not depend on the pieces in which
 * the text came, with two exceptions: where {@link HoldLimits} are reached, and for {@link TextUnit#TOKEN}, whose units
 * are the pieces. A cluster longer than 256 UTF-16 units is split between code points.
 *
 * <p>Each character is read once, even if its unit becomes long. At most {@link HoldLimits#maxChars} and one cluster
 * are held.
 *
 * <p>An example:
 *
 * <pre>{@code
 * var segmenter = new TextSegmenter(TextUnit.SENTENCE, unit -> write(unit));
 * on a piece:      segmenter.add(piece, System.nanoTime());
 * now and then:    segmenter.flushOverdue(System.nanoTime());   // by dueInNs, so that nothing waits for ever
 * at the end:      segmenter.finish();
 * }</pre>
 *
 * <p>Not thread-safe. One segmenter is for one text.
 */
public final class TextSegmenter {
    private static final int COMPACT_CHARS = 4_096;

    private final TextUnit unit;
    private final HoldLimits limits;
    private final UnitListener listener;
    private final Cuts cuts;
    private final Clusters clusters = new Clusters();
    private final StringBuilder text = new StringBuilder();

    /** Positions in the whole text: the begin of {@code text}, the first held character, the next character to read. */
    private long base;

    private long start;
    private long scanned;

    private long lastCluster;
    private int lastCodePoint;
    private boolean lastIsSpace;
    private long wordStart;
    private long heldSinceNs;
    private long nowNs;
    private boolean finished;

    /** Creates a segmenter with the unit's default limits. */
    public TextSegmenter(TextUnit unit, UnitListener listener) {
        this(unit, unit.defaultLimits(), listener);
    }

    /** Creates a segmenter with limits. {@link HoldLimits#NONE} waits without a limit. */
    public TextSegmenter(TextUnit unit, HoldLimits limits, UnitListener listener) {
        this.unit = unit;
        this.limits = limits;
        this.listener = listener;
        cuts = cutsOf(unit, new Held());
    }

    /**
     * Takes the next piece of the text, and delivers the units that it completes.
     *
     * @param nowNs the time, by a clock such as {@link System#nanoTime}
     * @throws IllegalStateException after {@link #finish}
     */
    public void add(CharSequence piece, long nowNs) {
        if (finished) {
            throw new IllegalStateException("text added after its end");
        }
        if (piece.length() == 0) {
            return;
        }
        this.nowNs = nowNs;
        if (held() == 0) {
            heldSinceNs = nowNs;
            if (unit == TextUnit.TOKEN && passes(piece)) {
                return;
            }
        }
        text.append(piece);
        scan(false);
        if (unit == TextUnit.TOKEN) {
            cut(Characters.oftenGrows(lastCodePoint) ? lastCluster : scanned);
        }
        compact();
    }

    /**
     * Delivers text that has been held for longer than the limit: up to the last line (Markdown), else the last word,
     * else the last cluster. A last character that could still get a mark stays. Half a surrogate pair always stays.
     *
     * @return whether text was delivered
     */
    public boolean flushOverdue(long nowNs) {
        if (dueInNs(nowNs) > 0) {
            return false;
        }
        this.nowNs = nowNs;
        heldSinceNs = nowNs;
        long before = start;
        long soft = softCut();
        cut(soft > start ? soft : Characters.mayGrow(lastCodePoint) ? lastCluster : scanned);
        compact();
        return start > before;
    }

    /** The nanoseconds until {@link #flushOverdue} has work: 0 if it has work now, {@link Long#MAX_VALUE} if never. */
    public long dueInNs(long nowNs) {
        if (held() == 0 || limits.maxNs() == Long.MAX_VALUE) {
            return Long.MAX_VALUE;
        }
        return Math.max(0, limits.maxNs() - (nowNs - heldSinceNs));
    }

    /** Delivers the held text at the end of the text. The second call does nothing. */
    public void finish() {
        if (finished) {
            return;
        }
        finished = true;
        scan(true);
        cuts.finish(scanned);
        cut(scanned);
        compact();
    }

    /** How many UTF-16 units are held. */
    public int held() {
        return text.length() - (int) (start - base);
    }

    private static Cuts cutsOf(TextUnit unit, Cuts.Sink sink) {
        return switch (unit) {
            case TOKEN -> (codePoint, clusterStart, at) -> {};
            case WORD -> new WordCuts(sink);
            case SENTENCE -> new SentenceCuts(sink);
            case PARAGRAPH -> new ParagraphCuts(sink);
            case MARKDOWN -> new MarkdownCuts(sink);
        };
    }

    /** Delivers a piece unchanged, if nothing is held and its end is plain. */
    private boolean passes(CharSequence piece) {
        if (Characters.oftenGrows(piece.charAt(piece.length() - 1))) {
            return false;
        }
        clusters.skipPlain();
        base += piece.length();
        start = base;
        scanned = base;
        lastCluster = base;
        listener.onUnit(piece.toString());
        return true;
    }

    private void scan(boolean last) {
        long end = base + text.length();
        while (scanned < end) {
            int index = (int) (scanned - base);
            int codePoint = text.codePointAt(index);
            boolean half = Character.isBmpCodePoint(codePoint) && Character.isHighSurrogate((char) codePoint);
            if (half && !last && scanned + 1 == end) {
                return;
            }
            look(codePoint);
            if (scanned - start >= limits.maxChars() && unit != TextUnit.TOKEN) {
                long soft = softCut();
                cut(soft > start ? soft : lastCluster);
            }
        }
    }

    private void look(int codePoint) {
        boolean clusterStart = clusters.begins(codePoint);
        if (clusterStart) {
            boolean space = Characters.isSpace(codePoint);
            if (lastIsSpace && !space) {
                wordStart = scanned;
            }
            lastIsSpace = space;
            lastCluster = scanned;
        }
        lastCodePoint = codePoint;
        cuts.accept(codePoint, clusterStart, scanned);
        scanned += Character.charCount(codePoint);
    }

    private long softCut() {
        long line = cuts.softCut();
        return line > start && line <= lastCluster ? line : wordStart;
    }

    private void cut(long position) {
        if (position > start) {
            String unitText = text.substring((int) (start - base), (int) (position - base));
            start = position;
            heldSinceNs = nowNs;
            listener.onUnit(unitText);
        }
    }

    /** Removes delivered text from the buffer. This is not done for each unit, because it moves the held text. */
    private void compact() {
        int delivered = (int) (start - base);
        if (delivered == text.length()) {
            text.setLength(0);
        } else if (delivered < COMPACT_CHARS || delivered < text.length() / 2) {
            return;
        } else {
            text.delete(0, delivered);
        }
        base = start;
    }

    private final class Held implements Cuts.Sink {
        @Override
        public void cutAt(long position) {
            cut(position);
        }

        @Override
        public String textBetween(long from, long to) {
            return text.substring((int) (Math.max(from, start) - base), (int) (to - base));
        }
    }
}
