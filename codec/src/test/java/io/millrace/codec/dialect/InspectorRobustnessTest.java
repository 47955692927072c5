package io.millrace.codec.dialect;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** With any bytes, nothing is thrown, nothing hangs, nothing leaks, and indices do not move. */
@Tag("slow")
class InspectorRobustnessTest {
    private static final byte[] ALPHABET =
            "{}[]\"\\:,\n\r 01-etnda: data: event: error".getBytes(StandardCharsets.US_ASCII);

    @ParameterizedTest
    @EnumSource
    void survivesRandomBytes(Dialect dialect) {
        Random random = new Random(20261122);
        for (int round = 0; round < 20_000; round++) {
            byte[] bytes = new byte[random.nextInt(80)];
            for (int i = 0; i < bytes.length; i++) {
                bytes[i] = round % 4 == 0 ? (byte) random.nextInt(256) : ALPHABET[random.nextInt(ALPHABET.length)];
            }
            survives(dialect.newInspector(), bytes, random);
        }
    }

    @ParameterizedTest
    @MethodSource("io.millrace.codec.dialect.RecordedStreamsTest#files")
    void survivesDamagedStreams(String file) throws IOException {
        byte[] stream = RecordedStreamsTest.read(file);
        List<Integer> ends = RecordedStreamsTest.frameEnds(stream);
        Random random = new Random(file.hashCode());
        for (int round = 0; round < 300; round++) {
            int frame = random.nextInt(Math.max(1, ends.size()));
            int from = frame == 0 ? 0 : ends.get(frame - 1);
            int to = ends.isEmpty() ? stream.length : ends.get(frame);
            byte[] bytes = Arrays.copyOfRange(stream, from, from + random.nextInt(to - from + 1));
            for (int hits = random.nextInt(4); hits > 0 && bytes.length > 0; hits--) {
                bytes[random.nextInt(bytes.length)] = ALPHABET[random.nextInt(ALPHABET.length)];
            }
            for (Dialect dialect : Dialect.values()) {
                survives(dialect.newInspector(), bytes, random);
            }
        }
    }

    @ParameterizedTest
    @MethodSource("io.millrace.codec.dialect.RecordedStreamsTest#files")
    void heapAndDirectBuffersSayTheSame(String file) throws IOException {
        byte[] stream = RecordedStreamsTest.read(file);
        StreamInspector direct = RecordedStreamsTest.dialectOf(file).newInspector();
        StreamInspector heap = RecordedStreamsTest.dialectOf(file).newInspector();
        ByteBuf slice = Unpooled.wrappedBuffer(stream).slice();
        int from = 0;
        for (int end : RecordedStreamsTest.frameEnds(stream)) {
            byte[] frame = Arrays.copyOfRange(stream, from, end);
            assertThat(heap.inspect(slice, from, end)).isEqualTo(Frames.inspect(direct, frame));
            from = end;
        }
        assertThat(heap.usage()).isEqualTo(direct.usage());
        assertThat(heap.finishReason()).isEqualTo(direct.finishReason());
        assertThat(heap.end()).isEqualTo(direct.end());
        slice.release();
    }

    @Test
    void nestingWithoutEndIsReadInOnePass() {
        String objects = "data: {\"error\":" + "{\"error\":".repeat(7_000) + "\n\n";
        assertThat(Frames.inspect(Dialect.CHAT.newInspector(), objects)).isEqualTo(FrameKind.ERROR);
        String arrays = "data: {\"choices\":" + "[".repeat(60_000) + "\n\n";
        assertThat(Frames.inspect(Dialect.CHAT.newInspector(), arrays)).isEqualTo(FrameKind.STRUCTURAL);
    }

    private static void survives(StreamInspector inspector, byte[] bytes, Random random) {
        ByteBuf buf = Unpooled.directBuffer(Math.max(1, bytes.length)).writeBytes(bytes);
        try {
            assertThat(inspector.inspect(buf, 0, bytes.length)).isNotNull();
            int cut = random.nextInt(bytes.length + 1);
            assertThat(inspector.inspectPiece(buf, 0, cut, true, false)).isNotNull();
            assertThat(inspector.inspectPiece(buf, cut, bytes.length, false, true))
                    .isNotNull();
            assertThat(inspector.inspectTail(buf, 0, bytes.length)).isNotNull();
            assertThat(inspector.usage()).isNotNull();
            assertThat(buf.readerIndex()).isZero();
            assertThat(buf.writerIndex()).isEqualTo(bytes.length);
        } finally {
            buf.release();
        }
    }
}
