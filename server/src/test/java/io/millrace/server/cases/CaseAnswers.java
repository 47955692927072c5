package io.millrace.server.cases;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.millrace.server.test.ScriptedUpstream;
import io.millrace.server.test.ScriptedUpstream.Connection;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.zip.GZIPOutputStream;

/** The upstream of a case. It gives one answer at a time to every request. */
final class CaseAnswers implements ScriptedUpstream.Script {
    private record Answer(JsonNode json, String dialect) {}

    private volatile Answer answer;

    /** From now on says {@code json}, its frames as {@code dialect} frames them. */
    void set(JsonNode json, String dialect) {
        answer = new Answer(json, dialect);
    }

    @Override
    public void serve(Connection connection) throws IOException {
        while (connection.readRequest() != null) {
            Answer now = answer;
            if (now.json().has("frames")) {
                stream(connection, now);
            } else {
                whole(connection, now.json());
            }
        }
    }

    private static void stream(Connection connection, Answer answer) throws IOException {
        connection.send(head(answer.json(), "text/event-stream") + "Transfer-Encoding: chunked\r\n\r\n");
        for (JsonNode item : answer.json().get("frames")) {
            if (item.has("$sleep")) {
                if (connection.isClosedWithin(
                        Duration.ofMillis(item.get("$sleep").asLong()))) {
                    return;
                }
            } else {
                String frame = Json.bytes(frame(answer.dialect(), item));
                connection.send(Integer.toHexString(frame.length()) + "\r\n" + frame + "\r\n");
            }
        }
        connection.send("0\r\n\r\n");
    }

    private static void whole(Connection connection, JsonNode answer) throws IOException {
        String text = answer.has("text") ? answer.get("text").asText() : Json.escaped(answer.path("json"));
        String body = Json.bytes(text);
        if (answer.at("/headers/Content-Encoding").asText().equals("gzip")) {
            body = gzipped(text);
        }
        connection.send(head(answer, "application/json") + "Content-Length: " + body.length() + "\r\n\r\n" + body);
    }

    private static String head(JsonNode answer, String type) {
        var head = new StringBuilder();
        head.append("HTTP/1.1 ").append(answer.path("status").asInt(200)).append(" Said\r\n");
        head.append("Content-Type: ").append(answer.path("type").asText(type)).append("\r\n");
        answer.path("headers")
                .properties()
                .forEach(field -> head.append(field.getKey())
                        .append(": ")
                        .append(field.getValue().asText())
                        .append("\r\n"));
        return head.toString();
    }

    private static String frame(String dialect, JsonNode item) {
        if (item.isTextual()) {
            return item.asText().equals("[DONE]") ? "data: [DONE]\n\n" : item.asText();
        }
        boolean escaped = item.path("$escaped").asBoolean();
        ObjectNode json = ((ObjectNode) item).deepCopy();
        json.remove("$escaped");
        String data = "data: " + (escaped ? Json.escaped(json) : Json.text(json));
        return switch (dialect) {
            case "messages", "responses" -> "event: " + json.path("type").asText("message") + "\n" + data + "\n\n";
            case "gemini" -> data + "\r\n\r\n";
            default -> data + "\n\n";
        };
    }

    private static String gzipped(String text) throws IOException {
        var bytes = new ByteArrayOutputStream();
        try (var out = new GZIPOutputStream(bytes)) {
            out.write(text.getBytes(StandardCharsets.UTF_8));
        }
        return bytes.toString(StandardCharsets.ISO_8859_1);
    }
}
