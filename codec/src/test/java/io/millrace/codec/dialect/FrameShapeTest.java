package io.millrace.codec.dialect;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** An inspector that recognises shapes reports the same as one that reads each frame. */
@Tag("slow")
class FrameShapeTest {
    private static final int ROUNDS = 30;
    private static final List<String> COUNTS = List.of(
            "5",
            "6",
            "66",
            "0",
            "7",
            "999999999999999999",
            "1000000000000000000",
            "8",
            "-1",
            "9",
            "null",
            "10",
            "1.5",
            "11",
            "1e3",
            "12",
            "\"13\"",
            "14",
            "{}",
            "15",
            "016",
            "17",
            "");
    private static final String FIRST = chat("\"role\":\"assistant\",\"content\":\"\"");

    /** Text that may change the meaning of a frame if it is put into it. */
    private static final String[] SPLICES = {
        "\"",
        "\\",
        "\\\"",
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "\n",
        "\r",
        "\ndata: ",
        "\nevent: error",
        "0",
        "7",
        "-1",
        "1e9",
        "null",
        "\"\"",
        "\"x\"",
        "\"usage\":{\"prompt_tokens\":3}",
        ",\"usage\":{\"output_tokens\":7}",
        "\"finish_reason\":\"stop\"",
        ",\"finishReason\":\"STOP\"",
        "\"error\":{\"message\":\"m\"}",
        ",\"error\":\"e\"",
        "\"type\":\"error\"",
        "[DONE]",
        "\"sequence_number\":9,",
        ",\"choices\":[{\"index\":1}]",
        "signature_delta"
    };

    @ParameterizedTest
    @MethodSource("io.millrace.codec.dialect.RecordedStreamsTest#files")
    void recordedStreamsReadAlike(String file) throws IOException {
        Pair pair = new Pair(RecordedStreamsTest.dialectOf(file));
        frames(file).forEach(pair::read);
    }

    @ParameterizedTest
    @MethodSource("io.millrace.codec.dialect.RecordedStreamsTest#files")
    void damagedStreamsReadAlike(String file) throws IOException {
        List<byte[]> frames = frames(file);
        Random random = new Random(file.hashCode());
        for (int round = 0; round < ROUNDS; round++) {
            Pair pair = new Pair(RecordedStreamsTest.dialectOf(file));
            for (byte[] frame : frames) {
                pair.read(frame);
                pair.read(damaged(frame, random));
            }
        }
    }

    /** Most frames of a stream of tokens have a known shape. Otherwise the tests above would show nothing. */
    @ParameterizedTest
    @CsvSource({
        "chat-openai-text-usage.sse, 80",
        "chat-openai-text-obfuscation.sse, 80",
        "chat-deepseek-reasoning.sse, 90",
        "responses-openai-reasoning-summary.sse, 90",
        "responses-openai-function-call.sse, 40",
        "anthropic-text-emoji.sse, 80",
        "gemini-thinking.sse, 60",
        "gemini-grounding.sse, 50",
    })
    void knowsTokensAgain(String file, int percent) throws IOException {
        StreamInspector inspector = RecordedStreamsTest.dialectOf(file).newInspector();
        List<byte[]> frames = frames(file);
        int known = 0;
        for (byte[] frame : frames) {
            known += inspector.shape() != null && matches(inspector.shape(), frame) ? 1 : 0;
            Frames.inspect(inspector, frame);
        }
        assertThat(100 * known / frames.size()).isGreaterThanOrEqualTo(percent);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "\"content\":\"b\"",
                "\"content\":\"much longer than it was\"",
                "\"content\":\"\\\"\"",
                "\"content\":\"\\\\\"",
                "\"content\":\"\\\"error\\\":1\"",
                "\"content\":\"\u00e9\u4e16\"",
            })
    void anotherTokenIsOfTheSameShape(String delta) {
        assertThat(matches(shapeOf(chat("\"content\":\"a\"")), bytes(chat(delta))))
                .isTrue();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "\"content\":\"\"",
                "\"content\":null",
                "\"content\":\"b",
                "\"content\":\"b\\\"",
                "\"content\":[\"b\"]",
                "\"content\":\"b\",\"role\":\"assistant\"",
                "\"content\":\"b\"},\"error\":\"e\",\"x\":{\"y\":\"z\"",
                "\"refusal\":\"b\"",
            })
    void anythingElseIsNot(String delta) {
        assertThat(matches(shapeOf(chat("\"content\":\"a\"")), bytes(chat(delta))))
                .isFalse();
    }

    @Test
    void frameThatIsCutShortOrHasMoreBehindItIsNot() {
        FrameShape shape = shapeOf(chat("\"content\":\"a\""));
        String other = chat("\"content\":\"other\"");
        for (int length = 0; length < other.length(); length++) {
            assertThat(matches(shape, bytes(other.substring(0, length)))).isFalse();
        }
        assertThat(matches(shape, bytes(other + "\n"))).isFalse();
    }

    @Test
    void framesThatSayMoreGiveNoShape() {
        assertThat(shapeOf(chat("\"content\":\"a\"").replace("]}\n", "],\"choices\":[{}]}\n")))
                .isNull();
        assertThat(shapeOf(chat("\"content\":\"a\"").replace("null}]", "\"stop\"}]")))
                .isNull();
        assertThat(shapeOf("data: {\"model\":\"m\",\ndata: \"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n\n"))
                .isNull();
        assertThat(shapeOf("{\"a\":1}\n" + chat("\"content\":\"a\""))).isNull();
    }

    @Test
    void numberBehindAStringWithoutACommaIsNoString() {
        String frame = "data: {\"choices\":[\"x\"5\"y\",{\"delta\":{\"content\":\"a\"}}]}\n\n";
        FrameShape shape = shapeOf(frame);
        assertThat(matches(shape, bytes(frame.replace("5", "6")))).isTrue();
        assertThat(matches(shape, bytes(frame.replace("5", "5],[")))).isFalse();
    }

    @Test
    void streamThatHasNotNamedItsModelLearnsItFromAKnownFrame() {
        shapeOf(chat("\"content\":\"a\""));
        StreamInspector fresh = Dialect.CHAT.newInspector();
        Frames.inspect(fresh, ": hello\n\n");
        Frames.inspect(fresh, chat("\"content\":\"b\""));
        assertThat(fresh.model()).isEqualTo("m");
    }

    @Test
    void choiceOfAKnownFrameIsCounted() {
        shapeOf(chat("\"content\":\"a\"").replace("\"index\":0", "\"index\":1"));
        Pair pair = new Pair(Dialect.CHAT);
        pair.read(bytes(FIRST));
        pair.read(bytes(chat("\"content\":\"b\"").replace("\"index\":0", "\"index\":1")));
        pair.read(bytes(chat("").replace("null}]", "\"stop\"}]")));
        assertThat(pair.known.end()).isEqualTo(StreamEnd.OPEN);
    }

    @Test
    void sequenceNumberOfAKnownFrameIsTaken() {
        Pair pair = new Pair(Dialect.RESPONSES);
        pair.read(bytes(
                "data: {\"type\":\"response.created\",\"response\":{\"model\":\"m\"},\"sequence_number\":0}\n\n"));
        IntStream.of(5, 6, 99, 100, 5, 0, 5, 7).forEach(number -> {
            pair.read(bytes("data: {\"type\":\"response.output_text.delta\",\"sequence_number\":" + number
                    + ",\"delta\":\"a\"}\n\n"));
            assertThat(pair.known.sequenceNumber()).isEqualTo(number);
            pair.read(bytes("data: {\"type\":\"response.other\",\"sequence_number\":2}\n\n"));
        });
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{'prompt_tokens':$,'completion_tokens':9,'total_tokens':$}",
                "{'prompt_tokens':3,'completion_tokens':$,'prompt_tokens_details':{'cached_tokens':$}}",
                "{'prompt_tokens':3,'completion_tokens':$,'completion_tokens_details':{'reasoning_tokens':$}}",
                "{'prompt_tokens':$,'prompt_tokens':4,'completion_tokens':$}",
                "{'prompt_tokens':4,'prompt_tokens':$,'prompt_tokens':-1}",
            })
    void usageOfAKnownFrameIsTaken(String usage) {
        Pair pair = new Pair(Dialect.CHAT);
        pair.read(bytes(FIRST));
        for (String count : COUNTS) {
            String frame = chat("\"content\":\"" + count.length() + "\"")
                    .replace("]}\n", "],\"usage\":" + usage.replace('\'', '"').replace("$", count) + "}\n");
            pair.read(bytes(frame));
            pair.read(bytes(chat("\"content\":\"no usage\"")));
        }
    }

    @Test
    void usageOfAGeminiFrameIsTakenWithoutAWalk() {
        Pair pair = new Pair(Dialect.GEMINI);
        for (int tokens = 1; tokens < 2_000; tokens *= 3) {
            pair.read(bytes(gemini(tokens)));
            pair.read(bytes(gemini(tokens + 1)));
            assertThat(pair.known.usage()).isEqualTo(new Usage(15, tokens + 1, 12, tokens + 3));
            assertThat(matches(pair.known.shape(), bytes(gemini(7)))).isTrue();
        }
    }

    @Test
    void streamsWhoseFramesAllDifferGiveFewShapes() {
        StreamInspector inspector = Dialect.CHAT.newInspector();
        Frames.inspect(inspector, FIRST);
        FrameShape last = null;
        int shapes = 0;
        for (int i = 0; i < 100; i++) {
            Frames.inspect(inspector, chat("\"content\":\"a\",\"n\":" + "[".repeat(i) + "]".repeat(i)));
            shapes += inspector.shape() == last ? 0 : 1;
            last = inspector.shape();
        }
        assertThat(shapes).isLessThan(10);
    }

    /** The shape that this frame gives as the second of a stream, {@code null} if none. */
    private static FrameShape shapeOf(String frame) {
        StreamInspector inspector = Dialect.CHAT.newInspector();
        Frames.inspect(inspector, FIRST);
        Frames.inspect(inspector, frame);
        return inspector.shape();
    }

    private static boolean matches(FrameShape shape, byte[] frame) {
        byte[] padded =
                ("\"}\n" + new String(frame, StandardCharsets.UTF_8) + "\"}\n").getBytes(StandardCharsets.UTF_8);
        return shape.match(padded, 3, padded.length - 3, new long[FrameShape.NUMBERS]);
    }

    private static String chat(String delta) {
        return "data: {\"id\":\"c1\",\"created\":1700000000,\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":{"
                + delta + "},\"finish_reason\":null}]}\n\n";
    }

    private static String gemini(int tokens) {
        return "data: {\"candidates\": [{\"content\": {\"parts\": [{\"text\": \"a\"}],\"role\": \"model\"}}],"
                + "\"usageMetadata\": {\"promptTokenCount\": 15,\"candidatesTokenCount\": " + tokens
                + ",\"cachedContentTokenCount\": 12,\"totalTokenCount\": " + (tokens + 15)
                + ",\"thoughtsTokenCount\": " + (tokens + 2) + "},\"modelVersion\": \"m\"}\n\n";
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private static List<byte[]> frames(String file) throws IOException {
        byte[] stream = RecordedStreamsTest.read(file);
        List<Integer> ends = RecordedStreamsTest.frameEnds(stream);
        return IntStream.range(0, ends.size())
                .mapToObj(i -> Arrays.copyOfRange(stream, i == 0 ? 0 : ends.get(i - 1), ends.get(i)))
                .toList();
    }

    /** Replaces up to a few bytes by text that has a meaning. */
    private static byte[] damaged(byte[] frame, Random random) {
        byte[] bytes = frame;
        for (int hits = 1 + random.nextInt(2); hits > 0; hits--) {
            int from = random.nextInt(bytes.length);
            int to = Math.min(bytes.length, from + random.nextInt(4));
            byte[] splice = bytes(SPLICES[random.nextInt(SPLICES.length)]);
            byte[] spliced = Arrays.copyOf(bytes, bytes.length - (to - from) + splice.length);
            System.arraycopy(splice, 0, spliced, from, splice.length);
            System.arraycopy(bytes, to, spliced, from + splice.length, bytes.length - to);
            bytes = spliced;
        }
        return bytes;
    }

    /** One stream read twice. */
    private static final class Pair {
        private final StreamInspector known;
        private final StreamInspector walked;

        Pair(Dialect dialect) {
            known = dialect.newInspector();
            walked = dialect.newInspector();
        }

        void read(byte[] frame) {
            ByteBuf buf = Unpooled.directBuffer(frame.length).writeBytes(frame);
            try {
                FrameKind expected = walked.inspectByWalk(InspectorScratch.cursor(buf, 0, frame.length));
                FrameKind kind = known.inspect(buf, 0, frame.length);
                assertThat(kind).as(new String(frame, StandardCharsets.UTF_8)).isEqualTo(expected);
                assertThat(state(known))
                        .as(new String(frame, StandardCharsets.UTF_8))
                        .isEqualTo(state(walked));
            } finally {
                buf.release();
            }
        }

        private static List<Object> state(StreamInspector inspector) {
            return List.of(
                    inspector.end(),
                    inspector.usage(),
                    inspector.outputFrames(),
                    inspector.sequenceNumber(),
                    String.valueOf(inspector.finishReason()),
                    String.valueOf(inspector.model()),
                    String.valueOf(inspector.errorType()),
                    String.valueOf(inspector.errorMessage()));
        }
    }
}
