package io.millrace.server.relay;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.server.downstream.FrameSink;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.buffer.UnpooledByteBufAllocator;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Each event gets its end as its id, and nothing else changes. */
class FrameIdsTest {
    private static final Path STREAMS = Path.of("..", "codec", "src", "test", "resources", "fixtures", "streams");

    /** Keeps what is appended. */
    private static final class Bytes implements FrameSink {
        private final ByteArrayOutputStream got = new ByteArrayOutputStream();

        @Override
        public long bodyBytes() {
            return got.size();
        }

        @Override
        public boolean hasPending() {
            return false;
        }

        @Override
        public int pendingBytes() {
            return 0;
        }

        @Override
        public void append(ByteBuf frames, int start, int end) {
            byte[] copy = new byte[end - start];
            frames.getBytes(start, copy);
            got.writeBytes(copy);
        }

        @Override
        public void write(@Nullable Runnable written) {}

        @Override
        public void discard() {}

        @Override
        public void onRead(ByteBuf raw) {}
    }

    static List<Path> recordings() throws IOException {
        try (Stream<Path> files = Files.list(STREAMS)) {
            return files.filter(path -> path.toString().endsWith(".sse")).toList();
        }
    }

    @ParameterizedTest
    @MethodSource("recordings")
    void withoutItsIdLinesTheStreamIsTheLog(Path recording) throws IOException {
        byte[] log = Files.readAllBytes(recording);
        for (int seed = 0; seed < 5; seed++) {
            String out = withIds(log, 0, new Random(seed));
            assertThat(out.replaceAll("(?m)^id: \\d+(\r\n|\n|\r)", ""))
                    .isEqualTo(
                            new String(log, StandardCharsets.ISO_8859_1).replaceAll("(?m)^id: \\d+(\r\n|\n|\r)", ""));
        }
    }

    @ParameterizedTest
    @CsvSource({
        "'data: a\n\n', 'data: a\nid: 9\n\n'",
        "'data: a\n\ndata: b\n\n', 'data: a\nid: 9\n\ndata: b\nid: 18\n\n'",
        "': ping\n\ndata\n\n', ': ping\n\ndata\nid: 14\n\n'",
        "'id: x\ndata: a\n\n', 'id: x\ndata: a\nid: 15\n\n'",
        "'event: e\nretry: 5\n\n', 'event: e\nretry: 5\n\n'",
        "'database: 1\n\n', 'database: 1\n\n'",
        "'data: cut', 'data: cut'",
    })
    void anEventHasItsEndAsItsLastId(String log, String expected) {
        for (int seed = 0; seed < 20; seed++) {
            assertThat(withIds(bytes(log), 0, new Random(seed))).isEqualTo(expected);
        }
    }

    /** Where the line feed of the blank line comes later, the event ends before it: that, too, is a place to go on. */
    @Test
    void usesTheEventsOwnLineEnd() {
        byte[] log = bytes("data: a\r\n\r\n");
        assertThat(withIds(log, 0, null)).isEqualTo("data: a\r\nid: 11\r\n\r\n");
        var sink = new Bytes();
        try (var ids = new FrameIds(UnpooledByteBufAllocator.DEFAULT, sink, 0)) {
            ids.read(Unpooled.wrappedBuffer(log, 0, 10));
            ids.read(Unpooled.wrappedBuffer(log, 10, 1));
        }
        assertThat(sink.got.toString(StandardCharsets.ISO_8859_1)).isEqualTo("data: a\r\nid: 10\r\r\n");
    }

    @Test
    void countsFromWhereTheReaderBegan() {
        assertThat(withIds(bytes("data: a\n\n"), 1000, new Random(1))).isEqualTo("data: a\nid: 1009\n\n");
    }

    @Test
    void anEventThatIsNotHeldHasAnIdToo() {
        String log = "data: " + "x".repeat(200_000) + "\n\n";
        assertThat(withIds(bytes(log), 0, new Random(1)))
                .isEqualTo(log.substring(0, log.length() - 1) + "id: " + log.length() + "\n\n");
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.ISO_8859_1);
    }

    /** In pieces as {@code random} says; in one piece if it is null. */
    private static String withIds(byte[] log, long from, @Nullable Random random) {
        var sink = new Bytes();
        try (var ids = new FrameIds(UnpooledByteBufAllocator.DEFAULT, sink, from)) {
            for (int at = 0; at < log.length; ) {
                int most = random == null ? log.length : 1 + random.nextInt(random.nextBoolean() ? 20 : 40_000);
                int end = Math.min(log.length, at + most);
                ids.read(Unpooled.wrappedBuffer(log, at, end - at));
                at = end;
            }
            ids.end();
        }
        return sink.got.toString(StandardCharsets.ISO_8859_1);
    }
}
