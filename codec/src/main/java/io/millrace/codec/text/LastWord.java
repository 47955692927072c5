package io.millrace.codec.text;

import java.util.Set;

/** The word before a full stop. It decides whether the full stop belongs to the word. */
final class LastWord {
    private static final int MAX_CHARS = 16;

    /** Abbreviations in lower case, without the last full stop. Abbreviations of single letters are not in the list. */
    private static final Set<String> ABBREVIATIONS = Set.of(
            // English and Latin
            "dr",
            "mr",
            "mrs",
            "ms",
            "mx",
            "prof",
            "rev",
            "gen",
            "col",
            "capt",
            "lt",
            "sgt",
            "gov",
            "sen",
            "rep",
            "hon",
            "pres",
            "jr",
            "sr",
            "st",
            "mt",
            "ft",
            "ave",
            "blvd",
            "rd",
            "dept",
            "univ",
            "inc",
            "ltd",
            "corp",
            "co",
            "llc",
            "vs",
            "cf",
            "eg",
            "ie",
            "al",
            "etc",
            "viz",
            "approx",
            "fig",
            "figs",
            "eq",
            "eqs",
            "sec",
            "vol",
            "vols",
            "pp",
            "eds",
            "ibid",
            "ph.d",
            "m.sc",
            "b.sc",
            "jan",
            "feb",
            "apr",
            "jun",
            "jul",
            "aug",
            "sep",
            "sept",
            "oct",
            "nov",
            "dec",
            "tue",
            "tues",
            "wed",
            "thu",
            "thur",
            "thurs",
            "fri",
            // German
            "hr",
            "fr",
            "frl",
            "hrn",
            "dipl",
            "ing",
            "bzw",
            "ca",
            "usw",
            "usf",
            "vgl",
            "evtl",
            "ggf",
            "inkl",
            "exkl",
            "zzgl",
            "abb",
            "abs",
            "anm",
            "aufl",
            "bd",
            "bde",
            "bspw",
            "etw",
            "geb",
            "gest",
            "hrsg",
            "jh",
            "kap",
            "mio",
            "mrd",
            "nr",
            "s.o",
            "s.u",
            "sog",
            "str",
            "tel",
            "urspr",
            "v.chr",
            "n.chr",
            "chr",
            "ziff",
            "zit",
            // French, Spanish, Portuguese, Italian, Dutch
            "mme",
            "mlle",
            "env",
            "chap",
            "av",
            "sra",
            "srta",
            "dra",
            "ud",
            "uds",
            "pág",
            "núm",
            "sig",
            "dott",
            "pag",
            "ecc",
            "dhr",
            "mevr",
            "bijv",
            "enz",
            "resp");

    private final StringBuilder text = new StringBuilder(MAX_CHARS);
    private boolean tooLong;

    void clear() {
        text.setLength(0);
        tooLong = false;
    }

    void append(int codePoint) {
        tooLong |= text.length() >= MAX_CHARS;
        if (!tooLong) {
            text.appendCodePoint(Character.toLowerCase(codePoint));
        }
    }

    /** Whether a full stop after this word does not end a sentence: {@code Dr}, {@code z.B}, {@code J}, {@code 3}. */
    boolean isAbbreviation() {
        if (tooLong || text.length() == 0) {
            return false;
        }
        return isShortNumber() || isInitials() || ABBREVIATIONS.contains(text.toString());
    }

    private boolean isShortNumber() {
        return text.length() <= 2 && text.chars().allMatch(Character::isDigit);
    }

    /** Whether it is one letter, or several with full stops between them. */
    private boolean isInitials() {
        for (int i = 0; i < text.length(); i++) {
            boolean wanted = i % 2 == 0 ? isAlphabetic(text.charAt(i)) : text.charAt(i) == '.';
            if (!wanted) {
                return false;
            }
        }
        return text.length() % 2 == 1;
    }

    private static boolean isAlphabetic(char c) {
        return Character.isLetter(c)
                && !Characters.isIdeograph(c)
                && !Characters.isThai(c)
                && !Characters.isKatakana(c);
    }
}
