package io.millrace.codec.text;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The units of texts. A {@code ¦} marks the end of each. */
class UnitTablesTest {
    @ParameterizedTest
    @ValueSource(
            strings = {
                "Hello, ¦world! ¦How ¦are  ¦you?\n\n¦Fine.",
                "Pi ¦is ¦3.14, ¦not ¦1,000; ¦e.g. ¦$5.00 ¦in ¦the ¦U.S. ¦(or ¦20%).",
                "See ¦https://example.com/a.b?c=d#e, ¦don't ¦well-known ¦and/or ¦me@x.org.",
                "Das ¦ist ¦z. B. ¦gut, ¦u. a. m. ¦hier, ¦d. h. ¦da.",
                "J. R. R. ¦Tolkien, ¦I ¦am. ¦A ¦b.",
                "你¦好，¦世¦界。¦今¦天¦GPT-4¦模¦型¦（好）。",
                "《红¦楼¦梦》¦很¦长！",
                "コーヒー¦を¦飲¦み¦ま¦す。¦ちょっ¦と¦人々",
                "안녕하세요, ¦세계!",
                "مرحبا ¦بالعالم، ¦كيف ¦حالك؟",
                "👨‍👩‍👧‍👦🇩🇪 ¦cafe\u0301",
                "no\u00a0break ¦10\u202f000 ¦km",
                "  ¦lead"
            })
    void words(String units) {
        verify(TextUnit.WORD, units);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "One. ¦Two! ¦Three?  ¦Four... ¦Five",
                "Dr. Smith vs. Mr. J. Doe. ¦It costs 3.14 or 1,000.5, e.g. here. ¦Ok.",
                "Lower. case goes on. ¦Upper.",
                "\"Really?\" he asked. ¦\"Yes.\" ¦(So.) ¦**Bold.** ¦Next",
                "Go to https://example.com/a.b?c=d!e. ¦Now.",
                "Am 3. Oktober, z. B. um 8.30 Uhr bzw. später. ¦„Ach so!“, rief er. ¦Usw.",
                "Visit the U.S. Office. ¦See No. 5 and Fig. 123. ¦It was 1999. ¦Then",
                "你好。¦今天很好！¦“真的吗？”¦他问……好。¦「はい。」¦そうです。",
                "版本3.14。¦Yes! ¦好?¦对",
                "كيف حالك؟ ¦السعر 3.14 دولار. ¦نعم!",
                "नमस्ते दुनिया। ¦मूल्य 3.14 है। ¦हाँ",
                "First line\n¦- item one\n\n¦  indented\r\n¦last",
                "1. First. ¦Second.\n¦2. Third.",
                "What?! ¦No way!!! ¦Yahoo!Inc rises",
                "Wait… what? ¦Well… ¦Now",
                "Hi 👋🏽! ¦👍 Yes."
            })
    void sentences(String units) {
        verify(TextUnit.SENTENCE, units);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"One.\nStill one.\n\n¦Two.\n \n\n¦  Three\r\nthree\r\n\r\n¦four\r\r¦five\u2029¦six", "\n\n¦a"})
    void paragraphs(String units) {
        verify(TextUnit.PARAGRAPH, units);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "# Title\n¦Text `a\nb` [x\ny](z)\n\n¦More\n¦## H\n",
                "Text\n¦```js\na\n\n# b\n```\n¦Text\n",
                "- a\n  b\nlazy\n\n  c\n  - d\n    - e\n¦- f\n\n¦Text\n¦1. x\n¦2. y\n",
                "- a\n\n  ```\n  x\n\n- y\n  ```\n¦- b\n",
                "- ```\n  x\n\n  - y\n  ```\n¦- b",
                "1. a\n¦```\nx\n```\n¦2. b",
                "| a | b |\n|---|---|\n¦| 1 | `x` |\n¦| 2 | y |\n\n¦Text",
                "a | b\n--|--\n¦1 | 2\n¦Row\n\n¦Text",
                "Text\n| a | b |\n|---|---|\n¦| 1 | 2 |\n",
                "| no table\nstill | text\n",
                "Head\n---\n¦Head\n===\n¦***\n¦Text\n¦* * *\n¦Text",
                "Text\n2024. is no item\n* \n+x\n-x\n#x\n",
                "Text\n¦- item\n***bold*** goes on\n¦---\n¦x",
                "> a\nlazy\n> b\n\n¦> c\n¦# x\n",
                "```x``` is code\nand goes on\n",
                "````\n```\n````` x\n````\n¦y",
                "~~~ `x`\n```\n~~~\n¦y",
                "    code\n\n¦    more\n\n¦x\n    - y\n",
                "\n\n¦a\r\n\r\n¦b\r\n¦# c\r\n",
                "```\nnever\n\nclosed"
            })
    void markdown(String units) {
        verify(TextUnit.MARKDOWN, units);
    }

    @Test
    void unitsOfWholeDocument() {
        assertThat(Segmenting.whole(TextUnit.MARKDOWN, Texts.MARKDOWN))
                .extracting(unit -> unit.lines().findFirst().orElseThrow())
                .containsExactly(
                        "# Title",
                        "Some *text* with `inline. code` and [a link. Yes](https://x.org/a_(b)).",
                        "- item one. Two.",
                        "- item two",
                        "* other",
                        "1. one",
                        "```bash",
                        "Setext",
                        "| a | b. C |",
                        "| 1 | `x | y` |",
                        "| 2 | z |",
                        "After the table",
                        "> quoted",
                        "***",
                        "~~~");
    }

    private static void verify(TextUnit unit, String units) {
        List<String> expected = Arrays.asList(units.split("¦"));
        assertThat(Segmenting.whole(unit, units.replace("¦", ""))).isEqualTo(expected);
    }
}
