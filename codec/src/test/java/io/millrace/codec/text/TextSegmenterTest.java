package io.millrace.codec.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.ibm.icu.text.BreakIterator;
import com.ibm.icu.util.ULocale;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class TextSegmenterTest {
    private static final long MS = 1_000_000;

    private final List<String> units = new ArrayList<>();

    @ParameterizedTest
    @EnumSource
    void unitsAreTheTextHoweverItIsCut(TextUnit unit) {
        Random random = new Random(1);
        for (String text : Texts.ALL) {
            for (int round = 0; round < 50; round++) {
                List<String> pieces = Segmenting.cut(text, 1 + random.nextInt(12), random);
                assertThat(String.join("", Segmenting.pieces(unit, pieces))).isEqualTo(text);
            }
        }
    }

    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "TOKEN")
    void whereUnitsEndDoesNotDependOnHowTheTextIsCut(TextUnit unit) {
        Random random = new Random(2);
        for (String text : Texts.ALL) {
            List<String> expected = Segmenting.whole(unit, text);
            assertThat(Segmenting.pieces(unit, Segmenting.cut(text, 1, random))).isEqualTo(expected);
            for (int round = 0; round < 50; round++) {
                assertThat(Segmenting.pieces(unit, Segmenting.cut(text, 1 + random.nextInt(30), random)))
                        .isEqualTo(expected);
            }
        }
    }

    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "TOKEN")
    void unitsBeginWhereCharactersOfReadersDo(TextUnit unit) {
        Random random = new Random(3);
        for (int round = 0; round < 1_000; round++) {
            String text = RandomText.of(random, 60);
            assertThat(RandomText.clusterStarts(text))
                    .as(() -> RandomText.escape(text))
                    .containsAll(Segmenting.starts(Segmenting.whole(unit, text)));
        }
    }

    @ParameterizedTest
    @EnumSource
    void limitsCutBetweenCharactersOfReaders(TextUnit unit) {
        Random random = new Random(4);
        for (int round = 0; round < 800; round++) {
            String text = RandomText.of(random, 80);
            units.clear();
            TextSegmenter segmenter = new TextSegmenter(unit, new HoldLimits(1 + random.nextInt(30), 1), units::add);
            long now = 0;
            for (String piece : Segmenting.cut(text, 1 + random.nextInt(12), random)) {
                segmenter.add(piece, now);
                now += random.nextInt(2);
                if (unit != TextUnit.TOKEN) {
                    segmenter.flushOverdue(now);
                }
            }
            segmenter.finish();
            assertThat(String.join("", units)).isEqualTo(text);
            if (unit != TextUnit.TOKEN) {
                List<Integer> starts = Segmenting.starts(units);
                // By time, a full stop or a space leaves before it is known that an accent comes for it.
                starts.removeIf(start -> !Characters.mayGrow(text.charAt(start - 1)));
                assertThat(RandomText.clusterStarts(text))
                        .as(() -> RandomText.escape(text))
                        .containsAll(starts);
            }
        }
    }

    @Test
    void thaiWordsAreThoseOfADictionary() {
        String text = "ภาษาไทยไม่มีการเว้นวรรคระหว่างคำ";
        BreakIterator icu = BreakIterator.getWordInstance(new ULocale("th"));
        icu.setText(text);
        List<Integer> expected = new ArrayList<>();
        for (int at = icu.next(); at < text.length(); at = icu.next()) {
            expected.add(at);
        }
        List<Integer> actual = Segmenting.starts(Segmenting.whole(TextUnit.WORD, text));
        assertThat(expected).hasSizeGreaterThan(4);
        assertThat(actual).containsAll(expected).hasSizeLessThan(12);
    }

    @Test
    void thaiWithoutAnySpaceIsCutAllTheSame() {
        String text = "ภาษาไทยไม่มีการเว้นวรรคระหว่างคำ".repeat(100);
        TextSegmenter segmenter = new TextSegmenter(TextUnit.WORD, HoldLimits.NONE, units::add);
        for (int i = 0; i < text.length(); i++) {
            segmenter.add(text.substring(i, i + 1), 0);
            assertThat(segmenter.held()).isLessThan(300);
        }
        segmenter.finish();
        assertThat(units).hasSizeGreaterThan(500).isEqualTo(Segmenting.whole(TextUnit.WORD, text));
    }

    @Test
    void tokensPassAsTheyCome() {
        List<String> tokens = List.of("Hel", "lo", ",", " wor", "ld", "!\n", "你", "好", "日本");
        assertThat(Segmenting.pieces(TextUnit.TOKEN, tokens)).isEqualTo(tokens);
    }

    @Test
    void tokenThatEndsInACharacterWaitsForItsRest() {
        assertThat(Segmenting.pieces(TextUnit.TOKEN, List.of("a\ud83d", "\ude00", "b")))
                .containsExactly("a", "😀b");
        assertThat(Segmenting.pieces(TextUnit.TOKEN, List.of("a👨", "\u200d", "👩", "b")))
                .containsExactly("a", "👨‍👩b");
        assertThat(Segmenting.pieces(TextUnit.TOKEN, List.of("🇩", "🇪🇫", "🇷", "x")))
                .containsExactly("🇩🇪", "🇫🇷x");
        assertThat(Segmenting.pieces(TextUnit.TOKEN, List.of("ก", "ำ", "ข"))).containsExactly("กำ", "ข");
        assertThat(Segmenting.pieces(TextUnit.TOKEN, List.of("a\r", "\nb"))).containsExactly("a", "\r\nb");
    }

    @Test
    void longTokenIsOneUnitWhateverTheLimit() {
        TextSegmenter segmenter = new TextSegmenter(TextUnit.TOKEN, new HoldLimits(1, 1), units::add);
        segmenter.add("界".repeat(5_000), 0);
        assertThat(units).containsExactly("界".repeat(5_000));
    }

    @Test
    void unpairedSurrogateComesAtTheEnd() {
        TextSegmenter segmenter = new TextSegmenter(TextUnit.TOKEN, units::add);
        segmenter.add("a\ud83d", 0);
        assertThat(segmenter.flushOverdue(Long.MAX_VALUE)).isFalse();
        segmenter.finish();
        assertThat(units).containsExactly("a", "\ud83d");
    }

    @Test
    void deliversAUnitWithTheFirstCharacterBehindIt() {
        TextSegmenter segmenter = new TextSegmenter(TextUnit.SENTENCE, units::add);
        segmenter.add("One. ", 0);
        assertThat(units).isEmpty();
        segmenter.add("T", 0);
        assertThat(units).containsExactly("One. ");
        assertThat(segmenter.held()).isEqualTo(1);
    }

    @Test
    void nothingIsHeldForLongerThanTheLimit() {
        TextSegmenter segmenter = new TextSegmenter(TextUnit.SENTENCE, new HoldLimits(1_000, 100 * MS), units::add);
        assertThat(segmenter.dueInNs(0)).isEqualTo(Long.MAX_VALUE);
        segmenter.add("A sentence that sto", 5 * MS);
        assertThat(segmenter.dueInNs(65 * MS)).isEqualTo(40 * MS);
        assertThat(segmenter.flushOverdue(104 * MS)).isFalse();
        assertThat(segmenter.flushOverdue(105 * MS)).isTrue();
        assertThat(units).containsExactly("A sentence that ");
        assertThat(segmenter.dueInNs(105 * MS)).isEqualTo(100 * MS);
        assertThat(segmenter.flushOverdue(205 * MS)).isTrue();
        assertThat(units).containsExactly("A sentence that ", "st");
        assertThat(segmenter.flushOverdue(305 * MS)).isFalse();
        segmenter.add("ps. Here", 400 * MS);
        assertThat(units).containsExactly("A sentence that ", "st", "ops. ");
    }

    @Test
    void wholeSentenceLeavesByTimeWithoutTheNext() {
        TextSegmenter segmenter = new TextSegmenter(TextUnit.SENTENCE, new HoldLimits(1_000, 100 * MS), units::add);
        segmenter.add("Done.", 0);
        assertThat(segmenter.flushOverdue(100 * MS)).isTrue();
        assertThat(units).containsExactly("Done.");
        assertThat(segmenter.held()).isZero();
    }

    @Test
    void noMoreIsHeldThanTheLimit() {
        TextSegmenter segmenter = new TextSegmenter(TextUnit.SENTENCE, new HoldLimits(100, Long.MAX_VALUE), units::add);
        for (int i = 0; i < 1_000; i++) {
            segmenter.add("word ", 0);
            assertThat(segmenter.held()).isLessThan(100);
        }
        segmenter.finish();
        assertThat(units)
                .allSatisfy(
                        unit -> assertThat(unit).hasSizeLessThanOrEqualTo(100).startsWith("word"));
    }

    @Test
    void absurdlyLongCharacterIsCutBetweenCodePoints() {
        String mark = new String(Character.toChars(0x1D165));
        String text = "a" + mark.repeat(10_000);
        List<String> words = Segmenting.whole(TextUnit.WORD, text);
        assertThat(String.join("", words)).isEqualTo(text);
        TextSegmenter segmenter = new TextSegmenter(TextUnit.WORD, new HoldLimits(10, 1), units::add);
        segmenter.add(text, 0);
        assertThat(segmenter.held()).isLessThanOrEqualTo(Clusters.MAX_CHARS + 2);
        assertThat(units).hasSizeGreaterThan(50).noneMatch(unit -> Character.isLowSurrogate(unit.charAt(0)));
    }

    @ParameterizedTest
    @EnumSource
    void megabyteWithoutABreakIsLookedAtOnce(TextUnit unit) {
        int pieces = 256 * 1024;
        Assertions.assertTimeoutPreemptively(Duration.ofMinutes(1), () -> {
            TextSegmenter segmenter = new TextSegmenter(unit, HoldLimits.NONE, units::add);
            for (int i = 0; i < pieces; i++) {
                segmenter.add("abcd", 0);
            }
            segmenter.finish();
        });
        assertThat(units.stream().mapToLong(String::length).sum()).isEqualTo(4L * pieces);
    }

    @Test
    void emptyPiecesAreNothing() {
        TextSegmenter segmenter = new TextSegmenter(TextUnit.TOKEN, units::add);
        segmenter.add("", 0);
        segmenter.finish();
        segmenter.finish();
        assertThat(units).isEmpty();
        assertThatThrownBy(() -> segmenter.add("a", 0)).isInstanceOf(IllegalStateException.class);
    }

    @Test
    void unitsHaveNames() {
        for (TextUnit unit : TextUnit.values()) {
            assertThat(TextUnit.of(unit.toString())).isEqualTo(unit);
        }
        assertThatThrownBy(() -> TextUnit.of("line"))
                .hasMessageContaining("line")
                .hasMessageContaining("sentence");
    }
}
