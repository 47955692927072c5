package io.millrace.codec.dialect;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Every recorded stream, frame by frame, compared with its known content. */
class RecordedStreamsTest {
    private static final String STREAMS = "/fixtures/streams/";
    private static final ObjectMapper JSON = new ObjectMapper();

    /** The streams' errors that SDKs do not recognise. */
    private static final Set<String> HIDDEN = Set.of("chat-llamabox-error-field.sse", "gemini-error-midstream.sse");

    /** Streams that end on their terminal without its blank line: a strict parser does not see it, a relay must. */
    private static final Map<String, String> FINISH_IN_TAIL = Map.of(
            "anthropic-max-tokens-cut-tool-no-eof-blank.sse", "max_tokens",
            "gemini-prompt-blocked.sse", "block:SAFETY");

    /** The manifest has the answer's tokens without reasoning. Only the total includes reasoning. */
    private static final Map<String, Long> OUTPUT_TOKENS = Map.of("chat-xai-empty-deltas.sse", 231L);

    @ParameterizedTest(name = "{0}")
    @MethodSource("files")
    void findsWhatTheStreamSays(String file) throws IOException {
        JsonNode expected = expected().get(file);
        StreamInspector inspector = dialectOf(file).newInspector();
        StringBuilder text = new StringBuilder();

        TailVerdict tail = feed(inspector, read(file), text, dialectOf(file));

        assertThat(inspector.finishReason())
                .isEqualTo(
                        FINISH_IN_TAIL.getOrDefault(file, expected.get("finish").textValue()));
        assertThat(inspector.usage().inputTokens())
                .isEqualTo(expected.get("usage_in").asLong(-1));
        assertThat(inspector.usage().outputTokens())
                .isEqualTo(OUTPUT_TOKENS.getOrDefault(
                        file, expected.get("usage_out").asLong(-1)));
        assertThat(inspector.end()).isEqualTo(expectedEnd(file, expected));
        assertThat(text.toString().getBytes(StandardCharsets.UTF_8))
                .hasSize(expected.get("text_bytes").asInt());
        assertThat(sha256(text.toString()))
                .isEqualTo(expected.get("text_sha256").textValue());
        assertErrorIs(inspector, expected.get("error").textValue());
        if (FINISH_IN_TAIL.containsKey(file)) {
            assertThat(tail).isEqualTo(TailVerdict.TERMINAL);
        }
    }

    private static StreamEnd expectedEnd(String file, JsonNode expected) {
        if (HIDDEN.contains(file)) {
            return StreamEnd.HIDDEN_ERROR;
        }
        if (!expected.get("error").isNull()) {
            return StreamEnd.ERROR;
        }
        if (FINISH_IN_TAIL.containsKey(file)) {
            return dialectOf(file) == Dialect.MESSAGES ? StreamEnd.DONE : StreamEnd.FINISHED;
        }
        String end = expected.get("end").asText("");
        return switch (end) {
            case "[DONE]", "message_stop" -> StreamEnd.DONE;
            case "finishReason", "promptFeedback" -> StreamEnd.FINISHED;
            case "" -> expected.get("finish").isNull() ? StreamEnd.OPEN : StreamEnd.FINISHED;
            default -> StreamEnd.TERMINAL;
        };
    }

    private static void assertErrorIs(StreamInspector inspector, String expected) {
        if (expected == null) {
            assertThat(inspector.errorMessage()).isNull();
            assertThat(inspector.errorType()).isNull();
        } else if (expected.startsWith("error-field: ")) {
            assertThat("error-field: " + inspector.errorMessage()).isEqualTo(expected);
        } else {
            assertThat(inspector.errorType() + ": " + inspector.errorMessage())
                    .isEqualTo(expected.replace("raw-json: ", ""));
        }
    }

    /** Feeds whole frames, then the rest; text is taken from output frames only. */
    private static TailVerdict feed(StreamInspector inspector, byte[] stream, StringBuilder text, Dialect dialect)
            throws IOException {
        ByteBuf buf = Unpooled.directBuffer(stream.length).writeBytes(stream);
        try {
            int from = 0;
            for (int end : frameEnds(stream)) {
                if (inspector.inspect(buf, from, end) == FrameKind.OUTPUT) {
                    appendText(dialect, new String(stream, from, end - from, StandardCharsets.UTF_8), text);
                }
                from = end;
            }
            return from == stream.length ? null : inspector.inspectTail(buf, from, stream.length);
        } finally {
            buf.release();
        }
    }

    static List<Integer> frameEnds(byte[] stream) {
        List<Integer> ends = new ArrayList<>();
        boolean lineEmpty = true;
        for (int i = 0; i < stream.length; i++) {
            boolean crlf = stream[i] == '\r' && i + 1 < stream.length && stream[i + 1] == '\n';
            if (crlf) {
                i++;
            }
            if (stream[i] == '\n' || stream[i] == '\r') {
                if (lineEmpty) {
                    ends.add(i + 1);
                }
                lineEmpty = true;
            } else {
                lineEmpty = false;
            }
        }
        return ends;
    }

    private static void appendText(Dialect dialect, String frame, StringBuilder text) throws IOException {
        StringBuilder data = new StringBuilder();
        frame.lines().filter(line -> line.startsWith("data:")).forEach(line -> data.append(line.substring(5)));
        JsonNode json = JSON.readTree(data.toString());
        switch (dialect) {
            case CHAT ->
                json.path("choices").forEach(choice -> {
                    if (choice.path("index").asInt() == 0) {
                        text.append(choice.path("text").asText(""));
                        JsonNode content = choice.path("delta").path("content");
                        text.append(content.asText(""));
                        content.forEach(part -> text.append(part.path("text").asText("")));
                    }
                });
            case RESPONSES -> {
                if (json.path("type").asText().equals("response.output_text.delta")) {
                    text.append(json.get("delta").asText());
                }
            }
            case MESSAGES -> {
                text.append(json.at("/content_block/text").asText(""));
                if (json.at("/delta/type").asText().equals("text_delta")) {
                    text.append(json.at("/delta/text").asText());
                }
            }
            case GEMINI ->
                json.at("/candidates/0/content/parts").forEach(part -> {
                    if (!part.path("thought").asBoolean()) {
                        text.append(part.path("text").asText(""));
                    }
                });
            case UNKNOWN -> throw new IllegalArgumentException("no text in an unknown dialect");
        }
    }

    static Dialect dialectOf(String file) {
        String protocol = file.replace("derived-", "");
        return switch (protocol.substring(0, protocol.indexOf('-'))) {
            case "chat", "completions" -> Dialect.CHAT;
            case "responses" -> Dialect.RESPONSES;
            case "anthropic" -> Dialect.MESSAGES;
            case "gemini" -> Dialect.GEMINI;
            default -> throw new IllegalArgumentException(file);
        };
    }

    static Stream<String> files() throws IOException {
        List<String> names = new ArrayList<>();
        expected().fieldNames().forEachRemaining(names::add);
        assertThat(names).hasSizeGreaterThan(50);
        return names.stream();
    }

    static byte[] read(String file) throws IOException {
        try (InputStream in = RecordedStreamsTest.class.getResourceAsStream(STREAMS + file)) {
            return in.readAllBytes();
        }
    }

    private static JsonNode expected() throws IOException {
        return JSON.readTree(read("expected.json"));
    }

    private static String sha256(String text) {
        try {
            byte[] digest = MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
            return HexFormat.of().formatHex(digest);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }
}
