package io.millrace.codec.sse;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.netty.buffer.ByteBuf;
import java.io.IOException;
import java.io.InputStream;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Every recorded provider stream, whole, byte by byte and cut in two at every place. */
@Tag("slow")
class SseRecordedStreamsTest {
    private static final int WINDOW_BYTES = 4 * 1024;
    private static final int ALL_CUTS_BYTES = 4 * WINDOW_BYTES;
    private static final int EDGE_BYTES = 1024;

    record Recorded(String name, JsonNode expected) {
        byte[] bytes() {
            return resource(name);
        }

        @Override
        public String toString() {
            return name;
        }
    }

    static Stream<Recorded> streams() throws IOException {
        JsonNode expected = new ObjectMapper().readTree(resource("expected.json"));
        List<Recorded> streams = expected.properties().stream()
                .map(entry -> new Recorded(entry.getKey(), entry.getValue()))
                .toList();
        assertThat(streams).hasSizeGreaterThan(50);
        return streams.stream();
    }

    @ParameterizedTest
    @MethodSource("streams")
    void decoderCutsTheSameFramesHoweverTheStreamIsCut(Recorded stream) {
        byte[] bytes = stream.bytes();
        int length = bytes.length;
        int[] expected = NaiveSse.frameEnds(bytes);
        FrameEnds ends = new FrameEnds(bytes);
        for (BufferKind kind : BufferKind.values()) {
            ByteBuf input = kind.of(bytes, 0, length);
            for (int holdLimit : new int[] {64, SseFrameDecoder.DEFAULT_HOLD_LIMIT}) {
                assertThat(Feeding.frameEnds(input, ends, holdLimit)).isEqualTo(expected);
                assertThat(Feeding.frameEnds(input, ends, holdLimit, Feeding.everywhere(length)))
                        .isEqualTo(expected);
            }
            verifyCutInTwo(input, ends, expected, kind == BufferKind.DIRECT ? cuts(length) : seededCuts(length, 100));
            input.release();
        }
        if (length > ALL_CUTS_BYTES) {
            verifyWindowsCutInTwo(bytes, expected);
        }
    }

    /** Some frames at a time, for the cost of every place grows with the square of the length. */
    private static void verifyWindowsCutInTwo(byte[] stream, int[] frameEnds) {
        int start = 0;
        for (int i = 0; i < frameEnds.length; i++) {
            int end = i < frameEnds.length - 1 ? frameEnds[i] : stream.length;
            if (end - start < WINDOW_BYTES && end < stream.length) {
                continue;
            }
            byte[] window = Arrays.copyOfRange(stream, start, end);
            ByteBuf input = BufferKind.DIRECT.of(window, 0, window.length);
            verifyCutInTwo(input, new FrameEnds(window), NaiveSse.frameEnds(window), cuts(window.length));
            input.release();
            start = end;
        }
    }

    private static void verifyCutInTwo(ByteBuf input, FrameEnds ends, int[] expected, int... cuts) {
        for (int cut : cuts) {
            int[] actual = Feeding.frameEnds(input, ends, SseFrameDecoder.DEFAULT_HOLD_LIMIT, cut);
            if (!Arrays.equals(actual, expected)) {
                assertThat(actual).as("%s cut at %d", input, cut).isEqualTo(expected);
            }
        }
    }

    @ParameterizedTest
    @MethodSource("streams")
    void parserReportsTheSameEventsHoweverTheStreamIsCut(Recorded stream) {
        byte[] bytes = stream.bytes();
        int length = bytes.length;
        List<Object> expected = NaiveSse.read(bytes).parts();
        for (BufferKind kind : BufferKind.values()) {
            ByteBuf input = kind.of(bytes, 0, length);
            assertThat(Feeding.read(input).parts()).isEqualTo(expected);
            assertThat(Feeding.read(input, Feeding.everywhere(length)).parts()).isEqualTo(expected);
            for (int cut : seededCuts(length, 60)) {
                assertThat(Feeding.read(input, cut).parts())
                        .as("%s cut at %d", kind, cut)
                        .isEqualTo(expected);
            }
            input.release();
        }
    }

    @ParameterizedTest
    @MethodSource("streams")
    void countsOfEventsCommentsAndUnknownFieldsAreThoseExpected(Recorded stream) {
        byte[] bytes = stream.bytes();
        ByteBuf input = BufferKind.HEAP.of(bytes, 0, bytes.length);
        StreamReading reading = Feeding.read(input);
        assertThat(reading.events).hasSize(stream.expected.get("events").intValue());
        assertThat(reading.comments).hasSize(stream.expected.get("comments").intValue());
        assertThat(NaiveSse.read(bytes).unknown)
                .isEqualTo(stream.expected.get("unknown").intValue());
        assertThat(tailHoldsAnEvent(bytes))
                .isEqualTo(stream.expected.get("discarded").booleanValue());
        input.release();
    }

    /** Whether the bytes after the last frame would be an event with a blank line. The end of a stream is no blank line. */
    private static boolean tailHoldsAnEvent(byte[] stream) {
        int[] ends = NaiveSse.frameEnds(stream);
        int tailStart = ends.length == 0 ? 0 : ends[ends.length - 1];
        byte[] ended = Arrays.copyOfRange(stream, tailStart, stream.length + 2);
        System.arraycopy("\n\n".getBytes(US_ASCII), 0, ended, ended.length - 2, 2);
        return !NaiveSse.read(ended).events.isEmpty();
    }

    /** Every place. In long inputs their beginning, their end and some others. */
    private static int[] cuts(int length) {
        if (length <= ALL_CUTS_BYTES) {
            return Feeding.everywhere(length);
        }
        IntStream edges =
                IntStream.concat(IntStream.rangeClosed(1, EDGE_BYTES), IntStream.range(length - EDGE_BYTES, length));
        return IntStream.concat(edges, Arrays.stream(seededCuts(length, 500))).toArray();
    }

    private static int[] seededCuts(int length, int count) {
        return new Random(length).ints(count, 1, length).toArray();
    }

    private static byte[] resource(String name) {
        try (InputStream in = SseRecordedStreamsTest.class.getResourceAsStream("/fixtures/streams/" + name)) {
            return in.readAllBytes();
        } catch (IOException e) {
            throw new AssertionError(name, e);
        }
    }
}
