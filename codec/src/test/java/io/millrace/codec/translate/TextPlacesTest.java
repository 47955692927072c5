package io.millrace.codec.translate;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TextPlacesTest {
    @ParameterizedTest
    @ValueSource(ints = {0, 1, 255, 256, 257, 511, 512, 900})
    void countsEveryPlaceAsTheTextItselfDoes(int codePoints) {
        String[] letters = {"a", "ñ", "漢", "😀"};
        Random random = new Random(codePoints);
        StringBuilder built = new StringBuilder();
        for (int i = 0; i < codePoints; i++) {
            built.append(letters[random.nextInt(letters.length)]);
        }
        String text = built.toString();
        TextPlaces places = new TextPlaces(built);

        int bytes = 0;
        for (int point = 0; point < codePoints; point++) {
            assertThat(places.bytesBefore(point)).isEqualTo(bytes);
            String letter = text.substring(text.offsetByCodePoints(0, point), text.offsetByCodePoints(0, point + 1));
            int next = bytes + letter.getBytes(StandardCharsets.UTF_8).length;
            for (int within = bytes; within < next; within++) {
                assertThat(places.pointsWithin(within)).isEqualTo(point);
            }
            bytes = next;
        }
        assertThat(places.bytesBefore(codePoints)).isEqualTo(bytes);
        assertThat(places.bytesBefore(Integer.MAX_VALUE)).isEqualTo(bytes);
        assertThat(places.bytesBefore(-1)).isZero();
        assertThat(places.pointsWithin(bytes)).isEqualTo(codePoints);
        assertThat(places.pointsWithin(Long.MAX_VALUE)).isEqualTo(codePoints);
        assertThat(places.pointsWithin(-1)).isZero();
    }

    @Test
    void takesHalvesOfPairs() {
        TextPlaces places = new TextPlaces("\uD83D".repeat(300) + "\uDE00".repeat(900));

        assertThat(places.bytesBefore(Integer.MAX_VALUE)).isEqualTo(2400);
        assertThat(places.pointsWithin(Long.MAX_VALUE)).isEqualTo(300);
    }

    /** This limit only catches a machine that stands still: it is thousands of times the usual time. */
    @Test
    @Timeout(value = 1, unit = TimeUnit.MINUTES)
    void findsManyPlacesOfALongText() {
        int length = 4_000_000;
        TextPlaces places = new TextPlaces("x".repeat(length));

        for (int i = 0; i < 100_000; i++) {
            assertThat(places.bytesBefore(length - i) + places.pointsWithin(i)).isEqualTo(length);
        }
    }
}
