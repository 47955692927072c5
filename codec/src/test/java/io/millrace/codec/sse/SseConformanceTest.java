package io.millrace.codec.sse;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.netty.buffer.ByteBuf;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Every vector, whole, byte by byte and cut in two at every place, in every kind of buffer. */
@Tag("slow")
class SseConformanceTest {
    record Vector(String name, String base64, StreamReading expected) {
        byte[] input() {
            return Base64.getDecoder().decode(base64);
        }

        @Override
        public String toString() {
            return name;
        }
    }

    static Stream<Vector> vectors() throws IOException {
        try (InputStream in = SseConformanceTest.class.getResourceAsStream("/fixtures/sse-conformance.json")) {
            List<Vector> vectors = StreamSupport.stream(
                            new ObjectMapper().readTree(in).get("vectors").spliterator(), false)
                    .map(SseConformanceTest::vector)
                    .toList();
            assertThat(vectors).hasSize(92);
            return vectors.stream();
        }
    }

    @ParameterizedTest
    @MethodSource("vectors")
    void parserReportsWhatTheVectorSaysHoweverItIsCut(Vector vector) {
        byte[] bytes = vector.input();
        List<Object> expected = vector.expected.parts();
        assertThat(NaiveSse.read(bytes).parts()).as("reference").isEqualTo(expected);
        for (BufferKind kind : BufferKind.values()) {
            ByteBuf input = kind.of(bytes, 0, bytes.length);
            assertThat(Feeding.read(input).parts()).as("%s whole", kind).isEqualTo(expected);
            assertThat(Feeding.read(input, Feeding.everywhere(bytes.length)).parts())
                    .as("%s byte by byte", kind)
                    .isEqualTo(expected);
            for (int cut : cuts(bytes.length, kind == BufferKind.DIRECT)) {
                List<Object> parts = Feeding.read(input, cut, cut).parts();
                if (!parts.equals(expected)) {
                    assertThat(parts).as("%s cut at %d", kind, cut).isEqualTo(expected);
                }
            }
            input.release();
        }
    }

    @ParameterizedTest
    @MethodSource("vectors")
    void decoderCutsTheSameFramesHoweverTheVectorIsCut(Vector vector) {
        byte[] bytes = vector.input();
        int[] expected = NaiveSse.frameEnds(bytes);
        FrameEnds ends = new FrameEnds(bytes);
        for (BufferKind kind : BufferKind.values()) {
            ByteBuf input = kind.of(bytes, 0, bytes.length);
            for (int holdLimit : new int[] {1, 3, 8, SseFrameDecoder.DEFAULT_HOLD_LIMIT}) {
                assertThat(Feeding.frameEnds(input, ends, holdLimit)).isEqualTo(expected);
                assertThat(Feeding.frameEnds(input, ends, holdLimit, Feeding.everywhere(bytes.length)))
                        .isEqualTo(expected);
                boolean all = holdLimit == SseFrameDecoder.DEFAULT_HOLD_LIMIT && kind == BufferKind.DIRECT;
                for (int cut : cuts(bytes.length, all)) {
                    int[] actual = Feeding.frameEnds(input, ends, holdLimit, cut, cut);
                    if (!Arrays.equals(actual, expected)) {
                        assertThat(actual).as("%s cut at %d", kind, cut).isEqualTo(expected);
                    }
                }
            }
            input.release();
        }
    }

    /** Every place. In long inputs only some, unless {@code all} is set. */
    private static int[] cuts(int length, boolean all) {
        int[] cuts = Feeding.everywhere(length);
        return all || length < 1_000
                ? cuts
                : Arrays.stream(cuts).filter(cut -> cut % 61 == 0).toArray();
    }

    private static Vector vector(JsonNode json) {
        StreamReading expected = new StreamReading();
        for (JsonNode event : json.get("events")) {
            expected.events.add(new SseEvent(
                    event.get("event").textValue(),
                    event.get("data").textValue(),
                    event.get("id").textValue()));
        }
        List<String> comments = new ArrayList<>();
        json.get("comments").forEach(comment -> comments.add(comment.textValue()));
        expected.comments.addAll(comments);
        expected.retry = json.get("retry").isNull() ? null : json.get("retry").longValue();
        expected.lastEventId = json.get("lastEventId").textValue();
        return new Vector(json.get("name").textValue(), json.get("input").textValue(), expected);
    }
}
