package io.millrace.codec.text;

import java.text.BreakIterator;
import java.util.BitSet;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * Splits runs of Thai, which has no spaces between words, by the JDK's dictionary. A run is split when it ends, because
 * a word depends on the text after it. A run of {@link #MAX_RUN} is split, too, except for its last two words. Without
 * the dictionary (module {@code jdk.localedata}) a run is one word.
 */
final class ThaiWords {
    /** UTF-16 units. Phrases between two spaces are mostly shorter. */
    static final int MAX_RUN = 256;

    private static final Locale THAI = Locale.forLanguageTag("th");

    private final Cuts.Sink sink;
    private @Nullable BreakIterator words;
    private boolean running;
    private long from;

    ThaiWords(Cuts.Sink sink) {
        this.sink = sink;
    }

    /** A cluster begins at {@code at}. */
    void accept(boolean isThai, long at) {
        if (running && (!isThai || at - from >= MAX_RUN)) {
            cut(at, isThai);
        }
        if (isThai && !running) {
            from = at;
        }
        running = isThai;
    }

    void finish(long end) {
        if (running) {
            cut(end, false);
        }
    }

    private void cut(long to, boolean goesOn) {
        String run = sink.textBetween(from, to);
        long start = to - run.length();
        if (words == null) {
            words = BreakIterator.getWordInstance(THAI);
        }
        words.setText(run);
        int end = goesOn ? words.preceding(Math.max(words.preceding(run.length()), 1)) : run.length();
        BitSet clusters = clusterStarts(run);
        words.first();
        for (int at = words.next(); at != BreakIterator.DONE && at <= end; at = words.next()) {
            if (clusters.get(at)) {
                sink.cutAt(start + at);
                from = start + at;
            }
        }
        if (goesOn && to - from >= MAX_RUN) {
            from = to;
        }
    }

    private static BitSet clusterStarts(String run) {
        BitSet starts = new BitSet(run.length());
        Clusters clusters = new Clusters();
        int at = 0;
        while (at < run.length()) {
            int codePoint = run.codePointAt(at);
            starts.set(at, clusters.begins(codePoint));
            at += Character.charCount(codePoint);
        }
        return starts;
    }
}
