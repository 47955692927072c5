package io.millrace.bench.stream;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.millrace.codec.dialect.Dialect;
import io.netty.buffer.ByteBuf;
import java.nio.charset.StandardCharsets;

/** The text of an answer's output frames, for the history of a session. It is read after the time was taken. */
final class AnswerText {
    private static final ObjectMapper JSON = new ObjectMapper();

    private AnswerText() {}

    /** Adds the text of a frame; nothing if the frame has reasoning or a call, or is no JSON. */
    static void append(StringBuilder answer, Dialect dialect, ByteBuf buf, int start, int end) {
        for (String line :
                buf.toString(start, end - start, StandardCharsets.UTF_8).split("\n", -1)) {
            if (line.startsWith("data:")) {
                answer.append(text(dialect, line.substring("data:".length())));
            }
        }
    }

    private static String text(Dialect dialect, String data) {
        JsonNode frame;
        try {
            frame = JSON.readTree(data);
        } catch (JsonProcessingException e) {
            return "";
        }
        return switch (dialect) {
            case MESSAGES -> frame.at("/delta/text").asText();
            case RESPONSES ->
                frame.path("type").asText().equals("response.output_text.delta")
                        ? frame.path("delta").asText()
                        : "";
            case GEMINI -> gemini(frame);
            case CHAT, UNKNOWN -> frame.at("/choices/0/delta/content").asText("");
        };
    }

    private static String gemini(JsonNode frame) {
        var text = new StringBuilder();
        for (JsonNode part : frame.at("/candidates/0/content/parts")) {
            if (!part.path("thought").asBoolean()) {
                text.append(part.path("text").asText());
            }
        }
        return text.toString();
    }
}
