package io.millrace.codec.sse;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.nio.charset.StandardCharsets;
import java.util.Random;
import org.junit.jupiter.api.Test;

class LineEndsTest {
    @Test
    void findsWhatANaiveLoopFinds() {
        Random random = new Random(1);
        for (int round = 0; round < 20_000; round++) {
            byte[] bytes = new byte[1 + random.nextInt(40)];
            for (int i = 0; i < bytes.length; i++) {
                bytes[i] = (byte) (random.nextInt(8) == 0 ? random.nextInt(16) : random.nextInt(256));
            }
            verifyFind(bytes, random.nextInt(bytes.length));
        }
    }

    @Test
    void tellsEveryByteValueAtEveryPlaceOfAWord() {
        for (int value = 0; value < 256; value++) {
            for (int place = 0; place < 24; place++) {
                byte[] bytes = new byte[24];
                bytes[place] = (byte) value;
                verifyFind(bytes, 0);
                bytes[Math.min(23, place + 1)] = LineEnds.LF;
                verifyFind(bytes, 0);
            }
        }
    }

    @Test
    void takesACarriageReturnAndItsLineFeedForOneLineEnd() {
        ByteBuf buf = Unpooled.wrappedBuffer(new byte[] {'\r', '\n', '\n', '\r', '\r', '\n'});
        assertThat(LineEnds.of(buf, 6).after(0)).isEqualTo(2);
        assertThat(LineEnds.of(buf, 6).after(2)).isEqualTo(3);
        assertThat(LineEnds.of(buf, 6).after(3)).isEqualTo(4);
        assertThat(LineEnds.of(buf, 5).after(4)).isEqualTo(5);
        buf.release();
    }

    @Test
    void seesTheBlankLineBehindALine() {
        for (BufferKind kind : BufferKind.values()) {
            ByteBuf buf = kind.of(bytes("a\n\nb\r\n\r\nc\n\r\nd\r\re\n\n"), 0, 18);
            LineEnds lines = LineEnds.of(buf, 18);
            if (kind != BufferKind.COMPOSITE) {
                assertThat(lines.afterBlankLine(1)).as("LF LF").isEqualTo(3);
                assertThat(lines.afterBlankLine(4)).as("CRLF CRLF").isEqualTo(8);
            }
            assertThat(lines.afterBlankLine(9)).as("LF CRLF").isEqualTo(-1);
            assertThat(lines.afterBlankLine(13)).as("CR CR").isEqualTo(-1);
            assertThat(lines.afterBlankLine(16)).as("too near the end").isEqualTo(-1);
            assertThat(LineEnds.of(buf, 7).afterBlankLine(4))
                    .as("behind the end")
                    .isEqualTo(-1);
            buf.release();
        }
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }

    private static void verifyFind(byte[] bytes, int from) {
        int expected = from;
        while (expected < bytes.length && bytes[expected] != '\n' && bytes[expected] != '\r') {
            expected++;
        }
        assertThat(LineEnds.of(bytes, bytes.length).find(from)).isEqualTo(expected);
        for (BufferKind kind : BufferKind.values()) {
            ByteBuf buf = kind.of(bytes, 0, bytes.length);
            assertThat(LineEnds.of(buf, bytes.length).find(from))
                    .as(kind.name())
                    .isEqualTo(expected);
            buf.release();
        }
    }
}
