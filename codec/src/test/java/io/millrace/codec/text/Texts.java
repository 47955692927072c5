package io.millrace.codec.text;

import java.util.List;

/** Texts in many languages that are easy to cut in a wrong place. */
final class Texts {
    static final String ENGLISH = "Dr. Smith paid $1,000.50 (i.e. 3.14 times more), e.g. to the U.S. office. Really?! "
            + "\"Yes.\" he said. See https://example.com/a.b?c=d!e. Then... it ended.\nNew line: J. R. R. Tolkien wrote it.";
    static final String GERMAN =
            "Am 3. Oktober, z. B. um 8.30 Uhr, kam Herr Dr. Müller bzw. sein Sohn. „Ach so!“, rief er. "
                    + "Das kostet 1.000,50 €. Usw.";
    static final String CHINESE = "你好，世界。今天天气很好！我们使用GPT-4模型，价格是3.14元。“真的吗？”他问。《红楼梦》很长……";
    static final String JAPANESE = "こんにちは、世界。コーヒーを飲みます！ちょっと待って。「本当？」と彼は言った。人々がいる。ﾊﾝｶｸﾞ";
    static final String THAI = "สวัสดีชาวโลก ภาษาไทยไม่มีการเว้นวรรคระหว่างคำ ราคา 3.14 บาท กำลังเดินทางไปกรุงเทพฯ";
    static final String ARABIC = "مرحبا بالعالم. كيف حالك؟ السعر ٣٫١٤ دولار، أي 1,000 درهم. مُحَمَّدٌ رَسُولُ اللهِ!";
    static final String HINDI = "नमस्ते दुनिया। क्षत्रिय और स्त्री। मूल्य 3.14 है।";
    static final String KOREAN = "안녕하세요, 세계! 값은 3.14원입니다. \u1112\u1161\u11ab\u1100\u1173\u11af 좋아요.";
    static final String EMOJI =
            "Hi 👋🏽! Family: 👨‍👩‍👧‍👦, flags 🇩🇪🇫🇷🇯🇵🏴󠁧󠁢󠁳󠁣󠁴󠁿, heart ❤️‍🔥, 1️⃣2️⃣ cafe\u0301 Z\u0351\u036b\u0343a\u0300lgo. 🙂🙂 End.";
    static final String LINES = "a\r\n\r\nb\r\n \nc\n\n\n d\u2028e\u2029f\r\rg\n";
    static final String BROKEN = "a\ud83d b\udc4b c\udc4b\ud83d\ud83d";
    static final String MARKDOWN = """
            # Title
            Some *text* with `inline. code` and [a link. Yes](https://x.org/a_(b)).
            Second line.

            - item one. Two.
              more of it

              ```js
              let a = 1;

              let b = `x`;
              ```
            - item two
                - nested
            * other
            1. one
            ```bash
            ls

            # no heading
            ```
            Setext
            ---
            | a | b. C |
            |---|:-:|
            | 1 | `x | y` |
            | 2 | z |
            After the table

            > quoted
            lazy
            > more

            ***
            ~~~
            never closed
            """;

    static final List<String> ALL =
            List.of(ENGLISH, GERMAN, CHINESE, JAPANESE, THAI, ARABIC, HINDI, KOREAN, EMOJI, LINES, BROKEN, MARKDOWN);

    private Texts() {}
}
