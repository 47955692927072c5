package io.millrace.codec.translate;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;

/** Writes a whole answer of Messages. */
final class MessagesAnswerWriter extends Answer {
    private final ModelRequest request;

    MessagesAnswerWriter(ModelRequest request) {
        this.request = request;
    }

    @Override
    public byte[] body() {
        boolean refused = !refusal().isEmpty();
        JsonText json = new JsonText()
                .object()
                .put("id", id() == null ? "msg_" + CallIds.fresh().substring("call_".length()) : id())
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

    private static void writeReasoning(JsonText json, Part.Reasoning reasoning) {
        Seal seal = reasoning.seal();
        if (MessagesShapes.isRedacted(seal)) {
            json.put("type", "redacted_thinking").put("data", seal.value());
        } else {
            json.put("type", "thinking")
                    .put("thinking", reasoning.text())
                    .put("signature", seal == null ? "" : MessagesShapes.signatureOf(seal));
        }
    }

    /** Arguments that were cut off, or are no object, stand as text in one that is. */
    private static String input(String arguments) {
        if (arguments.isBlank()) {
            return "{}";
        }
        ObjectNode input = Json.parseObject(arguments);
        return (input == null ? Json.object().put("invalid_json", arguments) : input).toString();
    }
}
