package io.millrace.codec.translate;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;

/** Writes a whole answer of Messages. */
final class MessagesAnswerWriter extends Answer {
    private final ModelRequest request;
    private String messageId = "";
    private int uses;

    /** The code points of the text so far. */
    private int written;

    MessagesAnswerWriter(ModelRequest request) {
        this.request = request;
    }

    @Override
    public byte[] body() {
        boolean refused = !refusal().isEmpty();
        messageId = id() == null ? "msg_" + CallIds.fresh().substring("call_".length()) : id();
        JsonText json = new JsonText()
                .object()
                .put("id", messageId)
                .put("type", "message")
                .put("role", "assistant")
                .put("model", model() == null ? request.model() : model())
                .array("content");
        parts().forEach(part -> writePart(json, part));
        if (refused) {
            writePart(json, new Part.Text(refusal()));
        }
        json.endArray()
                .put("stop_reason", MessagesShapes.stopReason(stopReason(), refused))
                .put("stop_sequence", stopSequence());
        MessagesShapes.writeUsage(json, usage());
        return json.endObject().bytes();
    }

    private void writePart(JsonText json, Part part) {
        json.object();
        if (part instanceof Part.Text text) {
            json.put("type", "text").put("text", text.text());
            writeCitations(json, CodePoints.count(text.text()));
        } else if (part instanceof Part.HostedUse use) {
            String useId = MessagesShapes.hostedId(messageId, ++uses);
            MessagesHosted.putAsk(json, useId, use, true);
            json.endObject().object();
            MessagesHosted.putResult(json, useId, use);
        } else if (part instanceof Part.Media media) {
            json.put("type", "text").put("text", media.markdown());
        } else if (part instanceof Part.Reasoning reasoning) {
            writeReasoning(json, reasoning);
        } else if (part instanceof Part.ToolCall call) {
            json.put("type", "tool_use").put("id", CallIds.encode(call.id(), List.of(), call.seal()));
            MessagesShapes.writeName(json, request.form(call.name()));
            json.putJson("input", input(call.arguments()));
        }
        json.endObject();
    }

    /** Writes the sources whose places begin in this text. */
    private void writeCitations(JsonText json, int length) {
        int start = written;
        written += length;
        List<Part.Citation> here = citations().stream()
                .filter(citation -> citation.start() >= start && citation.start() < written)
                .toList();
        if (!here.isEmpty()) {
            json.array("citations");
            for (Part.Citation citation : here) {
                json.object();
                MessagesHosted.putCitation(json, citation);
                json.endObject();
            }
            json.endArray();
        }
    }

    private static void writeReasoning(JsonText json, Part.Reasoning reasoning) {
        Seal seal = reasoning.seal();
        if (seal != null && MessagesShapes.isRedacted(seal)) {
            json.put("type", "redacted_thinking").put("data", seal.value());
        } else {
            json.put("type", "thinking")
                    .put("thinking", reasoning.text())
                    .put("signature", seal == null ? "" : MessagesShapes.signatureOf(seal));
        }
    }

    /** The arguments as an object. Arguments that were cut, or are no object, become a text in an object. */
    private static String input(String arguments) {
        if (arguments.isBlank()) {
            return "{}";
        }
        ObjectNode input = Json.parseObject(arguments);
        return (input == null ? Json.object().put("invalid_json", arguments) : input).toString();
    }
}
