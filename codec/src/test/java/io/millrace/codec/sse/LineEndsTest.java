package io.millrace.codec.sse;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.util.Random;
import org.junit.jupiter.api.Test;

class LineEndsTest {
    @Test
    void findsWhatANaiveLoopFinds() {
        Random random = new Random(1);
        for (int round = 0; round < 20_000; round++) {
            byte[] bytes = new byte[random.nextInt(40)];
            for (int i = 0; i < bytes.length; i++) {
                bytes[i] = (byte) (random.nextInt(8) == 0 ? random.nextInt(16) : random.nextInt(256));
            }
            verifyAllRanges(bytes, random.nextInt(bytes.length + 1));
        }
    }

    @Test
    void tellsEveryByteValueAtEveryPlaceOfAWord() {
        for (int value = 0; value < 256; value++) {
            for (int place = 0; place < 24; place++) {
                byte[] bytes = new byte[24];
                bytes[place] = (byte) value;
                verifyAllRanges(bytes, 0);
                bytes[Math.min(23, place + 1)] = LineEnds.LF;
                verifyAllRanges(bytes, 0);
            }
        }
    }

    private static void verifyAllRanges(byte[] bytes, int from) {
        ByteBuf heap = Unpooled.wrappedBuffer(bytes);
        ByteBuf direct = Unpooled.directBuffer(bytes.length + 1).writeBytes(bytes);
        int expected = from;
        while (expected < bytes.length && bytes[expected] != '\n' && bytes[expected] != '\r') {
            expected++;
        }
        assertThat(LineEnds.find(heap.nioBuffer(0, bytes.length), from, bytes.length))
                .isEqualTo(expected);
        assertThat(LineEnds.find(direct.nioBuffer(0, bytes.length), from, bytes.length))
                .isEqualTo(expected);
        assertThat(LineEnds.find(direct, from, bytes.length)).isEqualTo(expected);
        direct.release();
        heap.release();
    }
}
