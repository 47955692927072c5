package io.millrace.codec.sse;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SseEncoderTest {
    private static final String[] TEXTS = {
        "\r", "\n", "\r\n", "\n\n", ":", " ", "data: ", "\0", "\uFEFF", "\uFFFD", "\u2028", "\u0085", "é", "€", "😀",
        "x", "\t"
    };

    @Test
    void writesTheFieldsOfAnEvent() {
        assertThat(written(out -> SseEncoder.event(out, "ping", "7", "{}")))
                .isEqualTo("event: ping\nid: 7\ndata: {}\n\n");
        assertThat(written(out -> SseEncoder.event(out, null, null, "a"))).isEqualTo("data: a\n\n");
        assertThat(written(out -> SseEncoder.event(out, "", "", "a"))).isEqualTo("id: \ndata: a\n\n");
    }

    @Test
    void writesADataLineForEachLineOfTheText() {
        assertThat(written(out -> SseEncoder.event(out, null, null, ""))).isEqualTo("data: \n\n");
        assertThat(written(out -> SseEncoder.event(out, null, null, "\na\r\n\rb\r")))
                .isEqualTo("data: \ndata: a\ndata: \ndata: b\ndata: \n\n");
    }

    @Test
    void writesCommentAndRetryAsFramesOfTheirOwn() {
        assertThat(written(out -> SseEncoder.comment(out, " a\nb"))).isEqualTo(": a\n:b\n\n");
        assertThat(written(out -> SseEncoder.retry(out, 1500))).isEqualTo("retry: 1500\n\n");
    }

    @ParameterizedTest
    @ValueSource(strings = {"a\nb", "a\rb", "\0"})
    void rejectsATypeOrIdThatIsNotOneLineAndWritesNothing(String value) {
        ByteBuf out = Unpooled.buffer();
        assertThatIllegalArgumentException()
                .isThrownBy(() -> SseEncoder.event(out, value, null, "x"))
                .withMessageStartingWith("type: \"");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> SseEncoder.event(out, "t", value, "x"))
                .withMessageStartingWith("id: \"")
                .withMessageEndingWith("(expected: no CR, LF or NUL)");
        assertThatIllegalArgumentException().isThrownBy(() -> SseEncoder.retry(out, -1));
        assertThat(out.isReadable()).isFalse();
        out.release();
    }

    @Test
    void whatIsWrittenIsReadBackExactly() {
        Random random = new Random(7);
        for (int round = 0; round < 5_000; round++) {
            ByteBuf out = Unpooled.buffer();
            List<SseEvent> events = new ArrayList<>();
            List<String> comments = new ArrayList<>();
            String lastEventId = "";
            for (int i = random.nextInt(4); i >= 0; i--) {
                String type = oneLine(text(random));
                String id = random.nextBoolean() ? oneLine(text(random)) : null;
                String data = text(random);
                String comment = text(random);
                SseEncoder.comment(out, comment);
                SseEncoder.event(out, type, id, data);
                lastEventId = id == null ? lastEventId : id;
                events.add(new SseEvent(type.isEmpty() ? "message" : type, withLineFeeds(data), lastEventId));
                comments.addAll(List.of(withLineFeeds(comment).split("\n", -1)));
            }
            StreamReading reading = Feeding.read(out, random.nextInt(out.writerIndex()));
            assertThat(reading.events).isEqualTo(events);
            assertThat(reading.comments).isEqualTo(comments);
            assertThat(reading.lastEventId).isEqualTo(lastEventId);
            out.release();
        }
    }

    private static String text(Random random) {
        StringBuilder text = new StringBuilder();
        for (int i = random.nextInt(8); i > 0; i--) {
            text.append(TEXTS[random.nextInt(TEXTS.length)]);
        }
        return text.toString();
    }

    private static String oneLine(String text) {
        return text.replaceAll("[\r\n\0]", "");
    }

    private static String withLineFeeds(String text) {
        return text.replace("\r\n", "\n").replace('\r', '\n');
    }

    private static String written(Consumer<ByteBuf> writer) {
        ByteBuf out = Unpooled.buffer();
        writer.accept(out);
        String text = out.toString(UTF_8);
        out.release();
        return text;
    }
}
