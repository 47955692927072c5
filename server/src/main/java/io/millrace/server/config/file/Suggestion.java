package io.millrace.server.config.file;

import java.util.Collection;
import java.util.Comparator;
import java.util.Locale;

/** Finds the known word that was probably meant by an unknown one. */
public final class Suggestion {
    private Suggestion() {}

    /** {@code ", did you mean 'connect'?"}; if nothing is similar, the choices; an empty text if there are none. */
    public static String forWord(String word, Collection<String> choices) {
        String plain = plain(word);
        int limit = Math.max(1, plain.length() / 3);
        return choices.stream()
                .filter(choice -> distance(plain, plain(choice)) <= limit)
                .min(Comparator.comparingInt(choice -> distance(plain, plain(choice))))
                .map(choice -> ", did you mean '" + choice + "'?")
                .orElse(choices.isEmpty() ? "" : " (expected: one of " + String.join(", ", choices) + ")");
    }

    private static String plain(String word) {
        return word.toLowerCase(Locale.ROOT).replace("-", "").replace("_", "");
    }

    /** The number of edits from one word to the other: insert, delete, replace, swap neighbours. */
    private static int distance(String a, String b) {
        int[][] edits = new int[a.length() + 1][b.length() + 1];
        for (int i = 0; i <= a.length(); i++) {
            for (int j = 0; j <= b.length(); j++) {
                edits[i][j] = i == 0 || j == 0 ? i + j : step(edits, a, b, i, j);
            }
        }
        return edits[a.length()][b.length()];
    }

    private static int step(int[][] edits, String a, String b, int i, int j) {
        int replace = edits[i - 1][j - 1] + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
        int best = Math.min(replace, 1 + Math.min(edits[i - 1][j], edits[i][j - 1]));
        boolean swapped = i > 1 && j > 1 && a.charAt(i - 1) == b.charAt(j - 2) && a.charAt(i - 2) == b.charAt(j - 1);
        return swapped ? Math.min(best, edits[i - 2][j - 2] + 1) : best;
    }
}
