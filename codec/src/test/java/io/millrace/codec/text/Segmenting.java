package io.millrace.codec.text;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/** Runs texts through segmenters. */
final class Segmenting {
    private Segmenting() {}

    /** The units of a text that comes in one piece. */
    static List<String> whole(TextUnit unit, String text) {
        return pieces(unit, List.of(text));
    }

    /** The units of a text that comes in these pieces. */
    static List<String> pieces(TextUnit unit, List<String> pieces) {
        List<String> units = new ArrayList<>();
        TextSegmenter segmenter = new TextSegmenter(unit, HoldLimits.NONE, units::add);
        pieces.forEach(piece -> segmenter.add(piece, 0));
        segmenter.finish();
        return units;
    }

    /** The text in pieces of 0 to {@code longest} UTF-16 units, cut anywhere, also in a surrogate pair. */
    static List<String> cut(String text, int longest, Random random) {
        List<String> pieces = new ArrayList<>();
        int at = 0;
        while (at < text.length()) {
            int end = Math.min(text.length(), at + random.nextInt(longest + 1));
            pieces.add(text.substring(at, end));
            at = end;
        }
        return pieces;
    }

    /** Where units begin, the first one left out. */
    static List<Integer> starts(List<String> units) {
        List<Integer> starts = new ArrayList<>();
        int at = 0;
        for (String unit : units) {
            if (at > 0) {
                starts.add(at);
            }
            at += unit.length();
        }
        return starts;
    }
}
