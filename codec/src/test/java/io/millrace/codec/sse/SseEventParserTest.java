package io.millrace.codec.sse;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.buffer.UnpooledByteBufAllocator;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SseEventParserTest {
    private static final byte[][] ALPHABET = {
        {'\r'},
        {'\n'},
        {'\r', '\n'},
        {':'},
        {' '},
        {'d', 'a', 't', 'a'},
        {'i', 'd'},
        {'e', 'v', 'e', 'n', 't'},
        {'r', 'e', 't', 'r', 'y'},
        {'1'},
        {'d'},
        {'a'},
        {'t'},
        {0},
        {(byte) 0xEF, (byte) 0xBB, (byte) 0xBF},
        {(byte) 0xEF},
        {(byte) 0xFF},
        {(byte) 0xF0, (byte) 0x9F},
        {(byte) 0xED, (byte) 0xA0, (byte) 0x80},
        {(byte) 0x80}
    };

    @Test
    void readsRandomBytesAsTheReferenceDoesHoweverTheyAreCut() {
        Random random = new Random(42);
        for (int round = 0; round < 5_000; round++) {
            ByteBuf input = Unpooled.buffer();
            for (int i = random.nextInt(30); i > 0; i--) {
                input.writeBytes(ALPHABET[random.nextInt(ALPHABET.length)]);
            }
            byte[] bytes = new byte[input.writerIndex()];
            input.getBytes(0, bytes);
            int[] cuts =
                    random.ints(random.nextInt(4), 0, bytes.length + 1).sorted().toArray();
            assertThat(Feeding.read(input, cuts).parts())
                    .as(HexFormat.of().formatHex(bytes))
                    .isEqualTo(NaiveSse.read(bytes).parts());
            assertThat(Feeding.frameEnds(input, new FrameEnds(bytes), 1 + random.nextInt(20), cuts))
                    .as(HexFormat.of().formatHex(bytes))
                    .isEqualTo(NaiveSse.frameEnds(bytes));
            input.release();
        }
    }

    @ParameterizedTest
    @CsvSource({
        "61ff62, a?b",
        "e282, ?",
        "e28261, ?a",
        "f09f98, ?",
        "f09f9861, ?a",
        "c0af, ??",
        "e08080, ???",
        "eda080, ???",
        "f4908080, ????",
        "f0808080, ????",
        "f5808080, ????",
        "eda080e282ac, ???€",
        "80bf, ??"
    })
    void replacesEachMaximalSubpartOfBadUtf8(String hex, String expected) {
        byte[] bytes = HexFormat.of().parseHex(hex);
        assertThat(Utf8.decode(bytes, 0, bytes.length)).isEqualTo(expected.replace('?', '\uFFFD'));
    }

    @Test
    void dispatchesAtACarriageReturnWithoutWaiting() {
        assertThat(events("data: a\r\r", 1_000)).containsExactly("a");
    }

    @Test
    void reportsCommentAndRetryAsSoonAsTheirLineEnds() {
        StreamReading reading = new StreamReading();
        try (var parser = parser(100)) {
            feed(parser, ": ping\rretry: 99999999999999999999\n", reading);
        }
        assertThat(reading.comments).containsExactly(" ping");
        assertThat(reading.retry).isEqualTo(Long.MAX_VALUE);
    }

    @Test
    void acceptsAnEventOfTheLimit() {
        assertThat(events("data: abcd\n\ndata:\ndata: abc\n\n", 10)).containsExactly("abcd", "\nabc");
    }

    @ParameterizedTest
    @CsvSource({"data: abcde", "data: abcdef\\n", "data: a\\ndata: abc", ": 34567890x", "x2345678901"})
    void rejectsAnEventOrLineOverTheLimitAndReleasesWhatItHolds(String text) {
        String input = text.replace("\\n", "\n");
        for (int cut = 0; cut < input.length(); cut++) {
            var parser = parser(10);
            String first = input.substring(0, cut);
            String second = input.substring(cut);
            assertThatThrownBy(() -> {
                        feed(parser, first, new StreamReading());
                        feed(parser, second, new StreamReading());
                    })
                    .isInstanceOf(TooLongEventException.class)
                    .hasMessageEndingWith("(expected: <= 10)");
            assertThat(parser.closed()).isTrue();
        }
    }

    @Test
    void anEndlessRowOfCommentsIsNoLongEvent() {
        assertThat(events("data: a\n" + ": ping\n".repeat(1_000) + "\n", 20)).containsExactly("a");
    }

    @Test
    void stopsWhenTheListenerClosesIt() {
        List<SseEvent> events = new ArrayList<>();
        var parser = parser(100);
        ByteBuf in = Unpooled.copiedBuffer("data: a\n\ndata: b\n\n", UTF_8);
        parser.parse(in, event -> {
            events.add(event);
            parser.close();
        });
        assertThat(events).extracting(SseEvent::data).containsExactly("a");
        assertThat(in.readableBytes()).isEqualTo(9);
        in.release();
    }

    @Test
    void anotherParserMayReadInsideTheListener() {
        List<String> inner = new ArrayList<>();
        List<String> outer = new ArrayList<>();
        ByteBuf in = direct("data: a\n\ndata: b\n\n");
        ByteBuf other = direct("data: other\n\ndata: bytes\n\n");
        try (var parser = parser(100)) {
            parser.parse(in, event -> {
                outer.add(event.data());
                try (var innerParser = parser(100)) {
                    innerParser.parse(other.readerIndex(0), e -> inner.add(e.data()));
                }
            });
        }
        assertThat(outer).containsExactly("a", "b");
        assertThat(inner).containsExactly("other", "bytes", "other", "bytes");
        in.release();
        other.release();
    }

    @ParameterizedTest
    @CsvSource({"100000, LF", "100000, CRLF", "65529, CRLF", "65530, CRLF", "65529, LF", "65528, LF"})
    void readsMoreThanItCopiesAtOnce(int dataLength, String lineEnd) {
        String data = "x".repeat(dataLength);
        String text = "data: " + data + "\n\ndata: b\n\n";
        ByteBuf in = direct(lineEnd.equals("LF") ? text : text.replace("\n", "\r\n"));
        StreamReading reading = new StreamReading();
        try (var parser = parser(1_000_000)) {
            parser.parse(in, reading);
        }
        assertThat(reading.events).extracting(SseEvent::data).containsExactly(data, "b");
        assertThat(in.isReadable()).isFalse();
        in.release();
    }

    @Test
    void rejectsALimitThatIsNotPositive() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> parser(0))
                .withMessage("maxEventBytes: 0 (expected: > 0)");
    }

    private static List<String> events(String text, int maxEventBytes) {
        StreamReading reading = new StreamReading();
        try (var parser = parser(maxEventBytes)) {
            feed(parser, text, reading);
        }
        return reading.events.stream().map(SseEvent::data).toList();
    }

    private static SseEventParser parser(int maxEventBytes) {
        return new SseEventParser(UnpooledByteBufAllocator.DEFAULT, maxEventBytes);
    }

    private static ByteBuf direct(String text) {
        byte[] bytes = text.getBytes(UTF_8);
        return Unpooled.directBuffer(bytes.length).writeBytes(bytes);
    }

    private static void feed(SseEventParser parser, String text, SseEventListener out) {
        ByteBuf in = Unpooled.copiedBuffer(text, UTF_8);
        try {
            parser.parse(in, out);
        } finally {
            in.release();
        }
    }
}
