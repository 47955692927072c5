package io.millrace.codec.translate;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The text of a custom tool's call, with arguments cut in any place. */
class CustomInputTest {
    private static final String TEXT = "*** Begin\n\t\"quoted\\\" é \ud83d\udc08 \u0001/";

    @Test
    void readsTheSameTextWhereverTheArgumentsAreCut() {
        for (String arguments : new String[] {
            CallForm.customArguments(TEXT),
            " {\n \"input\" : \"*** Begin\\n\\t\\\"quoted\\\\\\\" \\u00e9 \\ud83d\\udc08 \\u0001\\/\" , \"more\": 1}"
        }) {
            for (int first = 0; first <= arguments.length(); first++) {
                for (int second = first; second <= arguments.length(); second++) {
                    CustomInput input = new CustomInput();
                    String read = input.add(arguments.substring(0, first))
                            + input.add(arguments.substring(first, second))
                            + input.add(arguments.substring(second))
                            + input.end();

                    assertThat(read).isEqualTo(TEXT).isEqualTo(input.text());
                    assertThat(input.isWhole()).isTrue();
                }
            }
        }
    }

    @Test
    void tellsTextAsItComes() {
        CustomInput input = new CustomInput();

        assertThat(input.add("{\"input\": \"One")).isEqualTo("One");
        assertThat(input.add(" two\\")).isEqualTo(" two");
        assertThat(input.add("n\\u00")).isEqualTo("\n");
        assertThat(input.add("e9")).isEqualTo("é");
        assertThat(input.isWhole()).isFalse();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "{\"patch\": \"x\"}            | x              | true",
                "{\"a\": 1, \"input\": \"x\"}  | x              | true",
                "{\"input\": 5}                | {\"input\": 5} | true",
                "{}                            | ``             | true",
                "*** Begin                     | *** Begin      | false",
                "{\"input\": \"cut             | cut            | false",
            })
    void takesOtherShapesAsWellAsItCan(String arguments, String text, boolean whole) {
        CustomInput input = new CustomInput();
        String read = input.add(arguments) + input.end();

        assertThat(read).isEqualTo(text);
        assertThat(input.isWhole()).isEqualTo(whole);
    }

    @Test
    void looksAtALongBeginningNoMoreThanOnce() {
        CustomInput input = new CustomInput();
        for (int i = 0; i < 1_000_000; i++) {
            assertThat(input.add(" ")).isEmpty();
        }

        assertThat(input.add("{\"input\": \"x\"}")).isEmpty();
        assertThat(input.end()).isEqualTo("x");
    }
}
