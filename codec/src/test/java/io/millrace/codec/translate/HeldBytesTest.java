package io.millrace.codec.translate;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.codec.dialect.Dialect;
import java.nio.charset.StandardCharsets;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** {@code heldBytes} counts the memory of frames that begin a block and never end it. */
class HeldBytesTest {
    private static final int FRAMES = 500;

    static Stream<Arguments> unendedFrames() {
        return Stream.of(
                Arguments.of(
                        Dialect.MESSAGES,
                        "{'type':'content_block_start','index':%d,'content_block':{'type':'unknown'}}",
                        64L),
                Arguments.of(
                        Dialect.RESPONSES,
                        "{'type':'response.output_item.added','output_index':0,'item':{'id':'ws_%d','type':'web_search_call'}}",
                        256L),
                Arguments.of(
                        Dialect.CHAT,
                        "{'choices':[{'delta':{'reasoning_details':[{'type':'a','index':%d,'signature':'"
                                + "s".repeat(1000)
                                + "'}]}}]}",
                        2000L));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("unendedFrames")
    void countWhatIsKept(Dialect upstream, String frame, long bytesEach) {
        StreamTranslator translator = Translation.of(Dialect.GEMINI, upstream).stream();
        long before = translator.heldBytes();

        Recorded.translate(
                translator,
                IntStream.range(0, FRAMES)
                        .mapToObj(number -> "data: " + frame.replace('\'', '"').formatted(number) + "\n\n")
                        .map(text -> text.getBytes(StandardCharsets.UTF_8))
                        .toList());

        assertThat(translator.isOver()).isFalse();
        assertThat(translator.heldBytes() - before).isGreaterThan(FRAMES * bytesEach);
    }
}
