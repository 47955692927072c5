package io.millrace.codec.text;

import com.ibm.icu.text.BreakIterator;
import com.ibm.icu.util.ULocale;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;

/** Random texts of characters that join, and the clusters that ICU finds in them. */
final class RandomText {
    private static final String[] PARTS = {
        "a",
        "B",
        "7",
        " ",
        "\n",
        "\r",
        "\t",
        ".",
        "! ",
        "?",
        "。",
        "-",
        "*",
        "`",
        "|",
        "#",
        "(",
        "\"",
        "e\u0301",
        "\u0300",
        "\u200d",
        "\u200c",
        "\ufe0f",
        "\u20e3",
        "👩",
        "❤",
        "🏽",
        "🇩",
        "🇪",
        "🏴",
        "\udb40\udc67",
        "\udb40\udc7f",
        "©",
        "🫱",
        "ก",
        "ำ",
        "ั",
        "ท",
        "क",
        "\u094d",
        "ष",
        "ि",
        "\u0600",
        "م",
        "\u0651",
        "\u1100",
        "\u1161",
        "\u11a8",
        "가",
        "각",
        "你",
        "か",
        "\u3099",
        "カ",
        "ー",
        "\u00ad",
        "\u2028",
        "\u2029",
        "\u0d4e",
        "\u1039",
        "က",
        "ា",
        "ខ",
        "ﾞ",
        "\ud83d",
        "\udc4b",
        "\u00a0",
        "\u200b",
        "…",
        "》"
    };

    private RandomText() {}

    static String of(Random random, int longest) {
        StringBuilder text = new StringBuilder();
        for (int i = random.nextInt(longest); i >= 0; i--) {
            text.append(PARTS[random.nextInt(PARTS.length)]);
        }
        return text.toString();
    }

    static Set<Integer> clusterStarts(String text) {
        BreakIterator icu = BreakIterator.getCharacterInstance(ULocale.ROOT);
        icu.setText(text);
        Set<Integer> starts = new TreeSet<>();
        for (int at = icu.first(); at != BreakIterator.DONE; at = icu.next()) {
            starts.add(at);
        }
        return starts;
    }

    static String escape(String text) {
        StringBuilder escaped = new StringBuilder();
        text.chars()
                .forEach(c ->
                        escaped.append(c > 0x20 && c < 0x7F ? String.valueOf((char) c) : String.format("\\u%04x", c)));
        return escaped.toString();
    }
}
