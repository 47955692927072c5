package io.millrace.codec.translate;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Writes a whole answer of Chat Completions. */
final class ChatAnswerWriter extends Answer {
    private final ModelRequest request;

    ChatAnswerWriter(ModelRequest request) {
        this.request = request;
    }

    @Override
    public byte[] body() {
        JsonText json = new JsonText().object();
        json.put("id", id() == null ? "chatcmpl-" + CallIds.fresh().substring("call_".length()) : id())
                .put("object", "chat.completion")
                .put("created", created())
                .put("model", model() == null ? request.model() : model())
                .array("choices")
                .object()
                .put("index", 0);
        writeMessage(json.object("message"));
        json.endObject()
                .putNull("logprobs")
                .put("finish_reason", finishReason())
                .endObject()
                .endArray();
        if (usage().isKnown()) {
            json.putJson("usage", ChatShapes.usage(usage()));
        }
        return json.endObject().bytes();
    }

    private @Nullable String finishReason() {
        if (stopReason() == null) {
            return null;
        }
        return isLegacy() ? ChatShapes.legacyFinishReason(stopReason()) : ChatShapes.finishReason(stopReason());
    }

    private void writeMessage(JsonText json) {
        List<Part.Reasoning> thoughts = new ArrayList<>();
        StringBuilder reasoning = new StringBuilder();
        boolean called = false;
        for (Part part : parts()) {
            called |= part instanceof Part.ToolCall;
            reasoning.append(part instanceof Part.Reasoning thought ? thought.text() : "");
        }
        String text = allText();
        json.put("role", "assistant")
                .put("content", text.isEmpty() && (called || !refusal().isEmpty()) ? null : text)
                .put("refusal", refusal().isEmpty() ? null : refusal());
        if (reasoning.length() > 0) {
            json.put("reasoning_content", reasoning.toString());
        }
        writeImages(json);
        if (!citations().isEmpty()) {
            json.array("annotations");
            citations().forEach(citation -> ChatShapes.putCitation(json, citation));
            json.endArray();
        }
        if (isLegacy()) {
            writeLegacyCall(json);
        } else if (called) {
            json.array("tool_calls");
            for (Part part : parts()) {
                if (part instanceof Part.Reasoning thought) {
                    thoughts.add(thought);
                } else if (part instanceof Part.ToolCall call) {
                    writeCall(json, call, thoughts);
                    thoughts.clear();
                }
            }
            json.endArray();
        }
    }

    private boolean isLegacy() {
        return parts().stream()
                .anyMatch(part -> part instanceof Part.ToolCall call
                        && request.form(call.name()).kind() == CallForm.Kind.LEGACY_FUNCTION);
    }

    /** Writes a legacy call, of which an answer has at most one. */
    private void writeLegacyCall(JsonText json) {
        for (Part part : parts()) {
            if (part instanceof Part.ToolCall call) {
                json.object("function_call")
                        .put("name", request.form(call.name()).name())
                        .put("arguments", call.arguments())
                        .endObject();
                return;
            }
        }
    }

    private void writeImages(JsonText json) {
        int images = 0;
        for (Part part : parts()) {
            if (part instanceof Part.Media media && media.isImage()) {
                ChatShapes.putImage(images == 0 ? json.array("images") : json, images++, media);
            }
        }
        if (images > 0) {
            json.endArray();
        }
    }

    private void writeCall(JsonText json, Part.ToolCall call, List<Part.Reasoning> thoughts) {
        CallForm form = request.form(call.name());
        boolean custom = form.kind() == CallForm.Kind.CUSTOM;
        json.object()
                .put("id", CallIds.encode(call.id(), thoughts, call.seal()))
                .put("type", custom ? "custom" : "function")
                .object(custom ? "custom" : "function")
                .put("name", form.name())
                .put(custom ? "input" : "arguments", custom ? CustomInput.of(call.arguments()) : call.arguments())
                .endObject()
                .endObject();
    }
}
