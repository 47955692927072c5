package io.millrace.bench.stream;

import java.util.SplittableRandom;

/** Words that every tokenizer has as one token. */
public final class Words {
    private static final String[] KNOWN =
            ("time year people way day man thing woman life child world school state family student group country"
                            + " problem hand part place case week company system program question work government number"
                            + " night point home water room mother area money story fact month lot right study book eye"
                            + " job word business issue side kind head house service friend father power hour game line"
                            + " end member law car city community name president team minute idea kid body information"
                            + " back parent face others level office door health person art war history party result"
                            + " change morning reason research girl guy moment air teacher force education")
                    .split(" ");

    private Words() {}

    /** That many words, with blanks between them. */
    public static String text(int words, SplittableRandom random) {
        var text = new StringBuilder(words * 7);
        for (int i = 0; i < words; i++) {
            text.append(i == 0 ? "" : " ").append(KNOWN[random.nextInt(KNOWN.length)]);
        }
        return text.toString();
    }
}
